"""Which patients carry which oddity: a fixed place in every block of 60 patients.

A fixed place, so that a hospital of 60 patients has every case once and that patient k is the
same whatever the number of patients. A role that speaks of another patient speaks of the one
before, who exists whatever the number.
"""

from __future__ import annotations

BLOCK = 60
PLAIN = "plain"
ROLES: dict[int, str] = {
    1: "mother",
    2: "newborn",  # of the patient before
    4: "mother",
    5: "first_twin",
    6: "second_twin",
    8: "secret_mother",  # accouchement sous le secret
    9: "secret_newborn",
    11: "merged",  # two IPPs of one patient, A40
    14: "wrongly_merged",  # with the patient before: A40, then A37
    16: "renumbered",  # A47
    18: "linked",  # two IPPs of one patient, A24
    21: "wrongly_linked",  # with the patient before: A24, then A37
    24: "shared_nda",  # one NDA stated for this patient and the one before
    26: "opposed",
    28: "dies",
    30: "death_by_mistake",
    32: "chemotherapy",
    34: "dialysis",
    36: "open_stay",
    38: "lunar_birth",
    40: "corsica",
    41: "opposed_withdrawn",  # withdrawn in the first block only
    42: "abroad",
    44: "short_name",
    46: "word_name",
    48: "town_name",
    50: "medical_name",
    52: "indeterminate",
    54: "cancelled_pre_admission",
    56: "production_ins",
    58: "homonym",  # of the patient before: same names, another person
    59: "provisional",
}


def role_of(index: int) -> str:
    """The role of patient `index`."""
    return ROLES.get(index % BLOCK, PLAIN)
