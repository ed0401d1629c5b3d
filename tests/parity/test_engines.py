"""Both engines make the same warehouse, cell by cell, and Spark leaves no identity on a disk."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from scattered import Scattered

from entrepot import stages
from entrepot.config import Site
from entrepot.engine import NAMES, engine_of
from entrepot.errors import EntrepotError
from entrepot.keys import ENVIRONMENT
from entrepot.landing.ingest import ingest
from entrepot.omop.candidate import MapInputs, open_candidate, prepare
from entrepot.publish.ddl import ddl
from entrepot.publish.warehouse import literal
from entrepot.report.scan import scan
from entrepot.run import run
from entrepot.site_files import SOURCES
from entrepot.staging.kinds import KINDS
from entrepot.synthetic import generate
from omop_staging import AS_OF
from roads import feed, feed_hospital, hashes, keyring, new_site, query

if TYPE_CHECKING:
    from sparks import Running

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("spark")]

PATIENTS, SEED = 30, 1
SYNTHEA_PATIENTS = 2
SERVER = "sources: {server: {format: fhir}}\noppositions: {required: false}\n"
LATE = (
    b"MSH|^~\\&|GAM|CHU|||20250301120000||ADT^A01^ADT_A01|late1|P|2.5\r"
    b"EVN||20250301120000\rPID|||990099^^^CHU^PI||LATOUR^ODILE||19610203|F\r"
    b"PV1||I|||||||||||||||||77001^^^CHU^VN\r"
)
FILLED = (
    "person", "visit_occurrence", "visit_detail", "condition_occurrence", "procedure_occurrence",
    "drug_exposure", "device_exposure", "measurement", "observation", "specimen", "note", "death",
    "observation_period", "condition_era", "drug_era", "location", "care_site", "provider",
    "fact_relationship", "cdm_source",
)  # fmt: skip
TOLD = ("row_disposition", "lineage", "concept_resolution")


@dataclass(frozen=True)
class Made:
    """One feed, taken down the road by either engine."""

    embedded: Site
    spark: Site
    truth: Path


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory, sparks: Running) -> Made:
    folder = tmp_path_factory.mktemp("hospital")
    generate(PATIENTS, SEED, folder / "told", formats=("hl7v2", "fhir", "cda"), twice=0.1)
    fed = new_site(folder / "fed")
    feed_hospital(fed, folder / "told")
    return _made(folder, sparks, folder / "told" / "truth")


@pytest.fixture(scope="module")
def synthea(tmp_path_factory: pytest.TempPathFactory, shared: Path, sparks: Running) -> Made:
    files = sorted((shared / "data" / "fhir" / "synthea_smart_r4").glob("*.json"))
    if not files:
        pytest.skip("no Synthea sample in the shared test material")
    folder = tmp_path_factory.mktemp("synthea")
    fed = new_site(folder / "fed", SERVER)
    smallest = sorted(files, key=lambda file: file.stat().st_size)[:SYNTHEA_PATIENTS]
    ingest(fed, keyring(fed), smallest, "server", "fhir")
    return _made(folder, sparks, folder)


@pytest.fixture
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.getfixturevalue(request.param)
    return found


def _made(folder: Path, sparks: Running, truth: Path) -> Made:
    assert sparks.session
    found = {}
    for engine in ("embedded", "spark"):
        shutil.copytree(folder / "fed", folder / engine)
        found[engine] = Site.open(folder / engine)
        assert run(found[engine], engine=engine).passed
    return Made(found["embedded"], found["spark"], truth)


BOTH = pytest.mark.parametrize("made", ["hospital", "synthea"], indirect=True)


@BOTH
def test_not_one_cell_differs(made: Made) -> None:
    """Every table of the CDM and of the run's account, with their types."""
    connection = duckdb.connect()
    for name, site in (("embedded", made.embedded), ("spark", made.spark)):
        connection.execute(f"ATTACH {literal(site.warehouse)} AS {name} (READ_ONLY)")
    tables = {name: _tables(connection, name) for name in ("embedded", "spark")}
    assert tables["embedded"] == tables["spark"]
    assert _differing(connection, {name for name, _, _ in tables["embedded"]}) == {}
    assert hashes(made.embedded) == hashes(made.spark)


@pytest.mark.parametrize("seed", [2])
def test_not_one_cell_differs_of_rows_drawn_at_random(
    seed: int, sparks: Running, tmp_path: Path
) -> None:
    """And no table is empty: two empty tables would be equal."""
    assert sparks.session
    site = new_site(tmp_path / "site")
    inputs = MapInputs(
        Scattered(seed).staging.write(tmp_path / "staging"), site.vocabulary, AS_OF,
        dt.date(2010, 1, 1), "h", "Hospital", source_ranks={"lab": 6, "fhir": 3},
    )  # fmt: skip
    connection = duckdb.connect()
    for name in NAMES:
        candidate = open_candidate(tmp_path / f"{name}.duckdb", "1GB", tmp_path / "spill")
        prepare(candidate, inputs, ddl("duckdb", "cdm", enforce_required=False))
        with engine_of(name, site) as engine:
            engine.build(candidate, inputs)
        candidate.close()
        connection.execute(f"ATTACH {literal(tmp_path / f'{name}.duckdb')} AS {name} (READ_ONLY)")
    tables = {f"cdm.{name}" for name in FILLED} | {f"etl.{name}" for name in TOLD}
    counted = {table: _count(connection, f"embedded.{table}") for table in tables}
    assert {table for table, rows in counted.items() if not rows} == set()
    assert _differing(connection, tables) == {}
    work = _tables(connection, "spark", ("work",)) & _tables(connection, "embedded", ("work",))
    assert {"work.event_resolved", "work.current_patient"} <= {name for name, _, _ in work}


