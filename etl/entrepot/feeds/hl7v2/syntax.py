"""What MSH-1 and MSH-2 say: the separators, and the escape sequences that depend on them."""

from __future__ import annotations

import re
from functools import lru_cache

from entrepot.errors import RecordFault
from entrepot.feeds.hl7v2.charset import without_controls

NULL = '""'  # the sender deletes the value; '' says nothing about it (v2.5, 2.5.3)

# Stands for a separator that MSH-2 leaves out: no message holds it, controls are removed before.
_ABSENT = "\x00"
_LINE = {"br", "sp", "ce"}  # v2.5, 2.7.6: these end the output line
_LAYOUT = {"in", "ti", "sk", "fi", "nf"}  # a space: a word must not grow into its neighbour


class Syntax:
    """The separators of one message and how its text is unescaped.

    Args:
        field: MSH-1.
        encoding: MSH-2: component, repetition, escape, sub-component and (v2.7) truncation
            characters in this order; those it leaves out do not exist in the message.
        charset: the Python codec of hexadecimal escapes.
    """

    __slots__ = (
        "_characters", "_plain", "_tokens", "canonical", "charset", "component", "escape", "field",
        "notices", "repetition", "subcomponent",
    )  # fmt: skip

    def __init__(self, field: str, encoding: str, charset: str) -> None:
        self.notices: tuple[str, ...] = ()
        if re.fullmatch(r"..\\\\.", encoding):
            # `^~\\&`: MSH-2 escaped once too often on its way through a program; seen in samples
            encoding = encoding[:3] + encoding[4:]
            self.notices = ("separators_repeated",)
        _check(field, encoding)
        self.field = field
        self.component, self.repetition, self.escape, self.subcomponent, truncation = tuple(
            encoding.ljust(5, _ABSENT)
        )
        self.canonical = self.component in {"^", _ABSENT} and self.subcomponent in {"&", _ABSENT}
        self.charset = charset
        self._characters = {
            "F": field,
            "S": self.component,
            "R": self.repetition,
            "E": self.escape,
            "T": self.subcomponent,
            "P": truncation,
            "H": "",
            "N": "",
        }
        # what nearly every escaped text needs, several times faster than the expression below
        self._plain = {name: text for name, text in self._characters.items() if text != _ABSENT} | {
            ".br": "\n"
        }
        mark = re.escape(self.escape)
        self._tokens = re.compile(
            rf"(?P<hex>(?:{mark}X[0-9A-Fa-f]++{mark})++)"
            rf"|{mark}(?:\.(?P<layout>[A-Za-z]{{2}})[+-]?\d*|(?P<name>[^{mark}\s]++)){mark}"
            rf"|{mark}"
        )

    def unescape(self, text: str) -> tuple[str, list[str]]:
        """The text with its escape sequences resolved (v2.5, 2.7), and notices of those kept.

        Highlighting is removed, line commands become a newline, other layout a space. Adjacent
        hexadecimal sequences are decoded together: some senders escape each byte of a character.
        Kept as text, with a notice: unknown, local (`Z`) and charset-switching (`C`, `M`)
        sequences (`escape_unknown`), bytes the charset cannot hold (`escape_undecodable`), a lone
        escape character (`escape_unterminated`).
        """
        if self.escape not in text:
            return text, []
        pieces = text.split(self.escape)
        if len(pieces) % 2 and all(name in self._plain for name in pieces[1::2]):
            pieces[1::2] = [self._plain[name] for name in pieces[1::2]]
            return "".join(pieces), []
        notices: list[str] = []

        def resolve(token: re.Match[str]) -> str:
            value = self._resolved(token, notices)
            return token[0] if value is None else value

        return self._tokens.sub(resolve, text), notices

    def _resolved(self, token: re.Match[str], notices: list[str]) -> str | None:
        if token["hex"]:
            return self._bytes(token["hex"], notices)
        layout, name = token["layout"], token["name"]
        if layout and layout.lower() in _LINE:
            return "\n"
        if layout and layout.lower() in _LAYOUT:
            return " "
        if layout or name:
            character = self._characters.get(name or "", _ABSENT)
            if character != _ABSENT:
                return character
            notices.append("escape_unknown")
            return None
        notices.append("escape_unterminated")
        return None

    def _bytes(self, run: str, notices: list[str]) -> str:
        parts = run.strip(self.escape)[1:].split(f"{self.escape}{self.escape}X")
        whole = self._decoded("".join(parts), notices)
        if whole is not None:
            return whole
        resolved = []
        for part in parts:
            text = self._decoded(part, notices)
            if text is None:
                notices.append("escape_undecodable")
                text = f"{self.escape}X{part}{self.escape}"
            resolved.append(text)
        return "".join(resolved)

    def _decoded(self, digits: str, notices: list[str]) -> str | None:
        try:
            text = bytes.fromhex(digits).decode(self.charset)
        except ValueError:
            return None
        text, cleaned = without_controls(text)
        if cleaned:
            notices.append("control_bytes_removed")
        return text.replace("\r\n", "\n").replace("\r", "\n")


@lru_cache(maxsize=64)
def syntax_of(field: str, encoding: str, charset: str) -> Syntax:
    """The syntax of a header; one object for the thousands of messages that share it.

    Raises:
        RecordFault: `separators` when two are the same, or one is a letter, digit or blank.
    """
    return Syntax(field, encoding, charset)


def _check(field: str, encoding: str) -> None:
    characters = field + encoding
    plain = all(not (character.isalnum() or character.isspace()) for character in characters)
    if not plain or len(set(characters)) != len(characters) or '"' in characters:
        raise RecordFault("separators", "MSH-2")
    if not 1 <= len(encoding) <= 5:
        raise RecordFault("separators", "MSH-2")
