"""A node: the program of one hospital that answers a network's questions, and who lets it."""
