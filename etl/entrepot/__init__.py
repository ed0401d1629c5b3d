"""entrepot feeds a hospital's clinical data warehouse and gates what enters it."""

__version__ = "0.1.0"
