"""What the door notes of a record besides its rows: names of elements, attachments, maskings."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from entrepot import stages
from entrepot.config import Site
from entrepot.door.tables import reading, shape
from entrepot.errors import SiteBusyError
from entrepot.landing.database import create_tables, write_transaction, zone_engine
from entrepot.lock import site_lock
from entrepot.order import Waiver
from entrepot.publication import add_waivers
from entrepot.report.dpo.evidence import opened
from entrepot.report.dpo.report import write_dpo_report
from entrepot.resources import data_folder
from faults.hand_made import admission, message, pid
from roads import feed, keyring, new_site, oppose, travel

pytestmark = pytest.mark.integration
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
# PID-16 says married; ZBX is nobody's; the third line slipped out of a text.
ADMISSION = (
    admission("1", "0001", "9001", name="KERMADEC")
    .replace(b"|F|", b"|F||||||||M|", 1)
    .rstrip(b"\r")
    + b"\rZBX|1|KERMADEC\rLEE|Solenn\r"
)
RESULT = message(
    "ORU^R01^ORU_R01", "2", "20240302100000", pid("0001", name="KERMADEC", stay="9001"),
    "PV1|1|I|3001||||||||||||||||9001^^^CHSYN", "OBR|1||F1^LAB|24323-8^Bilan^LN|||20240302090000",
    "OBX|1|ST|8251-1^Commentaire^LN||Appel de Mme KERMADEC ce matin||||||F",
)  # fmt: skip
PATIENT = json.dumps(
    {
        "resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1970-04-12",
        "identifier": [{"system": "urn:oid:1.2.250.1.999.1", "value": "0001",
                        "type": {"coding": [{"code": "PI"}]}}],
        "maritalStatus": {"text": "KERMADEC"},
        "name": [{"family": "KERMADEC", "KERMADEC": 1, "text": "Anne"}],
        "extension": [{"url": "http://KERMADEC", "valueString": "x"}],
    }
).encode()  # fmt: skip
DOCUMENT = b"""<ClinicalDocument xmlns="urn:hl7-org:v3">
<code code="11502-2" codeSystem="2.16.840.1.113883.6.1"/><effectiveTime value="20240302100000"/>
<recordTarget><patientRole><id extension="0001" root="1.2.250.1.999.1"/>
<patient><name><family>KERMADEC</family><given>ANNE</given></name>
<birthTime value="19700412"/></patient></patientRole></recordTarget>
<custodian><assignedCustodian><Kermadec/></assignedCustodian></custodian>
<component><structuredBody><component><section><title>Conclusion</title><text>RAS</text>
</section></component></structuredBody></component></ClinicalDocument>"""


def _readings(site: Site) -> dict[str, tuple[set[str], int, dict[str, int]]]:
    """Source -> elements, attachments, maskings of its records together."""
    from entrepot.landing.tables import record

    engine, found = zone_engine(site), {}
    query = sa.select(record.c.source, shape.c.elements, reading.c.attachments, reading.c.masked)
    query = query.select_from(
        record.join(reading, reading.c.record_id == record.c.record_id).join(
            shape, shape.c.shape_id == reading.c.shape_id
        )
    )
    with engine.connect() as connection:
        for source, elements, attachments, masked in connection.execute(query):
            names, read, maskings = found.setdefault(source, (set(), 0, {}))
            names |= set(elements.splitlines())
            found[source] = (names, read + attachments, {**maskings, **json.loads(masked)})
    engine.dispose()
    return found


def pseudonymise(site: Site) -> None:
    """Register and door, as a run takes them."""
    stages.register(site)
    stages.door(site)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = new_site(tmp_path_factory.mktemp("readings") / "chu")
    feed(made, "a.hl7", ADMISSION)
    feed(made, "r.hl7", RESULT, "lab")
    feed(made, "p.json", PATIENT, "fhir")
    feed(made, "d.xml", DOCUMENT, "cda")
    pseudonymise(made)
    return made


def test_elements_that_nothing_reads_are_named_in_each_format(site: Site) -> None:
    found = _readings(site)
    adt = found["adt"][0]
    assert {"PID-16", "MSH-3", "?"} <= adt
    assert not {"PID-3", "PID-5", "PID-7", "PV1-19", "MSH-9"} & adt
    assert found["fhir"][0] >= {"Patient.maritalStatus", "Patient.name.?"}
    assert not {"Patient.gender", "Patient.birthDate", "Patient.identifier"} & found["fhir"][0]
    assert {"custodian", "assignedCustodian", "?"} <= found["cda"][0]
    assert not {"family", "patientRole", "code", "section"} & found["cda"][0]


def test_no_value_and_no_name_of_a_sender_is_among_them(site: Site) -> None:
    names = {name for elements, _, _ in _readings(site).values() for name in elements}
    assert names
    assert not [name for name in names if any(w in name.upper() for w in ("KERM", "LEE", "ZBX"))]


def test_maskings_in_short_texts_are_counted_by_layer(site: Site) -> None:
    assert _readings(site)["lab"][2] == {"NOM:known": 1}
    assert _readings(site)["adt"][2] == {}


def test_a_mapping_that_reads_an_element_takes_it_off_the_list(site: Site) -> None:
    """Counts follow re-derivation: nothing is added up twice."""
    shipped = (data_folder("mappings") / "hl7v2" / "patient.yaml").read_text(encoding="utf-8")
    overlay = site.root / "mappings" / "hl7v2" / "patient.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(shipped.replace("PID-30,", "[PID-30, PID-16],"), encoding="utf-8")
    pseudonymise(site)
    assert "PID-16" not in _readings(site)["adt"][0]
    overlay.unlink()


def test_an_opposed_patients_records_leave_no_reading(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "o.csv"
    file.write_text("authority,ipp,opposed_on,withdrawn_on\n1.2.250.1.999.1,0001,2024-04-01,\n")
    oppose(site, file)
    pseudonymise(site)
    assert _readings(site) == {}


def test_a_waiver_is_told_without_its_reason(tmp_path: Path) -> None:
    """What a person typed may hold anything: it stays in the identifying zone."""
    site = new_site(tmp_path / "chu")
    engine = zone_engine(site)
    create_tables(engine)
    given = [
        Waiver("drift.person", rows, "Mme Vigne", "KERMADEC appelée", dt.date(2026, 12, 1))
        for rows in (7, 70)
    ]
    with write_transaction(engine) as connection:
        add_waivers(connection, given)
    engine.dispose()
    report = write_dpo_report(site)
    told = {"check": "drift.person", "by": "Mme Vigne", "until": "2026-12-01"}
    assert report.facts["trail"]["waivers"] == [{**told, "rows": "<11"}, {**told, "rows": 70}]
    for path in (*report.pages.values(), report.document):
        assert "KERMADEC" not in path.read_text(encoding="utf-8")
        assert "Mme Vigne" in path.read_text(encoding="utf-8")
    with site_lock(site), pytest.raises(SiteBusyError):
        write_dpo_report(site)


def test_a_load_is_what_came_since_the_last_publication(tmp_path: Path) -> None:
    site = new_site(tmp_path / "chu")
    feed(site, "a.hl7", ADMISSION)
    assert travel(site).published
    with opened(site, keyring(site), NOW) as evidence:
        first = set(evidence.load_keys)
        assert len(evidence.publications) == 1
    feed(site, "b.hl7", admission("7", "0002", "9002", name="LE GOFF"))
    assert travel(site).published
    with opened(site, keyring(site), NOW) as evidence:
        assert len(evidence.publications) == 2
        assert len(first) == len(evidence.load_keys) == 1
        assert not first & evidence.load_keys
