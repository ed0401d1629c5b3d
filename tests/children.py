"""Forked processes for tests that kill."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def in_child(action: Callable[[], None]) -> int:
    """Runs `action` in a forked process; its wait status."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]
