"""What executes the two kinds of step: batch functions over records, SQL over staged rows.

The steps are the same on every engine, and so is what comes out (DESIGN 5): a choice of machines,
never of meaning.
"""

from entrepot.engine.protocol import NAMES, Engine, engine_of

__all__ = ["NAMES", "Engine", "engine_of"]
