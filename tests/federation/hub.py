"""A coordinator with three enrolled nodes and one study, for tests: the real application and keys.

The nodes here are keys alone: what a node says is signed with them by hand, true or forged.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from starlette.testclient import TestClient

from entrepot.federation.analyses import ANALYSIS, shapes
from entrepot.federation.analyses.answers import figure_keys
from entrepot.federation.cards import CardResearcher, CardSite, Decision, LegalBasis, StudyCard
from entrepot.federation.coordinator.authority import create_request
from entrepot.federation.coordinator.database import reading
from entrepot.federation.coordinator.log import entries
from entrepot.federation.coordinator.making import make
from entrepot.federation.coordinator.node_api import node_api
from entrepot.federation.coordinator.registry import add_card, enrol
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.coordinator.transport import WithCertificate
from entrepot.federation.envelopes import (
    AnswerEnvelope,
    Envelope,
    LogHead,
    Notice,
    Query,
    countersigned,
    signed,
)
from entrepot.federation.keys import create_sealing_key, read_sealing_key, seal
from entrepot.federation.wire import NOTICES, PROOF, RESULTS, TASKS, prove
from entrepot.people import create_key, public_half

NODES = ("ch-ouest", "chu-nord", "hopital-sud")
RESEARCHER = "m.vigne"
# Circe: everybody with a condition of concept set 0 (316866, hypertensive disorder).
DEFINITION: dict[str, Any] = {
    "ConceptSets": [{"id": 0, "name": "hypertension", "expression": {"items": [
        {"concept": {"CONCEPT_ID": 316866, "CONCEPT_NAME": "Hypertensive disorder",
                     "CONCEPT_CODE": "38341003", "VOCABULARY_ID": "SNOMED",
                     "DOMAIN_ID": "Condition", "CONCEPT_CLASS_ID": "Disorder",
                     "STANDARD_CONCEPT": "S", "INVALID_REASON": "V",
                     "STANDARD_CONCEPT_CAPTION": "Standard", "INVALID_REASON_CAPTION": "Valid"},
         "isExcluded": False, "includeDescendants": True, "includeMapped": False}]}}],
    "PrimaryCriteria": {
        "CriteriaList": [{"ConditionOccurrence": {"CodesetId": 0}}],
        "ObservationWindow": {"PriorDays": 0, "PostDays": 0},
        "PrimaryCriteriaLimit": {"Type": "First"},
    },
    "QualifiedLimit": {"Type": "First"}, "ExpressionLimit": {"Type": "First"},
    "InclusionRules": [], "CensoringCriteria": [],
    "CollapseSettings": {"CollapseType": "ERA", "EraPad": 0}, "CensorWindow": {},
}  # fmt: skip
COUNTS: dict[str, Any] = {"kind": "counts", "cohorts": ["cases"]}


@dataclass
class Hub:
    """Everything of one network.

    Args:
        keys: folder of private keys, one file per node, researcher and answers.
        clients: by node, over its certificate.
    """

    coordinator: Coordinator
    keys: Path
    card: StudyCard
    clients: dict[str, TestClient]
    certificates: dict[str, bytes] = field(default_factory=dict)

    def query(self, **changed: Any) -> Query:
        """A question of the study, valid now."""
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        stated: dict[str, Any] = {
            "study": self.card.study, "card": self.card.sha256, "researcher": RESEARCHER,
            "cohorts": {"cases": DEFINITION}, "compiler": "test", "analysis": COUNTS,
            "audience": NODES, "nonce": secrets.token_hex(16),
            "not_before": now - dt.timedelta(minutes=1), "not_after": now + dt.timedelta(days=7),
            "delivery": "pooled", "answers_to": self.answers_to,
        }  # fmt: skip
        return Query.model_validate({**stated, **changed})

    @property
    def answers_to(self) -> str:
        return read_sealing_key(self.keys / "answers.pem").public_key().public_bytes_raw().hex()

    def signed(self, query: Query) -> Envelope:
        return signed(query, "researcher", self.keys / "researcher.pem")

    def call(
        self, node: str, method: Literal["GET", "POST"], path: str, body: bytes = b"",
        proof: str = "",
    ) -> Any:  # fmt: skip
        """One request of a node."""
        shown = proof or prove(self.keys / f"{node}.pem", node, method, path, body)
        return self.clients[node].request(method, path, content=body, headers={PROOF: shown})

    def tasks(self, node: str) -> list[dict[str, Any]]:
        found = self.call(node, "GET", TASKS)
        assert found.status_code == 200, found.text
        tasks: list[dict[str, Any]] = found.json()["tasks"]
        return tasks

    def bring(self, node: str, path: str, text: str) -> Any:
        return self.call(node, "POST", path, json.dumps({"envelope": text}).encode())

    def answer(self, node: str, query: Query, id_: str, **changed: Any) -> AnswerEnvelope:
        """A sound answer of a node, unless something is changed."""
        stated: dict[str, Any] = {
            "node": node, "study": query.study, "query": id_, "release": "20261101T000000".lower(),
            "vocabulary": "1" * 64, "register": "2" * 64, "excluded": "<11", "policy": "3" * 64,
            "compiler": query.compiler, "previous": "0" * 64, "log_head": "4" * 64,
            "payload": payload(query.analysis, 40), "at": dt.datetime.now(dt.UTC),
        }  # fmt: skip
        stated["release"] = "20261101"
        return AnswerEnvelope.model_validate({**stated, **changed})

    def send_answer(self, node: str, body: AnswerEnvelope, signer: str = "") -> Any:
        text = signed(body, "node", self.keys / f"{signer or node}.pem").text()
        return self.bring(node, RESULTS, text)

    def notice(self, node: str, id_: str, state: str, code: str | None = None) -> Any:
        body = Notice.model_validate(
            {
                "node": node,
                "query": id_,
                "state": state,
                "code": code,
                "at": dt.datetime.now(dt.UTC),
            }
        )
        return self.bring(node, NOTICES, signed(body, "node", self.keys / f"{node}.pem").text())

    def head(self, node: str, sequence: int, mac: str) -> Any:
        body = LogHead(node=node, sequence=sequence, mac=mac, at=dt.datetime.now(dt.UTC))
        return self.bring(node, NOTICES, signed(body, "node", self.keys / f"{node}.pem").text())

    def log(self) -> list[dict[str, Any]]:
        with reading(self.coordinator.engine) as connection:
            return list(entries(connection))

    def refusals(self) -> list[str]:
        """Codes of what was refused, in order."""
        return [one["code"] for one in self.log() if one["act"].endswith("_refused")]

    def sealed(self, node: str, query: Query, id_: str, count: int) -> AnswerEnvelope:
        """An answer for the researcher's eyes alone."""
        from entrepot.federation.canonical import canonical

        plain = self.answer(node, query, id_)
        text = canonical(payload(query.analysis, count))
        hidden = seal(text, query.answers_to, plain.context())
        return plain.model_copy(update={"payload": None, "sealed": hidden})


