"""The stages of the road over one site's opened inputs; `entrepot.stages` is their public face."""
