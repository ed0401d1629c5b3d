"""A hospital with a node, for tests: a release drawn in SQL, persons who can oppose, a study.

Of a hundred and fifty persons four in five have diabetes (201826) and half are given metformin
(1503297). The first thirty are in the register of identities: their opposition finds them.
"""

from __future__ import annotations

import atexit
import datetime as dt
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from entrepot.cohorts import COMPILER_VERSION
from entrepot.config import CONFIG_NAME, Site
from entrepot.federation.cards import CardResearcher, CardSite, Decision, LegalBasis, StudyCard
from entrepot.federation.envelopes import Envelope, Query, countersigned, signed
from entrepot.federation.keys import create_sealing_key
from entrepot.federation.node import policies
from entrepot.federation.node.opened import Node
from entrepot.federation.node.papers import Mode, accept
from entrepot.federation.node.place import create_place
from entrepot.federation.node.tables import open_engine
from entrepot.keys import PERSON, site_keyring
from entrepot.landing.database import create_tables, write_transaction, zone_engine
from entrepot.landing.ingest import ingest
from entrepot.people import create_key, public_half
from entrepot.publish.ddl import ddl
from entrepot.publish.release import publish
from entrepot.register.oppositions import import_csv
from entrepot.register.person import Identifier
from entrepot.register.registering import register_all
from entrepot.resources import data_file
from entrepot.road.inputs import Inputs
from entrepot.site_files import create_site

AUTHORITY = "1.2.250.1.999.1"
PERSONS, KNOWN = 150, 30
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
STEWARD, DPO, RESEARCHER = "marc.roy", "claire.vigne", "lea.nguyen"
DIABETES, METFORMIN = 201826, 1503297


def concept_set(number: int, concept: int) -> dict[str, Any]:
    """One concept and its descendants."""
    item = {"concept": {"CONCEPT_ID": concept}, "isExcluded": False, "includeDescendants": True}
    return {"id": number, "name": f"set {number}", "expression": {"items": [item]}}


def diabetes(**changes: Any) -> dict[str, Any]:
    """First diagnosis of diabetes, in Circe's JSON."""
    return {
        "ConceptSets": [concept_set(0, DIABETES)],
        "PrimaryCriteria": {
            "CriteriaList": [{"ConditionOccurrence": {"CodesetId": 0, "First": True}}],
            "ObservationWindow": {"PriorDays": 0, "PostDays": 0},
            "PrimaryCriteriaLimit": {"Type": "First"},
        },
        "QualifiedLimit": {"Type": "First"},
        "ExpressionLimit": {"Type": "First"},
        "InclusionRules": [],
        "CensoringCriteria": [],
        "CollapseSettings": {"CollapseType": "ERA", "EraPad": 0},
        "CensorWindow": {},
        **changes,
    }


def with_drug() -> dict[str, Any]:
    """First exposure to metformin."""
    found = diabetes(ConceptSets=[concept_set(0, METFORMIN)])
    found["PrimaryCriteria"]["CriteriaList"] = [{"DrugExposure": {"CodesetId": 0, "First": True}}]
    return found


@dataclass
class Hospital:
    """One site with its node; `now` can be set."""

    site: Site
    node: Node
    keys: Path
    moment: list[dt.datetime] = field(default_factory=lambda: [NOW])

    @classmethod
    def at(cls, folder: Path) -> Hospital:
        """The one that lies in a folder."""
        site, moment = Site.open(folder / "site"), [NOW]
        place = create_place(site)
        node = Node(site, site_keyring(site), place, open_engine(place.database), lambda: moment[0])
        return cls(site, node, folder / "keys", moment)

    def person_id(self, number: int) -> int:
        """The core's id of a person of the register."""
        keyring = site_keyring(self.site)
        key = Identifier(AUTHORITY, f"{80_000_000 + number}", "PI").person_key(keyring)
        return keyring.number(PERSON, 53, "id", key)

    def oppose(self, *numbers: int) -> None:
        """Persons of the register oppose, through the desk's file."""
        lines = ["authority,ipp,opposed_on,withdrawn_on"]
        lines += [f"{AUTHORITY},{80_000_000 + number},2026-11-20," for number in numbers]
        file = self.keys / "oppositions.csv"
        file.write_text("\n".join(lines) + "\n")
        engine = zone_engine(self.site)
        create_tables(engine)
        with write_transaction(engine) as connection:
            import_csv(connection, site_keyring(self.site), file, self.site)
        engine.dispose()


