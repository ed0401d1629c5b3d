"""National numbers with valid keys: NIR (INSEE), RPPS (Luhn)."""

from __future__ import annotations


def nir_key(body: str) -> str:
    """Two-digit key of a 13-character NIR; Corsica's 2A and 2B count as 19 and 18 (INSEE)."""
    number = int(body.replace("2A", "19").replace("2B", "18"))
    return f"{97 - number % 97:02d}"


def nir(sex: str, year: int, month: int, place: str, order: int) -> str:
    """A 15-character NIR.

    Args:
        sex: M or F.
        year, month: of birth; months 31 to 42 stand for an unknown month.
        place: five characters, INSEE code of the commune or 99 and the country.
        order: rank in the month's register of births, 1 to 999.
    """
    body = f"{'1' if sex == 'M' else '2'}{year % 100:02d}{month:02d}{place}{order:03d}"
    return body + nir_key(body)


def luhn_digit(body: str) -> str:
    """Check digit of the Luhn formula."""
    total = 0
    for position, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def rpps(number: int) -> str:
    """An 11-digit RPPS number: ten digits and their Luhn key."""
    body = f"10{number:08d}"
    return body + luhn_digit(body)