@pytest.mark.parametrize(("first", "then"), [("embedded", "spark"), ("spark", "embedded")])
def test_what_one_engine_made_the_other_leaves_as_it_is(
    first: str, then: str, hospital: Made, tmp_path: Path
) -> None:
    shutil.copytree(getattr(hospital, first).root, tmp_path / "site")
    site = Site.open(tmp_path / "site")
    generation = sorted(path.name for path in site.staging.iterdir())
    release = site.warehouse.stat().st_ino
    counted = stages.door(site, engine=then)
    assert not counted.due
    assert run(site, engine=then).release_id == run(hospital.embedded).release_id
    assert sorted(path.name for path in site.staging.iterdir()) == generation
    assert site.warehouse.stat().st_ino == release


@pytest.mark.parametrize(("first", "then"), [("embedded", "spark"), ("spark", "embedded")])
def test_each_engine_goes_on_where_the_other_stopped(
    first: str, then: str, hospital: Made, tmp_path: Path
) -> None:
    """Some feeds on one engine, the rest on the other: the staging of one alone, row by row."""
    site = new_site(tmp_path / "site")
    for engine, sources in ((first, ["adt", "fhir"]), (then, SOURCES)):
        feed_hospital(site, hospital.truth.parent, sources)
        stages.register(site)
        assert stages.door(site, engine=engine).due
    connection = duckdb.connect()
    for name, told in (("embedded", hospital.embedded), ("spark", site)):
        connection.execute(f"ATTACH ':memory:' AS {name}")
        [generation] = told.staging.iterdir()
        for kind in KINDS:
            connection.execute(
                f"CREATE VIEW {name}.{kind} AS SELECT *"
                f" FROM read_parquet({literal(generation / kind / '*.parquet')})"
            )
    assert _differing(connection, set(KINDS)) == {}
    assert _count(connection, "spark.event") > PATIENTS


@pytest.mark.usefixtures("hospital")
def test_the_plans_hold_the_door_and_the_relational_steps(sparks: Running) -> None:
    plans = sparks.plans()
    doors = [plan for plan in plans if "MapInArrow" in plan]
    assert doors
    assert all("number" in plan and "sealed" in plan for plan in doors)
    relational = "\n".join(plan for plan in plans if "InsertIntoHadoopFsRelationCommand" in plan)
    for operator in (
        "Scan parquet", "HashAggregate", "Window", "Join", "hashpartitioning(", "Union", "Exchange",
        "max_by", "row_number", "dense_rank", "LeftOuter",
    ):  # fmt: skip
        assert operator in relational, operator


def test_no_identity_on_sparks_disks(hospital: Made, sparks: Running) -> None:
    """Encryption and compression are off in this session: what is found nowhere was never there."""
    names = {path.name for path in sparks.kept.iterdir()}
    assert any("shuffle" in name for name in names)
    for folder in (sparks.kept, sparks.logs):
        report = scan(folder, hospital.truth, public=sparks.of_itself())
        assert report.leaks == (), report.summary()
        assert report.distinctive > 500
    persons = query(hospital.spark, "SELECT person_source_value FROM person")
    kept = b"".join(path.read_bytes() for path in sparks.kept.iterdir())
    assert (
        sum(key.encode() in kept for (key,) in persons) > PATIENTS / 2
    )  # it is what is read there


def test_no_secret_in_sparks_configuration(hospital: Made, sparks: Running) -> None:
    """Nor in any event: the root key is taken by workers from its own place."""
    root = hospital.spark.root_key.read_text(encoding="utf-8").strip()
    configuration = dict(sparks.session.sparkContext.getConf().getAll())
    assert configuration["spark.master"] == "local[2]"
    written = "".join(file.read_text(encoding="utf-8") for file in sparks.logs.iterdir())
    assert root not in written
    assert root not in str(configuration)
    assert root.encode() not in b"".join(path.read_bytes() for path in sparks.kept.iterdir())


@pytest.mark.parametrize(
    ("key", "told"),
    [("", "the root key cannot be read"), ("7b" * 32, "holds another root key than the driver")],
)
def test_a_worker_without_the_key_is_told(
    key: str, told: str, hospital: Made, sparks: Running, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The driver has it from its environment, which the workers started without."""
    assert sparks.session
    shutil.copytree(hospital.spark.root, tmp_path / "site")
    site = Site.open(tmp_path / "site")
    monkeypatch.setenv(ENVIRONMENT, site.root_key.read_text(encoding="utf-8").strip())
    site.root_key.unlink()
    if key:
        site.root_key.write_text(key, encoding="utf-8")
        site.root_key.chmod(0o600)
    feed(site, "one.hl7", LATE)
    before = hashes(site)
    with pytest.raises(EntrepotError, match=told):
        run(site, engine="spark")
    assert hashes(site) == before


def _tables(
    connection: duckdb.DuckDBPyConnection, database: str, schemas: tuple[str, ...] = ("cdm", "etl")
) -> set[tuple[str, str, str]]:
    """Table, column, type."""
    return set(
        connection.execute(
            "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns()"
            " WHERE database_name = ? AND list_contains(?, schema_name)",
            [database, list(schemas)],
        ).fetchall()
    )


def _differing(connection: duckdb.DuckDBPyConnection, tables: set[str]) -> dict[str, int]:
    """Table -> rows that stand on one side alone."""
    found = {}
    for table in tables:
        left, right = f"SELECT * FROM embedded.{table}", f"SELECT * FROM spark.{table}"
        either = f"({left} EXCEPT ALL {right}) UNION ALL ({right} EXCEPT ALL {left})"
        found[table] = _count(connection, f"({either})")
    return {table: rows for table, rows in found.items() if rows}


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0])
