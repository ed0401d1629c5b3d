"""Messages written by hand for faults: one person, one stay, one fact each (IHE PAM France)."""

from __future__ import annotations

AUTHORITY = "CHSYN&1.2.250.1.999.1&ISO"


def message(event: str, control: str, at: str, *segments: str, version: str = "2.5") -> bytes:
    """A message of `event` (`ADT^A01^ADT_A01`), sent at `at` (YYYYMMDDHHMMSS)."""
    head = (
        f"MSH|^~\\&|GAM|CHSYN^1.2.250.1.999.1^ISO|EDS|CHSYN|{at}||{event}|{control}|P"
        f"|{version}^FRA^2.11||||||UNICODE UTF-8"
    )
    return ("\r".join((head, f"EVN||{at}", *segments)) + "\r").encode()


def pid(ipp: str, birth: str = "19700412", name: str = "MARTIN", stay: str = "") -> str:
    """A PID with one IPP."""
    account = f"{stay}^^^{AUTHORITY}^AN" if stay else ""
    return (
        f"PID|1||{ipp}^^^{AUTHORITY}^PI||{name}^ANNE^^^^^L||{birth}|F||||||||||{account}"
    ).rstrip("|")


def pv1(stay: str, start: str, end: str = "") -> str:
    """A PV1 of an inpatient stay (PV1-44, PV1-45)."""
    return f"PV1|1|I|3001||||||||||||||||{stay}^^^CHSYN|{'|' * 24}{start}|{end}".rstrip("|")


def zbe(number: str, at: str, action: str = "INSERT", event: str = "A01") -> str:
    """A movement segment."""
    return f"ZBE|{number}^GAM|{at}||{action}|N|{event}|^^^^^^UF^^^3001"


def admission(
    control: str, ipp: str, stay: str, at: str = "20240301080000", *, birth: str = "19700412",
    name: str = "MARTIN", action: str = "INSERT", end: str = "",
) -> bytes:  # fmt: skip
    """A01: the stay begins at `at` in unit 3001."""
    return message(
        "ADT^A01^ADT_A01", control, at, pid(ipp, birth, name, stay), pv1(stay, at, end),
        zbe(f"M{control}", at, action),
    )  # fmt: skip


def diagnosis(
    control: str, ipp: str, stay: str, code: str, at: str = "20240302120000", *,
    birth: str = "19700412",
) -> bytes:  # fmt: skip
    """BAR^P01 with one CIM-10 diagnosis."""
    return message(
        "BAR^P01^BAR_P01", control, at, pid(ipp, birth, stay=stay),
        f"PV1|1|I{'|' * 17}{stay}^^^CHSYN",
        f"DG1|1||{code}^^I10||{at}|W||||||||||1||||D{control}",
    )  # fmt: skip


def merge(control: str, surviving: str, absorbed: str, at: str = "20240401080000") -> bytes:
    """A40: the second number is absorbed by the first."""
    return message(
        "ADT^A40^ADT_A39", control, at, pid(surviving), f"MRG|{absorbed}^^^{AUTHORITY}^PI"
    )