def new_hospital(folder: Path, **settings: Any) -> Hospital:
    """A site, its register and release, its node's keys, its steward and its DPO.

    Args:
        settings: further keys of `federation`.
    """
    shutil.copytree(_template() / "keys", folder / "keys")
    shutil.copytree(_template() / "site", folder / "site")
    path = folder / "site" / CONFIG_NAME
    more = "".join(f"  {key}: {value}\n" for key, value in settings.items())
    path.write_text(path.read_text().replace("\nfederation:\n", f"\nfederation:\n{more}"))
    return Hospital.at(folder)


@lru_cache
def _template() -> Path:
    """Made once a process: the register takes most of a second."""
    folder = Path(tempfile.mkdtemp(prefix="node-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = _made(folder, "chu-nord")
    made.node.engine.dispose()
    return folder


def _made(folder: Path, name: str) -> Hospital:
    keys = folder / "keys"
    keys.mkdir(parents=True)
    site = create_site(folder / "site", demonstration=True)
    people = {person: create_key(keys / f"{person}.pem") for person in (STEWARD, DPO)}
    coordinator = keys / "coordinator.pem"
    create_key(coordinator)
    text = (
        f"federation:\n  node: {name}\n  coordinator_keys: [{public_half(coordinator)}]\n"
        "people:\n"
        f"  {STEWARD}: {{profiles: [steward], public_key: {people[STEWARD]}}}\n"
        f"  {DPO}: {{profiles: [dpo], public_key: {people[DPO]}}}\n"
    )
    path = site.root / CONFIG_NAME
    path.write_text(f"{path.read_text()}\n{text}")
    site = Site.open(site.root)
    _register(site)
    made = Hospital.at(folder)
    release(made, range(PERSONS))
    return made


def release(made: Hospital, numbers: Any, more: Callable[[Any], None] | None = None) -> None:
    """Publishes a release of these persons."""
    candidate = made.site.work / "candidate.duckdb"
    candidate.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(ddl("duckdb"))
        rows = [
            (made.person_id(n) if n < KNOWN else 9_000_000_000 + n, 8532 if n % 2 else 8507, n)
            for n in numbers
        ]
        connection.execute("CREATE TABLE drawn (person_id BIGINT, sex INTEGER, n INTEGER)")
        connection.executemany("INSERT INTO drawn VALUES (?, ?, ?)", rows)
        connection.execute(_DRAWN)
        if more:
            more(connection)
        connection.execute("DROP TABLE drawn")
    publish(candidate, made.site.warehouse)


_DRAWN = """
INSERT INTO cdm.concept BY NAME SELECT col0 AS concept_id, col1 AS concept_name,
  col2 AS domain_id, 'None' AS vocabulary_id, 'Any' AS concept_class_id, 'S' AS standard_concept,
  CAST(col0 AS VARCHAR) AS concept_code, DATE '1970-01-01' AS valid_start_date,
  DATE '2099-12-31' AS valid_end_date FROM (VALUES (201826, 'Type 2 diabetes', 'Condition'),
  (1503297, 'metformin', 'Drug'), (8507, 'MALE', 'Gender'), (8532, 'FEMALE', 'Gender'));
INSERT INTO cdm.concept_ancestor SELECT concept_id, concept_id, 0, 0 FROM cdm.concept;
INSERT INTO cdm.person BY NAME SELECT person_id, sex AS gender_concept_id,
  1940 + n % 50 AS year_of_birth, 0 AS race_concept_id, 0 AS ethnicity_concept_id FROM drawn;
INSERT INTO cdm.observation_period BY NAME SELECT n AS observation_period_id, person_id,
  DATE '2019-01-01' AS observation_period_start_date,
  DATE '2024-12-31' AS observation_period_end_date, 32817 AS period_type_concept_id FROM drawn;
INSERT INTO cdm.condition_occurrence BY NAME SELECT n AS condition_occurrence_id, person_id,
  201826 AS condition_concept_id, DATE '2020-01-01' + n AS condition_start_date,
  32817 AS condition_type_concept_id FROM drawn WHERE n % 5 < 4;
INSERT INTO cdm.drug_exposure BY NAME SELECT n AS drug_exposure_id, person_id,
  1503297 AS drug_concept_id, DATE '2020-01-11' + n AS drug_exposure_start_date,
  DATE '2020-01-20' + n AS drug_exposure_end_date, 32817 AS drug_type_concept_id
  FROM drawn WHERE n % 4 < 2;
INSERT INTO cdm.cdm_source BY NAME SELECT 'EDS' AS cdm_source_name,
  'EDS' AS cdm_source_abbreviation, 'CHU' AS cdm_holder, DATE '2026-11-20' AS source_release_date,
  DATE '2026-11-20' AS cdm_release_date, 756265 AS cdm_version_concept_id,
  'v5' AS vocabulary_version;
CREATE SCHEMA etl;
"""


def agree(made: Hospital, **changes: Any) -> None:
    """Steward and DPO put a policy in force."""
    shipped = yaml.safe_load(data_file("quality/federation/policy.yaml").read_text())
    file = made.keys / "policy.yaml"
    file.write_text(yaml.safe_dump({**shipped, **changes}))
    sha256 = policies.propose(made.node, file, STEWARD, made.keys / f"{STEWARD}.pem")
    policies.approve(made.node, sha256, DPO, made.keys / f"{DPO}.pem")


def card_for(made: Hospital, **changes: Any) -> StudyCard:
    """A study of this hospital and two others, whose researcher's key is made at first."""
    researcher, reader = made.keys / "researcher.pem", made.keys / "reader.pem"
    if not researcher.exists():
        create_key(researcher)
        (made.keys / "reader.pub").write_text(create_sealing_key(reader))
    key, masking = made.node.place.public_keys()
    others = (
        CardSite(node=name, key=mark * 64, masking_key=mark * 64)
        for name, mark in (("chu-sud", "a"), ("ch-ouest", "b"))
    )
    stated: dict[str, Any] = {
        "study": "DIAB-2026",
        "title": "Diabète de type 2 dans trois entrepôts",
        "legal_basis": LegalBasis(kind="MR-004", reference="2226001"),
        "decision": Decision(
            committee="CESREES", reference="1234567", decided_on=dt.date(2026, 6, 1)
        ),
        "starts_on": dt.date(2026, 9, 1),
        "ends_on": dt.date(2027, 8, 31),
        "researchers": (CardResearcher(name=RESEARCHER, key=public_half(researcher)),),
        "sites": (CardSite(node=made.node.name, key=key, masking_key=masking), *others),
        "analyses": ("counts", "stratified", "attrition"),
        "tables": ("condition_occurrence", "drug_exposure"),
        "deliveries": ("sealed", "pooled"),
        **changes,
    }
    return StudyCard(**stated)


def accepted(made: Hospital, mode: Mode = "counts", **changes: Any) -> StudyCard:
    """A study that the steward takes part in."""
    card = card_for(made, **changes)
    accept(made.node, card, mode, STEWARD, made.keys / f"{STEWARD}.pem")
    return card


def query_for(made: Hospital, card: StudyCard, nonce: int = 1, **changes: Any) -> Query:
    """How many have diabetes, and how many of all are given metformin?"""
    stated: dict[str, Any] = {
        "study": card.study,
        "card": card.sha256,
        "researcher": RESEARCHER,
        "cohorts": {"diabetes": diabetes(), "metformin": with_drug()},
        "compiler": COMPILER_VERSION,
        "analysis": {"kind": "counts", "cohorts": ["diabetes", "metformin"]},
        "audience": tuple(one.node for one in card.sites),
        "nonce": f"{nonce:032x}",
        "not_before": NOW - dt.timedelta(hours=1),
        "not_after": NOW + dt.timedelta(days=7),
        "answers_to": (made.keys / "reader.pub").read_text(),
        **changes,
    }
    return Query(**stated)


def sent(made: Hospital, query: Query) -> Envelope:
    """The query as the coordinator passes it on: signed by both."""
    envelope = signed(query, "researcher", made.keys / "researcher.pem")
    return countersigned(envelope, made.keys / "coordinator.pem")


def _register(site: Site) -> None:
    folder = site.root.parent / "feed"
    folder.mkdir(exist_ok=True)
    file = folder / "identities.hl7"
    file.write_bytes(b"".join(_message(number) for number in range(KNOWN)))
    ingest(site, site_keyring(site), [file], "adt")
    with Inputs.of(site) as inputs:
        register_all(
            site, inputs.database, inputs.keyring, inputs.mappings, inputs.counter("register")
        )


def _message(number: int) -> bytes:
    head = f"MSH|^~\\&|GAM|CHU|||20250301120000||ADT^A28^ADT_A05|m{number}|P|2.5|||||FRA|8859/1"
    person = f"PID|||{80_000_000 + number}^^^CHU&{AUTHORITY}&ISO^PI||MARTIN^ANNE||19500101|F"
    return f"{head}\rEVN||20250301120000\r{person}\rPV1||N\r".encode()
