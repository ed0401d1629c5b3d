"""What a person may ask, and the end of retention: each a command that may be repeated.

The registers themselves, and what every run applies of them, are of `entrepot.register`.
"""
