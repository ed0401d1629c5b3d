"""fhir.resources judges every resource in strict mode, and says where a refused one is wrong."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from entrepot.config import SiteConfig
from entrepot.errors import RecordFault
from entrepot.feeds.feeds import Feeds, load_feeds
from entrepot.feeds.fhir.validation import check_strictly, faults
from entrepot.keys import Keyring
from entrepot.register.registration import Landed, Registered, Registrar

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1979-03-28", "gender": "female"}
NOW = dt.datetime(2026, 1, 1)


def _bytes(**changes: Any) -> bytes:
    return json.dumps(PATIENT | changes).encode()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (_bytes(), []),
        (_bytes(birthDate="1979-02-30"), ["Patient.birthDate"]),
        (_bytes(DUPONT="x"), ["Patient.?"]),  # the name may be a value
        (_bytes(name=[{"given": "Zoe"}]), ["Patient.name[0].given"]),
        (b'{"entry":{"fullUrl":"urn:uuid:1"},"resource":' + _bytes(birthDate="x") + b"}",
         ["Patient.birthDate"]),
        (b'{"entry":{"method":"DELETE","url":"Patient/p1"}}', []),
        (b'{"resourceType":"Unknown"}', []),
        (b"no json", []),
    ],
)  # fmt: skip
def test_places_are_told_and_no_value(content: bytes, found: list[str]) -> None:
    assert faults(content) == found


def test_strict_refuses_what_the_models_refuse() -> None:
    check_strictly(_bytes())
    with pytest.raises(RecordFault) as caught:
        check_strictly(_bytes(contact=[{"gender": 3}]))
    assert (caught.value.reason, caught.value.position) == (
        "invalid_fhir", "Patient.contact[0].gender",
    )  # fmt: skip


def _registered(content: bytes, validation: str) -> Registered:
    source = {"format": "fhir", "validation": validation}
    config = SiteConfig.model_validate({"sources": {"fhir": source}})
    registrar = Registrar(config, Keyring(b"5" * 32), Feeds(load_feeds()))
    return registrar.register(Landed(1, "fhir", "fhir", content, NOW))


def test_the_mode_is_the_sources() -> None:
    unread = _bytes(contact=[{"gender": 3}])  # no mapping reads it
    assert _registered(unread, "shape").disposition == "known"
    strict = _registered(unread, "strict")
    assert (strict.disposition, strict.reason) == ("quarantined", "invalid_fhir")


def test_a_refused_resource_is_explained_in_every_mode() -> None:
    refused = _registered(_bytes(name={"family": "x"}, birthDate="1979-02-30"), "shape")
    assert refused.disposition == "quarantined"
    assert ("invalid_element", "Patient.name") in refused.notices
    assert ("invalid_element", "Patient.birthDate") in refused.notices
