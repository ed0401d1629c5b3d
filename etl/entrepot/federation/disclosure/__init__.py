"""Disclosure control: what of a node's counts may be told, to anybody, ever.

`protect` takes sets of persons and gives counts; nothing else leaves. It sees every question of
every study, through the ledger. Why it is as it is: docs/adr/0024; limits: docs/reference/
disclosure.md. Source: reference on federation, sections 3 to 5.
"""

from entrepot.federation.disclosure.asker import Asker
from entrepot.federation.disclosure.guard import Guard, protect
from entrepot.federation.disclosure.ledger import Ledger
from entrepot.federation.disclosure.policy import Budget, Policy, read_policy
from entrepot.federation.disclosure.reading import interval, wait_seconds
from entrepot.federation.disclosure.rounding import keyed_noise
from entrepot.federation.disclosure.tables import (
    ALL,
    Cell,
    CountTable,
    PersonSet,
    ProtectedCell,
    ProtectedTable,
    Union,
    person_set,
    withheld,
)  # fmt: skip

__all__ = [
    "ALL", "Asker", "Budget", "Cell", "CountTable", "Guard", "Ledger", "PersonSet", "Policy",
    "ProtectedCell", "ProtectedTable", "Union", "interval", "keyed_noise", "person_set", "protect",
    "read_policy", "wait_seconds", "withheld",
]  # fmt: skip
