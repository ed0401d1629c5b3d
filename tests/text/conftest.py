"""Fixtures of the text engine's tests: one engine for all, one well-known patient."""

from __future__ import annotations

from datetime import date

import pytest

from entrepot.text import Identity, Scrubber


@pytest.fixture(scope="session")
def scrubber() -> Scrubber:
    """One engine for the whole session, as one process has."""
    return Scrubber()


@pytest.fixture(scope="session")
def patient() -> Identity:
    """A synthetic patient with a particle, a compound given name and every kind of identifier."""
    return Identity(
        family_names=("Le Goff", "Kervella"),
        given_names=("Jean-Baptiste",),
        birth_dates=(date(1979, 3, 28),),
        addresses=("12 bis rue de l'Église",),
        postcodes=("29200",),
        towns=("Brest",),
        phones=("06 12 34 56 78", "+33 2 98 00 11 22"),
        mails=("jb.legoff@exemple.fr",),
        numbers=(
            ("IPP", "8001234567"),
            ("NDA", "24-AB-00127"),
            ("INS", "179032999901245"),
        ),
        relatives=("LE GOFF Maëlys",),
        professionals=("Dr Solène PRIGENT",),
        professional_numbers=("10101234567",),
    )
