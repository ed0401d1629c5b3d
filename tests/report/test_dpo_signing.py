"""Signed facts: any change is found, by the program and by the ten lines of the manual."""

from __future__ import annotations

import copy
import hmac
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.errors import ConfigurationError
from entrepot.keys import Keyring
from entrepot.report.dpo.signing import HEAD, canonical, check, public_key, signed

pytestmark = pytest.mark.core
OURS, OTHER = Keyring(b"\x5a" * 32), Keyring(b"\x5b" * 32)
HEAD_TEXT = f"3:{'ab' * 32}"
FACTS: dict[str, Any] = {
    "made_at": "2026-11-22T09:00:00+00:00",
    "title": "Hôpital « Saint-Éloi »",
    "scope": {"feeds": [{"source": "adt", "records": 120, "held": "<11"}], "balanced": True},
    "trail": {"head": "ab" * 32, "sealed_head": OURS.seal(HEAD, HEAD_TEXT.encode(), b"").hex()},
}
MANUAL = Path(__file__).parents[2] / "docs" / "reference" / "dpo_report.md"


def _write(folder: Path, document: object) -> Path:
    path = folder / "dpo.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*path, key))
    else:
        yield path


def _changed(facts: dict[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    found: Any = copy.deepcopy(facts)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return found


def test_what_was_signed_holds_however_its_json_is_laid_out(tmp_path: Path) -> None:
    document = signed(FACTS, OURS)
    path = tmp_path / "dpo.json"
    turned = {"signature": document["signature"], "facts": dict(reversed(FACTS.items()))}
    for text in (json.dumps(document), json.dumps(turned, indent=4, ensure_ascii=False)):
        path.write_text(text, encoding="utf-8")
        checked = check(path, OURS)
        assert checked.holds
        assert (checked.made_at, checked.head) == (FACTS["made_at"], HEAD_TEXT)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    place=st.sampled_from(list(_places(FACTS))),
    value=st.one_of(st.integers(), st.text(max_size=8), st.none(), st.booleans()),
)
def test_any_other_fact_breaks_the_signature(
    tmp_path: Path, place: tuple[Any, ...], value: object
) -> None:
    document = signed(FACTS, OURS)
    changed = _changed(FACTS, place, value)
    if canonical(changed) == canonical(FACTS):
        return
    assert not check(_write(tmp_path, {**document, "facts": changed}), OURS).genuine


@pytest.mark.parametrize("name", ["value", "public_key", "sha256", "algorithm"])
def test_a_changed_signature_does_not_hold(tmp_path: Path, name: str) -> None:
    document = signed(FACTS, OURS)
    for other in ("", "00" * 32, document["signature"][name].upper() + "0"):
        forged = {**document, "signature": {**document["signature"], name: other}}
        assert not check(_write(tmp_path, forged), OURS).holds


def test_another_sites_report_is_genuine_and_not_ours(tmp_path: Path) -> None:
    checked = check(_write(tmp_path, signed(FACTS, OTHER)), OURS)
    assert (checked.genuine, checked.ours, checked.holds) == (True, False, False)
    assert public_key(OURS) != public_key(OTHER)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"facts": 1, "signature": {}}', "\x00",
     '{"facts": {"a": 1, "a": 2}, "signature": {"value": ""}}'],
)  # fmt: skip
def test_what_is_no_report_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dpo.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"dpo\.json"):
        check(path, OURS)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        check(tmp_path / "gone.json", OURS)


def test_the_key_comes_from_the_root_under_its_label() -> None:
    """HKDF-SHA256 by hand (RFC 5869), so that another program can find the key again."""
    secret = hmac.digest(bytes(32), b"\x5a" * 32, "sha256")
    seed = hmac.digest(secret, b"signature/v1\x01", "sha256")
    wanted = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex()
    assert public_key(OURS) == wanted


def test_the_lines_of_the_manual_check_a_report(tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 - the manual's own code
    by_hand: Callable[[Path, str], None] = names["check"]
    document = signed(FACTS, OURS)
    by_hand(_write(tmp_path, document), public_key(OURS))
    with pytest.raises(InvalidSignature):
        by_hand(_write(tmp_path, {**document, "facts": {**FACTS, "title": "x"}}), public_key(OURS))
    with pytest.raises(InvalidSignature):
        by_hand(_write(tmp_path, document), public_key(OTHER))
