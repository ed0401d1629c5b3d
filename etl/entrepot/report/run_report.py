"""The run report: self-contained HTML with plots and the same facts as JSON. Aggregates only."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Engine

from entrepot import __version__
from entrepot.config import Site
from entrepot.order import Waiver
from entrepot.quality.gate import Verdict
from entrepot.report.accounting import Records, Rows, records, rows
from entrepot.report.scorecard.of_site import NAME as SCORECARD
from entrepot.report.scorecard.of_site import write_scorecard

NAME = "run"


@dataclass(frozen=True)
class RunReport:
    """Where the report lies and what the command line says of it."""

    path: Path
    release_id: str
    quarantined: int


def write_report(
    site: Site,
    engine: Engine,
    passed: bool,
    as_of: dt.datetime | None,
    failures: tuple[str, ...],
    verdict: Verdict | None,
    waivers: Iterable[Waiver] = (),
) -> RunReport:
    """Writes `reports/run.html` and `reports/run.json` of the site as it stands now."""
    with engine.connect() as connection:
        counted = records(connection)
    facts = _facts(site, counted, passed, as_of, failures, verdict)
    facts["waived"] = _waived(verdict, waivers)
    site.reports.mkdir(parents=True, exist_ok=True)
    facts["scorecard"] = _scorecard(site, verdict)
    path = site.reports / f"{NAME}.html"
    environment = Environment(
        loader=PackageLoader("entrepot.report"), autoescape=True, undefined=StrictUndefined
    )
    path.write_text(environment.get_template("run.html.j2").render(facts), encoding="utf-8")
    text = json.dumps(facts, ensure_ascii=False, indent=2, sort_keys=True)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    removed = sum(facts["rows"]["quarantined"].values()) if facts["rows"] else 0
    held = sum(counts.quarantined for counts in counted.sources.values())
    return RunReport(path, facts["release"], held + removed)


def _facts(
    site: Site,
    counted: Records,
    passed: bool,
    as_of: dt.datetime | None,
    failures: tuple[str, ...],
    verdict: Verdict | None,
) -> dict[str, Any]:
    warehouse = rows(site.warehouse) if site.warehouse.is_file() else None
    return {
        "software": __version__,
        "site": site.config.site,
        "title": site.config.title,
        "as_of": as_of.isoformat(sep=" ", timespec="seconds") if as_of else "",
        "passed": passed,
        "failures": list(failures),
        "warnings": [f"{w.check_id} {w.table}".strip() for w in verdict.warnings]
        if verdict
        else [],
        "release": _release(site),
        "sources": {name: c.as_dict() for name, c in sorted(counted.sources.items())},
        "records_balanced": counted.balanced,
        "quarantined": _listed(counted.quarantined),
        "excluded": _listed(counted.excluded),
        "oppositions": {
            "standing": counted.oppositions,
            "without_person": counted.oppositions_without_person,
        },
        "notices": dict(sorted(counted.notices.items())),
        "rows": _row_facts(warehouse) if warehouse else {},
        "unverified_concepts": _unverified(site),
        "data_docs": _relative(site, verdict),
    }


def _row_facts(found: Rows) -> dict[str, Any]:
    kinds = {kind: dict(sorted(counts.items())) for kind, counts in sorted(found.staged.items())}
    return {
        "staged": kinds,
        "reasons": [
            {"kind": kind, "disposition": disposition, "reason": reason, "rows": count}
            for (kind, disposition, reason), count in sorted(found.reasons.items())
        ],
        "quarantined": {
            kind: counts["quarantined"] for kind, counts in sorted(found.staged.items())
            if counts["quarantined"]
        },
        "tables": found.tables,
        "mapped": found.mapped,
        "fan_out": found.fan_out,
        "derived": found.derived,
        "balanced": found.balanced,
    }  # fmt: skip


def _waived(verdict: Verdict | None, waivers: Iterable[Waiver]) -> list[dict[str, Any]]:
    """Who let which check pass, as far as this load failed it."""
    checks = {one.check_id for one in verdict.waived} if verdict else set()
    return [
        {**asdict(one), "until": one.until.isoformat()} for one in waivers if one.check_id in checks
    ]


def _listed(counter: Any) -> list[dict[str, Any]]:
    return [
        {"source": source, "reason": reason, "records": count}
        for (source, reason), count in sorted(counter.items())
    ]


def _release(site: Site) -> str:
    from entrepot.publish.release import read_release

    release = read_release(site.warehouse)
    return release.release_id if release else ""


def _unverified(site: Site) -> list[dict[str, Any]]:
    from entrepot.vocabulary.concepts import unverified_concepts

    ids = sorted({concept.concept_id for concept in unverified_concepts(site.overlays)})
    return [{"concept_id": one} for one in ids]


def _scorecard(site: Site, verdict: Verdict | None) -> str:
    """The scorecard's file, written anew where a load was judged."""
    page = site.reports / f"{SCORECARD}.html"
    if verdict is not None:
        write_scorecard(site)
    return page.name if page.is_file() else ""


def _relative(site: Site, verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return "../" + verdict.data_docs.relative_to(site.research).as_posix()
