"""Keys of persons, and the verbs of the procedure and of the review as a shell calls them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from calling import Call
from entrepot.errors import EXIT_CLEAN, EXIT_USAGE, ConfigurationError
from entrepot.keys import load_keyring
from entrepot.people import Person, canonical, create_key, person, sign, verify
from reidentification.desk import Desk, name_people

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("reidentification")]


def test_a_key_is_its_owners_alone_and_in_the_usual_form(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "vigne.pem"
    said = call("people", "key", file)
    assert said.code == EXIT_CLEAN
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    own = load_pem_private_key(file.read_bytes(), None).public_key()
    assert isinstance(own, Ed25519PublicKey)
    assert said.out.strip() == own.public_bytes_raw().hex()
    before = file.read_bytes()
    assert call("people", "key", file).code == EXIT_USAGE
    assert file.read_bytes() == before, "never overwritten"


def test_a_signature_is_of_one_act_by_one_key(tmp_path: Path) -> None:
    public = {name: create_key(tmp_path / name) for name in ("a", "b")}
    anna = Person("anna", frozenset({"dpo"}), public["a"])
    payload = {"act": "x", "request": "R-1", "until": "2026-11-23T00:00:00"}
    signature = sign(tmp_path / "a", payload)
    verify(anna, dict(reversed(payload.items())), signature)  # the order of keys says nothing
    for other in ({**payload, "act": "y"}, {**payload, "more": ""}, {"act": "x"}):
        with pytest.raises(ConfigurationError):
            verify(anna, other, signature)
    for by in (Person("anna", frozenset(), public["b"]), Person("anna", frozenset(), "")):
        with pytest.raises(ConfigurationError):
            verify(by, payload, signature)
    with pytest.raises(ConfigurationError):
        verify(anna, payload, "zz")
    with pytest.raises(ValueError, match="act"):
        sign(tmp_path / "a", {"request": "R-1"})


def test_a_personal_signature_is_none_of_the_sites_reports(desk: Desk) -> None:
    """The same bytes, signed by the site's key as a report, are no person's word."""
    keyring = load_keyring(desk.site.root_key)
    public = keyring.signing_key().public_key().public_bytes_raw().hex()
    payload = {"act": "x"}
    with pytest.raises(ConfigurationError):
        verify(
            Person("site", frozenset(), public), payload,
            keyring.signing_key().sign(canonical(payload)).hex(),
        )  # fmt: skip


def test_a_key_that_others_can_read_signs_nothing(tmp_path: Path) -> None:
    create_key(tmp_path / "a")
    (tmp_path / "a").chmod(0o640)
    with pytest.raises(ConfigurationError, match="others can read"):
        sign(tmp_path / "a", {"act": "x"})
    (tmp_path / "b").write_text("no key")
    (tmp_path / "b").chmod(0o600)
    for name in ("b", "none"):
        with pytest.raises(ConfigurationError):
            sign(tmp_path / name, {"act": "x"})


def test_who_works_here(call: Call, desk: Desk) -> None:
    assert person(desk.site, "claire.vigne", "dpo").profiles == {"dpo"}
    for name, profile in (("claire.vigne", "steward"), ("nobody", "dpo")):
        with pytest.raises(ConfigurationError):
            person(desk.site, name, profile)
    said = call("people", "list", "--json", "--site", desk.site.root)
    assert {json.loads(line)["name"] for line in said.out.splitlines()} >= {"claire.vigne"}
    name_people(desk.site, {})
    assert "Nobody yet" in call("people", "list", "--site", desk.site.root).out


def test_the_procedure_from_a_shell(call: Call, desk: Desk, tmp_path: Path) -> None:
    place = ("--site", desk.site.root)

    def by(name: str) -> tuple[object, ...]:
        return ("--as", name, "--key", tmp_path / "keys" / f"{name}.pem", *place)

    why = ("--motive", "care_finding", "--reason", "potassium 7.2")
    said = call("reidentify", "request", desk.person_id(1953), *why, *by("lea.nguyen"), "--json")
    assert said.code == EXIT_CLEAN
    asked = json.loads(said.out)["request"]
    told = call("reidentify", "approve", asked, *by("lea.nguyen"))
    assert told.code == EXIT_USAGE
    for name in ("claire.vigne", "marc.roy"):
        assert call("reidentify", "approve", asked, *by(name)).code == EXIT_CLEAN
    listed = json.loads(call("reidentify", "list", "--json", *place).out)
    assert (listed["state"], listed["persons"]) == ("approved", 1)
    shown = call("reidentify", "execute", asked, "--show", *by("lea.nguyen"))
    assert shown.code == EXIT_USAGE, "a pipe is no terminal"
    done = call("reidentify", "execute", asked, "--json", *by("lea.nguyen"))
    assert "CASTELNAU" not in done.out + done.err
    document = json.loads((desk.site.root / json.loads(done.out)["file"]).read_text())
    assert document["persons"][0]["names"] == ["ANNE", "CASTELNAU"]
    assert call("reidentify", "refuse", asked, *by("anna.kern")).code == EXIT_CLEAN
    assert call("reidentify", "execute", asked, *by("lea.nguyen")).code == EXIT_USAGE


def test_the_breach_pack_is_read_from_a_file(call: Call, desk: Desk, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text(
        "\n".join(str(n) for n in (desk.person_id(1951), desk.person_id(1952), 4711))
    )
    words = (
        "reidentify", "request", "--breach", numbers, "--motive", "personal_data_breach",
        "--reason", "a lost disk", "--as", "ines.roux", "--key", tmp_path / "keys/ines.roux.pem",
        "--site", desk.site.root,
    )  # fmt: skip
    said = call(*words, "--json")
    assert json.loads(said.out)["unknown"] == 1
    numbers.write_text("CASTELNAU\n")
    refused = call(*words)
    assert refused.code == EXIT_USAGE
    assert "CASTELNAU" not in refused.err
    assert call("reidentify", "motives", "--site", desk.site.root).code == EXIT_CLEAN


def test_a_review_from_a_shell(call: Call, desk: Desk) -> None:
    place = ("--site", desk.site.root)
    said = call("review", "sample", "--documents", "2", *place, "--json")
    drawn = json.loads(said.out)
    assert drawn["documents"] >= 2
    assert call("review", "sample", "--documents", "2", *place).code == EXIT_USAGE
    assert "nobody has read" in call("review", "report", drawn["review"], *place).err
    assert "no such review" in call("review", "report", "x", *place).err
    said = call("review", "serve", "--review", drawn["review"], "--reader", "marc.roy", *place)
    assert said.code == EXIT_USAGE
    assert "profile reader" in said.err
