"""National numbers against published ones and against the published rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_hospital import Hospital

from entrepot.synthetic.national_numbers import nir, rpps

pytestmark = pytest.mark.core


def key_holds(number: str) -> bool:
    """INSEE: 13 digits and key sum to a multiple of 97; Corsica's letters count 19 and 18."""
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return (int(body) + int(number[13:])) % 97 == 0


def luhn_holds(number: str) -> bool:
    """Luhn: doubled every second digit from the right, the sum is a multiple of ten."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(number))]
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def test_the_nir_of_the_official_samples() -> None:
    """279035121518989 is the number of the fictitious patient of the official HL7 samples."""
    assert nir("F", 1979, 3, "51215", 189) == "279035121518989"


@given(
    st.sampled_from("MF"),
    st.integers(1900, 2025),
    st.integers(1, 12),
    st.sampled_from(("45234", "2A004", "2B033", "97411", "99352")),
    st.integers(1, 999),
)
def test_every_nir_has_a_valid_key(sex: str, year: int, month: int, place: str, order: int) -> None:
    number = nir(sex, year, month, place, order)
    assert len(number) == 15
    assert key_holds(number)


@given(st.integers(0, 99_999_999))
def test_every_rpps_has_a_valid_key(number: int) -> None:
    assert len(rpps(number)) == 11
    assert luhn_holds(rpps(number))


def test_the_patients_numbers_agree_with_their_identity(hospital: Hospital) -> None:
    births = {s["patient"]: s for s in hospital.statements.values() if s["kind"] == "identity"}
    checked = 0
    for person in hospital.persons.values():
        if person["ins"]:
            identity = births[person["patient"]]
            assert key_holds(person["ins"])
            assert person["ins"][1:3] == identity["birth_date"][2:4]
            if identity["birth_precision"] != "year":
                assert person["ins"][3:5] == identity["birth_date"][4:6]
            if identity["sex"] in "MF":
                assert person["ins"][0] == {"M": "1", "F": "2"}[identity["sex"]]
            checked += 1
    assert checked > 40
