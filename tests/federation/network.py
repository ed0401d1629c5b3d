"""A network for tests: three hospitals and a coordinator, each a process of its own.

Hospitals are set up in this process, with the functions that the verbs call; what runs, runs as
`entrepot node run` and `entrepot coordinator serve`, over HTTPS with a certificate on both sides.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

from entrepot.audit.log import read_entries
from entrepot.config import CONFIG_NAME, Site
from entrepot.durable import create_private
from entrepot.federation.cards import CardResearcher, CardSite, Decision, LegalBasis, StudyCard
from entrepot.federation.coordinator.authority import create_request
from entrepot.federation.coordinator.client import Client
from entrepot.federation.coordinator.desk import Asking, signed_question
from entrepot.federation.coordinator.making import make
from entrepot.federation.coordinator.registry import add_card, enrol
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.node.approving import decide, decision, listing
from entrepot.federation.node.opened import open_node
from entrepot.federation.node.papers import Mode, accept
from entrepot.federation.node.place import create_place
from entrepot.federation.node.policies import FILE, approve, propose
from entrepot.federation.node.states import State
from entrepot.keys import site_keyring
from entrepot.people import create_key, public_half, sign
from entrepot.resources import data_file
from federation.hospitals import DIABETES, HYPERTENSION, KIDNEY, cohort
from federation.served import ENTREPOT, Serving, serving, start

STEWARD, DPO, RESEARCHER = "marc.roy", "claire.vigne", "lea.nguyen"
COHORTS = {"hypertension": HYPERTENSION, "diabetes": DIABETES, "kidney": KIDNEY}
_PATIENCE = 90.0  # seconds: machines of tests are shared


@dataclass
class Network:
    """Everything of it.

    Args:
        sites: by the name of the node.
        running: processes of the nodes.
    """

    folder: Path
    hub: Coordinator
    sites: dict[str, Site]
    served: Serving
    card: StudyCard
    running: dict[str, Popen[str]] = field(default_factory=dict)

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def client(self) -> Client:
        """The researcher at the coordinator, by HTTPS."""
        ca = self.hub.folder / "ca.pem"
        return Client(self.served.pages, ca, self.keys / "researcher.pem")

    def ask(self, analysis: dict[str, Any], **changed: Any) -> str:
        """Signs a question and sends it; returns its id."""
        asking = Asking.model_validate(
            {
                "study": self.card.study, "analysis": analysis, "delivery": "pooled",
                "cohorts": {name: cohort(concept) for name, concept in COHORTS.items()},
                **changed,
            }
        )  # fmt: skip
        key, reader = self.keys / "researcher.pem", self.keys / "answers.pem"
        with self.client() as client:
            now = dt.datetime.now(dt.UTC)
            envelope = signed_question(client.cards(), asking, key, reader, now)
            return client.submit(envelope.text())

    def states(self, query: str) -> dict[str, str]:
        with self.client() as client:
            return {one["node"]: one["state"] for one in client.states(query)["states"]}

    def until(self, query: str, wanted: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """The states of a question as soon as they are as wanted."""
        end = time.monotonic() + _PATIENCE
        with self.client() as client:
            while True:
                rows = client.states(query)["states"]
                found = {one["node"]: one["state"] for one in rows}
                if wanted(found):
                    return found
                assert time.monotonic() < end, f"still {found}: {self.told()}"
                time.sleep(1)

    def decide(self, node: str, query: str, code: str = "") -> None:
        """The steward of a node approves, or refuses with a code."""
        key = self.keys / f"{node}.{STEWARD}.pem"
        with open_node(self.sites[node]) as opened:
            asked = next(one for one in listing(opened) if one.query == query)
            stated = decision(query, not code, code, asked.state)
            decide(opened, query, STEWARD, not code, code, sign(key, stated))

    def approve(self, node: str, query: str) -> None:
        """The steward approves as soon as the question is there."""
        self.awaits(node, query)
        self.decide(node, query)

    def awaits(self, node: str, query: str) -> None:
        """Returns when the question waits for the node's steward."""
        end = time.monotonic() + _PATIENCE
        while True:
            with open_node(self.sites[node]) as opened:
                found = {one.query: one.state for one in listing(opened)}
            if found.get(query) is State.AWAITING_STEWARD:
                return
            assert time.monotonic() < end, f"{found}: {self.told()}"
            time.sleep(0.3)

    def run(self, node: str) -> None:
        """Starts a node's process."""
        site = str(self.sites[node].root)
        self.running[node] = start([*ENTREPOT, "node", "run", "--site", site])

    def kill(self, node: str) -> None:
        """As a power cut does."""
        process = self.running.pop(node)
        process.kill()
        process.communicate(timeout=30)

    def audit(self, node: str) -> list[dict[str, Any]]:
        """The node's own log: action and facts."""
        site = self.sites[node]
        entries = read_entries(site, site_keyring(site))
        return [{"action": str(one.action), **one.facts} for one in entries]

    def told(self) -> str:
        """What processes that ended said."""
        said = [
            (name, one.communicate()[1][-800:])
            for name, one in self.running.items()
            if one.poll() is not None
        ]
        return str(said)


