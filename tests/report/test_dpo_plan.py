"""Sections 11 and 13 on a site without data: what the report looks at, and finds by itself."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import roads
from entrepot.cli.main import app
from entrepot.config import CONFIG_NAME, Site
from entrepot.errors import ConfigurationError
from entrepot.landing.database import create_tables, write_transaction, zone_engine
from entrepot.people import create_key
from entrepot.register.tables import opposition
from entrepot.report.dpo.deviations import CONDITIONS, read_spec
from entrepot.report.dpo.facts import collect
from entrepot.report.dpo.plan import FILE, read_plan
from entrepot.report.dpo.report import write_dpo_report

pytestmark = pytest.mark.integration
NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
INCIDENT: dict[str, Any] = {
    "id": "I-1", "found_at": "2026-11-01T08:00:00", "kind": "access", "breach": True, "persons": 7,
    "text": "Un compte est resté ouvert après un départ.",
}  # fmt: skip
STEP: dict[str, Any] = {
    "id": "A-1", "answers": "escrow_missing", "text": "Partager la clé racine.",
    "decided_on": "2026-10-01", "due": "2026-11-01",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return roads.new_site(tmp_path_factory.mktemp("plan") / "chu")


@pytest.fixture
def site(made: Site) -> Iterator[Site]:
    """The site as `init` made it."""
    text = (made.root / CONFIG_NAME).read_text(encoding="utf-8")
    yield made
    (made.root / CONFIG_NAME).write_text(text, encoding="utf-8")
    (made.root / FILE).unlink(missing_ok=True)
    made.identifying.chmod(0o700)


def _configured(site: Site, **stated: Any) -> Site:
    path = site.root / CONFIG_NAME
    path.write_text(path.read_text(encoding="utf-8") + yaml.safe_dump(stated), encoding="utf-8")
    return Site.open(site.root)


def _planned(site: Site, **stated: Any) -> None:
    (site.root / FILE).parent.mkdir(exist_ok=True)
    (site.root / FILE).write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")


def _codes(facts: dict[str, Any]) -> set[str]:
    return {one["code"] for one in facts["deviations"]}


def test_a_new_site_is_told_what_is_missing_and_nothing_else(site: Site) -> None:
    facts = collect(site, roads.keyring(site), NOW)
    assert _codes(facts) >= {
        "processing_not_stated", "review_missing", "register_stale", "profiles_missing",
        "escrow_missing", "backups_not_stated",
    }  # fmt: skip
    assert not _codes(facts) & {
        "not_balanced", "collision", "leak_in_release", "opposition_not_applied", "log_broken",
        "zone_open", "zone_readable", "backup_old", "breach_not_told", "action_late", "key_old",
        "waiver_used", "study_expired", "reidentified_alone", "retention_due",
    }  # fmt: skip
    levels = [one["level"] for one in facts["deviations"]]
    assert levels == sorted(levels, key=["critical", "major", "minor"].index)


def test_what_is_mended_is_no_deviation(site: Site, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    backups.mkdir(mode=0o700)
    (backups / "zone.tar").write_bytes(b"x")
    os.utime(backups / "zone.tar", (NOW.timestamp() - 86_400,) * 2)
    site = _configured(
        site,
        processing={"controller": "CHU", "dpo": "dpo", "register_entry": "1", "legal_basis": "RGPD",
                    "aipd_version": "1", "aipd_date": "2026-01-01"},
        people={"a": {"profiles": ["dpo"]}, "b": {"profiles": ["steward"]}},
        retention={"backups": {"folder": str(backups), "keep_days": 30}},
    )  # fmt: skip
    facts = collect(site, roads.keyring(site), NOW)
    assert not _codes(facts) & {
        "processing_not_stated", "aipd_old", "profiles_missing", "backups_not_stated", "backup_old",
        "backup_kept",
    }  # fmt: skip
    assert facts["officers"] == ["a"]
    late = collect(site, roads.keyring(site), NOW + dt.timedelta(days=60))
    assert _codes(late) >= {"backup_old", "backup_kept"}
    assert "aipd_old" in _codes(collect(site, roads.keyring(site), NOW.replace(year=2029)))


def test_files_that_others_can_read_are_found(site: Site) -> None:
    """A closed folder closes what is in it; the report itself closes the zone, after it looked."""
    copy = site.identifying / "copy.csv"
    copy.write_text("x")
    copy.chmod(0o644)
    assert "zone_open" not in _codes(collect(site, roads.keyring(site), NOW))
    site.identifying.chmod(0o755)
    facts = collect(site, roads.keyring(site), NOW)
    copy.unlink()
    assert "zone_open" in _codes(facts)
    opened = {one["name"]: one["open_to_others"] for one in facts["security"]["places"]}
    assert (opened["folder"], opened["others"], opened["root_key"]) == (1, 1, 0)


def test_clear_text_in_a_sealed_column_is_found(site: Site) -> None:
    engine = zone_engine(site)
    create_tables(engine)
    row = {
        "identifier": b"\x00" * 32, "sealed": b"1.2.250.1.999.1 0001 KERMADEC ANNE",
        "opposed_on": NOW.date(), "channel": "desk", "recorded_at": NOW.replace(tzinfo=None),
    }  # fmt: skip
    with write_transaction(engine) as connection:
        connection.execute(opposition.insert(), row)
    facts = collect(site, roads.keyring(site), NOW)
    with write_transaction(engine) as connection:
        connection.execute(opposition.delete())
    engine.dispose()
    assert "zone_readable" in _codes(facts)
    assert [one["name"] for one in facts["security"]["sealed"] if one["readable"]] == [
        "opposition.sealed"
    ]


def test_incidents_and_actions_are_printed_and_judged(site: Site) -> None:
    told = {**INCIDENT, "id": "I-2", "authority_told_at": "2026-11-03T08:00:00"}
    _planned(
        site, incidents=[INCIDENT, told],
        actions=[STEP, {**STEP, "id": "A-2", "due": "2027-01-01"}],
        accepted=[{"deviation": "review_missing", "by": "c.moreau", "until": "2026-12-31",
                   "why": "Première année."}],
    )  # fmt: skip
    facts = collect(site, roads.keyring(site), NOW)
    assert [(one["id"], one["persons"], one["told_hours"]) for one in facts["incidents"]] == [
        ("I-1", "<11", -1), ("I-2", "<11", 48),
    ]  # fmt: skip
    assert {one["id"]: one["state"] for one in facts["actions"]} == {"A-1": "late", "A-2": "open"}
    assert _codes(facts) >= {"breach_not_told", "action_late"}
    found = {one["code"]: one for one in facts["deviations"]}
    assert found["escrow_missing"]["answered"] == ["A-1", "A-2"]
    assert found["review_missing"]["accepted_by"] == "c.moreau"
    _planned(site, incidents=[told], actions=[{**STEP, "done_on": "2026-11-02"}])
    facts = collect(site, roads.keyring(site), NOW)
    assert not _codes(facts) & {"breach_not_told", "action_late"}


@pytest.mark.parametrize(
    "stated",
    [
        {"incidents": [{**INCIDENT, "text": "Mme Kermadec a reçu la lettre d'un autre."}]},
        {"incidents": [{**INCIDENT, "text": "Appel du 06 39 98 21 45."}]},
        {"actions": [{**STEP, "text": "Écrire à a.kermadec@exemple.fr."}]},
        {"actions": [{**STEP, "dropped": "Dossier 1 84 07 75 112 345 61."}]},
        {"actions": [STEP, STEP]},
        {"incidents": [{**INCIDENT, "severity": 3}]},
        {"incidents": [{**INCIDENT, "ended_on": "2026-10-01"}]},
    ],
)
def test_a_text_that_names_somebody_or_a_wrong_line_refuses(
    site: Site, stated: dict[str, Any]
) -> None:
    _planned(site, **stated)
    with pytest.raises(ConfigurationError, match=r"actions\.yaml") as caught:
        read_plan(site)
    assert "ermadec" not in str(caught.value)


def test_every_deviation_has_its_words_and_its_condition(tmp_path: Path) -> None:
    assert set(read_spec(()).deviations) == set(CONDITIONS)
    path = tmp_path / "quality" / "dpo" / "deviations.yaml"
    path.parent.mkdir(parents=True)
    shipped = Path(__file__).parents[2] / "quality" / "dpo" / "deviations.yaml"
    path.write_text(shipped.read_text("utf-8").replace("key_old:", "key_new:"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="nothing finds this deviation"):
        read_spec((tmp_path,))


def test_an_officer_signs_a_report_and_nobody_else_can(site: Site, tmp_path: Path) -> None:
    keys = {name: tmp_path / f"{name}.pem" for name in ("officer", "other")}
    public = {name: create_key(path) for name, path in keys.items()}
    site = _configured(
        site, people={"officer": {"profiles": ["dpo"], "public_key": public["officer"]},
                      "other": {"profiles": ["steward"], "public_key": public["other"]}},
    )  # fmt: skip
    path = write_dpo_report(site, now=NOW).document
    assert (
        _run(site, "report", "sign", str(path), "--as", "other", "--key", str(keys["other"])) != 0
    )
    assert (
        _run(site, "report", "sign", str(path), "--as", "officer", "--key", str(keys["other"])) != 0
    )
    assert _run(site, "audit", "verify", "--report", str(path)) == 0
    assert (
        _run(site, "report", "sign", str(path), "--as", "officer", "--key", str(keys["officer"]))
        == 0
    )
    assert _run(site, "audit", "verify", "--report", str(path)) == 0
    document = json.loads(path.read_text(encoding="utf-8"))
    (one,) = document["endorsements"]
    for changed in ({**one, "at": "2026-01-01T00:00:00+00:00"}, {**one, "by": "other"}):
        path.write_text(json.dumps({**document, "endorsements": [changed]}), encoding="utf-8")
        assert _run(site, "audit", "verify", "--report", str(path)) == 1
    other = write_dpo_report(site, now=NOW + dt.timedelta(days=1), out=tmp_path / "b.html").document
    stolen = {**json.loads(other.read_text(encoding="utf-8")), "endorsements": [one]}
    other.write_text(json.dumps(stolen), encoding="utf-8")
    assert _run(site, "audit", "verify", "--report", str(other)) == 1


def _run(site: Site, *words: str) -> int:
    result = CliRunner().invoke(app, [*words, "--site", str(site.root)], standalone_mode=False)
    if result.exception is not None:
        return 1
    return int(result.return_value or 0)
