"""The command line `entrepot`: thin verbs over the road's functions."""

from entrepot.cli.main import main

__all__ = ["main"]
