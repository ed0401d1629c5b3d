"""What feeds say of rights counts where the site names its type; the DMP's ZFA never does."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from entrepot.config import Oppositions, Rights, SiteConfig
from entrepot.feeds.feeds import Feeds, load_feeds
from entrepot.keys import Keyring
from entrepot.landing.masking import is_masked, mask_number
from entrepot.register.registration import Landed, Registered, Registrar
from faults.hand_made import AUTHORITY, message, pid

pytestmark = pytest.mark.core

NOW = dt.datetime(2026, 6, 1)
CON = "CON|1|OPT|||||||||R||20240301"
ZFA = "ZFA|OPPOSITION|20240301||N|N|N|||||"


@pytest.fixture(scope="module")
def feeds() -> Feeds:
    return Feeds(load_feeds())


def _registered(feeds: Feeds, config: SiteConfig, content: bytes, format_: str) -> Registered:
    registrar = Registrar(config, Keyring(bytes(range(32))), feeds)
    return registrar.register(Landed(1, "adt", format_, content, NOW))


def _message(*segments: str) -> bytes:
    return message("ADT^A31^ADT_A05", "1", "20240301080000", pid("00910091"), "PV1|1|N", *segments)


def _consent(kind: str) -> bytes:
    return json.dumps(
        {"resourceType": "Consent", "id": "c1", "status": "active",
         "meta": {"lastUpdated": "2024-03-01T08:00:00Z"},
         "scope": {"coding": [{"code": "research"}]},
         "category": [{"coding": [{"code": "X"}]}],
         "patient": {"reference": "Patient/p00910091"}, "dateTime": "2024-03-01",
         "policyRule": {"coding": [{"code": "OPTOUT"}]}, "provision": {"type": kind}}
    ).encode()  # fmt: skip


def test_by_default_neither_zfa_nor_con_nor_consent_opposes(feeds: Feeds) -> None:
    config = SiteConfig()
    for content, format_ in ((_message(CON, ZFA), "hl7v2"), (_consent("deny"), "fhir")):
        found = _registered(feeds, config, content, format_)
        assert found.disposition == "known"
        assert found.opposed_on is None


def test_a_named_type_feeds_its_register(feeds: Feeds) -> None:
    config = SiteConfig(
        oppositions=Oppositions(con_types=["OPT"]), rights=Rights(optout_types=["research"])
    )
    found = _registered(feeds, config, _message(ZFA, CON), "hl7v2")
    assert (found.opposed_on, found.opposition_register) == (dt.date(2024, 3, 1), "opposition")
    found = _registered(feeds, config, _consent("deny"), "fhir")
    assert (found.opposed_on, found.opposition_register) == (dt.date(2024, 3, 1), "optout")
    assert _registered(feeds, config, _consent("permit"), "fhir").opposed_on is None
    assert _registered(feeds, config, _message(ZFA), "hl7v2").opposed_on is None


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (f"PID|1||12^^^{AUTHORITY}^PI|||||||||||||||||||34^^^{AUTHORITY}^PI\rOBX|1|NM|X||34|g",
         f"PID|1||12^^^{AUTHORITY}^PI|||||||||||||||||||--^^^{AUTHORITY}^PI\rOBX|1|NM|X||34|g"),
        ('{"identifier":[{"value":"34"}],"valueQuantity":{"value":34}}',
         '{"identifier":[{"value":"--"}],"valueQuantity":{"value":34}}'),
        ('{"patient":{"reference":"Patient/34"},"encounter":{"reference":"Encounter/34"}}',
         '{"patient":{"reference":"Patient/--"},"encounter":{"reference":"Encounter/34"}}'),
    ],
)  # fmt: skip
def test_a_short_number_goes_only_where_numbers_stand(content: str, left: str) -> None:
    """A value of 34 g in somebody else's message is no number of a person."""
    assert mask_number(content.encode(), "34") == left.encode()


def test_a_long_number_goes_wherever_it_stands_alone() -> None:
    content = b"OBX|1|TX|X||Enfant de 00910091, bracelet 1009100912.\r"
    assert mask_number(content, "00910091") == content.replace(b"00910091,", b"--------,")
    assert is_masked("--------")
    assert is_masked("Patient/--")
    assert not is_masked("")
    assert not is_masked("A-1")
