"""The registers of rights and their closed sets: `mappings/privacy/rights.yaml`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from entrepot.errors import ConfigurationError
from entrepot.resources import data_file
from entrepot.yaml_files import read_yaml

FILE = "mappings/privacy/rights.yaml"
OPPOSITION, OPTOUT = "opposition", "optout"
ALL, STUDY = "all", "study"
_STUDY_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


class RegisterRules(BaseModel):
    """One register: its law and the scopes that one may state in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    law: str
    scopes: list[str]
    meaning_fr: str
    meaning_en: str


class ScopeRules(BaseModel):
    """What a scope removes a person from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    meaning_fr: str
    meaning_en: str


class Registers(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    registers: dict[str, RegisterRules]
    scopes: dict[str, ScopeRules]
    channels: list[str]

    def check(self, register: str, scope: str, channel: str) -> None:
        """Refuses what is not of the closed sets.

        Args:
            scope: `all`, or `study:ID`.

        Raises:
            ConfigurationError: names the set and what it holds.
        """
        rules = self.registers.get(register)
        if rules is None:
            raise _unknown("register", self.registers)
        kind, _, study = scope.partition(":")
        if kind not in rules.scopes or bool(study) != (kind == STUDY):
            raise _unknown(f"scope of the register {register}", _written(rules.scopes))
        if kind == STUDY and not _STUDY_ID.fullmatch(study):
            raise ConfigurationError("a study is named by letters, digits, - and _")
        if channel not in self.channels:
            raise _unknown("channel", self.channels)


@dataclass(frozen=True)
class Stated:
    """What was said besides who said it and when.

    Args:
        scope: `all` or `study:ID`.
        until: its last day; None for ever.
        by_holder: a minor's holder of parental authority spoke.
        born_on: the minor's date of birth, when it was given; sealed with the number.
    """

    register: str = OPPOSITION
    scope: str = ALL
    until: dt.date | None = None
    by_holder: bool = False
    born_on: dt.date | None = None


PLAIN = Stated()


def load_registers(overlays: Iterable[Path] = ()) -> Registers:
    """The closed sets, a site's overlay first.

    Raises:
        ConfigurationError: the file is wrong; says where.
    """
    return read_yaml(data_file(FILE, overlays), Registers)


def _written(scopes: Iterable[str]) -> list[str]:
    return [f"{STUDY}:ID" if scope == STUDY else scope for scope in scopes]


def _unknown(what: str, known: Iterable[str]) -> ConfigurationError:
    return ConfigurationError(f"unknown {what}; known: {', '.join(known)}", where=FILE)