def make_hub(folder: Path, now: dt.datetime, **settings: Any) -> Hub:
    """A coordinator's folder with three nodes enrolled and a study taken up."""
    coordinator = make(folder / "hub", "ouest", ["localhost", "127.0.0.1"], now, **settings)
    at_once = coordinator.settings.model_copy(update={"again_seconds": 0})
    coordinator = replace(coordinator, settings=at_once)
    keys = folder / "keys"
    keys.mkdir()
    public = {node: create_key(keys / f"{node}.pem") for node in NODES}
    researcher = create_key(keys / "researcher.pem")
    create_sealing_key(keys / "answers.pem")
    certificates = {}
    for node in NODES:
        request = create_request(node, keys / f"{node}.tls.pem")
        certificates[node] = enrol(coordinator, node, public[node], request, now)
        (keys / f"{node}.crt").write_bytes(certificates[node])
    card = study_card(public, researcher, now)
    add_card(coordinator, card, now)
    app = node_api(coordinator)
    clients = {
        node: TestClient(
            WithCertificate(app, ssl.PEM_cert_to_DER_cert(certificates[node].decode())),
            raise_server_exceptions=False,
        )
        for node in NODES
    }
    return Hub(coordinator, keys, card, clients, certificates)


def study_card(public: Mapping[str, str], researcher: str, now: dt.datetime) -> StudyCard:
    """A card that allows everything to one researcher, for a year."""
    return StudyCard(
        study="hta_2026", title="Hypertension artérielle en Bretagne",
        legal_basis=LegalBasis(kind="MR-004", reference="MR4-2026-117"),
        decision=Decision(
            committee="CESREES", reference="2026-0412", decided_on=now.date() - dt.timedelta(30)
        ),
        starts_on=now.date() - dt.timedelta(7), ends_on=now.date() + dt.timedelta(365),
        researchers=(CardResearcher(name=RESEARCHER, key=researcher),),
        sites=tuple(
            CardSite(node=node, key=public[node], masking_key=f"{number + 1:064x}")
            for number, node in enumerate(NODES)
        ),
        analyses=("counts", "attrition", "characterisation", "survival", "stratified", "cox"),
        tables=("condition_occurrence",), deliveries=("pooled", "sealed"),
    )  # fmt: skip


def payload(analysis: Mapping[str, Any], count: int | None) -> dict[str, Any]:
    """An answer whose every inner cell is `count`, and whose sums are what they make."""
    asked = ANALYSIS.validate_python(dict(analysis))
    tables = []
    for shape in shapes(asked):
        inner = set(shape.inner())
        sums = dict.fromkeys(figure_keys(shape), inner)
        for key, of in shape.unions:
            sums[key] = set(of)
        cells = []
        for key in figure_keys(shape):
            of = {key} if key in inner else _summed(key, sums[key])
            shown = None if count is None else count * len(of)
            cells.append({"key": list(key), "count": shown})
        tables.append({"name": shape.name, "dimensions": list(shape.dimensions), "cells": cells})
    return {"kind": asked.kind, "threshold": 11, "base": 5, "tables": tables}


def _summed(key: Sequence[str], of: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    if "*" not in key:
        return of
    return {one for one in of if all(a in {"*", b} for a, b in zip(key, one, strict=True))}


__all__ = ["COUNTS", "DEFINITION", "NODES", "Hub", "countersigned", "make_hub", "payload",
           "public_half"]  # fmt: skip