@contextmanager
def network(folder: Path, sites: dict[str, Site], **card: Any) -> Iterator[Network]:
    """Keys, certificates, a study that every steward accepted, and every process started."""
    now = dt.datetime.now(dt.UTC)
    hub = make(folder / "hub", "ouest", ["localhost", "127.0.0.1"], now, ports=(0, 0))
    keys = folder / "keys"
    keys.mkdir()
    create_key(keys / "researcher.pem")
    with serving(hub.folder) as served:
        sites = {name: _configured(hub, served, keys, name, site) for name, site in sites.items()}
        stated = study_card(sites, public_half(keys / "researcher.pem"), now, **card)
        add_card(hub, stated, now)
        for name, site in sites.items():
            _accepted(site, stated, keys, name)
        made = Network(folder, hub, sites, served, stated)
        try:
            for name in sites:
                made.run(name)
            yield made
        finally:
            for process in made.running.values():
                process.terminate()
            for process in made.running.values():
                process.communicate(timeout=60)


def study_card(
    sites: dict[str, Site], researcher: str, now: dt.datetime, **changed: Any
) -> StudyCard:
    """A study of these sites."""
    places = {name: create_place(site).public_keys() for name, site in sites.items()}
    stated: dict[str, Any] = {
        "study": "MRC-2026", "title": "Maladie rénale chronique : hypertension ou diabète",
        "legal_basis": LegalBasis(kind="MR-004", reference="MR4-2026-117"),
        "decision": Decision(
            committee="CESREES", reference="2026-0412", decided_on=now.date() - dt.timedelta(30)
        ),
        "starts_on": now.date() - dt.timedelta(7), "ends_on": now.date() + dt.timedelta(365),
        "researchers": (CardResearcher(name=RESEARCHER, key=researcher),),
        "sites": tuple(
            CardSite(node=name, key=key, masking_key=masking)
            for name, (key, masking) in places.items()
        ),
        "analyses": ("counts", "incidence", "survival", "characterisation", "cox"),
        "tables": ("condition_occurrence",), "deliveries": ("sealed", "pooled"),
        **changed,
    }  # fmt: skip
    return StudyCard(**stated)


def _configured(hub: Coordinator, served: Serving, keys: Path, name: str, site: Site) -> Site:
    """The site as a node: its section in site.yaml, its keys, its certificate, its policy."""
    people = {one: create_key(keys / f"{name}.{one}.pem") for one in (STEWARD, DPO)}
    path = site.root / CONFIG_NAME
    private = "identifying/node"
    path.write_text(
        f"{path.read_text()}\nfederation:\n  node: {name}\n  coordinator: {served.nodes}\n"
        f"  coordinator_keys: [{hub.public_key}]\n  certificate: {private}/tls.crt\n"
        f"  certificate_key: {private}/tls.key\n  authority: {hub.folder / 'ca.pem'}\n"
        "  poll_seconds: 1\npeople:\n"
        f"  {STEWARD}: {{profiles: [steward], public_key: {people[STEWARD]}}}\n"
        f"  {DPO}: {{profiles: [dpo], public_key: {people[DPO]}}}\n"
    )
    site = Site.open(site.root)
    _with_secret(site, name)
    place = create_place(site)
    request = create_request(name, place.folder / "tls.key")
    certificate = enrol(hub, name, place.public_keys()[0], request, dt.datetime.now(dt.UTC))
    (place.folder / "tls.crt").write_bytes(certificate)
    _without_slots(site, keys, name)
    return site


def _with_secret(site: Site, name: str) -> None:
    """A node's secret decides how it rounds, and so which cells it withholds: after the questions
    of these tests one secret in five or so withholds what the regression needs. These do not.
    """
    folder = site.identifying / "node"
    folder.mkdir(mode=0o700, parents=True)
    create_private(folder / "secret.key", hashlib.sha256(name.encode()).hexdigest() + "\n")


def _without_slots(site: Site, keys: Path, name: str) -> None:
    """Answers leave when they are made: two persons agree to that, as to any other policy."""
    shipped = data_file("quality/federation/policy.yaml").read_text()
    changed = shipped.replace("slot_seconds: 60", "slot_seconds: 0")
    assert changed != shipped
    path = site.root / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(changed)
    with open_node(site) as node:
        sha256 = propose(node, path, STEWARD, keys / f"{name}.{STEWARD}.pem")
        approve(node, sha256, DPO, keys / f"{name}.{DPO}.pem")


def _accepted(site: Site, card: StudyCard, keys: Path, name: str) -> None:
    mode: Mode = "counts"
    with open_node(site) as node:
        accept(node, card, mode, STEWARD, keys / f"{name}.{STEWARD}.pem")
