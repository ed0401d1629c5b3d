"""Three hospitals and a coordinator as processes of their own: from a definition to a forest plot.

Expected numbers are counted in the list of patients that the hospitals were made of.
"""

from __future__ import annotations

import datetime as dt
import math
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

import browser
from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.federation.canonical import canonical, read_canonical
from entrepot.federation.coordinator.database import query as queries
from entrepot.federation.coordinator.database import reading, task, writing
from entrepot.federation.coordinator.log import Act, entries
from entrepot.federation.coordinator.opening import open_bundle
from entrepot.federation.envelopes import read_envelope
from entrepot.federation.pages.desk import desk_page
from entrepot.federation.wire import PROOF, TASKS, prove
from federation.hospitals import (
    ASTHMA,
    DIABETES,
    HYPERTENSION,
    KIDNEY,
    drawn_hospital,
    patients,
    road_hospital,
)
from federation.network import Network, network

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("federation_network")]
ROAD, LOCAL, BELOW = "chu-nord", "ch-ouest", "hopital-sud"
KNOWN = {
    ROAD: patients(60, 30, 20), LOCAL: patients(90, 48, 30), BELOW: patients(75, 36, 30),
}  # fmt: skip
COUNTS: dict[str, Any] = {"kind": "counts", "cohorts": ["hypertension", "kidney"]}
INCIDENCE: dict[str, Any] = {
    "kind": "incidence", "target": "hypertension", "comparator": "diabetes", "outcome": "kidney",
    "interval_days": 91, "intervals": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Site]:
    folder = tmp_path_factory.mktemp("hospitals")
    local = {HYPERTENSION: ("HTA01", HYPERTENSION), DIABETES: ("DT2", DIABETES),
             KIDNEY: ("MRC3", KIDNEY), ASTHMA: ("ASTHME", ASTHMA)}  # fmt: skip
    below = {HYPERTENSION: ("7-401", 4028741), DIABETES: ("7-250", 443732),
             KIDNEY: ("7-585", KIDNEY), ASTHMA: ("7-493", ASTHMA)}  # fmt: skip
    return {
        ROAD: road_hospital(folder / ROAD, KNOWN[ROAD]),
        LOCAL: drawn_hospital(folder / LOCAL, KNOWN[LOCAL], local),
        BELOW: drawn_hospital(folder / BELOW, KNOWN[BELOW], below),
    }


@pytest.fixture(scope="module")
def net(sites: dict[str, Site], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with network(tmp_path_factory.mktemp("network"), sites) as made:
        yield made


def _having(condition: int) -> dict[str, int]:
    return {name: sum(p.condition == condition for p in known) for name, known in KNOWN.items()}


def _answered(states: dict[str, str]) -> bool:
    return set(states.values()) == {"answered"}


def _events(name: str, condition: int) -> tuple[int, float]:
    """Kidney diseases within 182 days, and person-days at risk until then."""
    group = [p for p in KNOWN[name] if p.condition == condition]
    found = [p.kidney for p in group if p.kidney is not None and p.kidney <= 182]
    return len(found), sum(found) + 182.0 * (len(group) - len(found))


def test_the_nodes_are_told_apart_by_their_codes(sites: dict[str, Site]) -> None:
    """One concept set finds the same disease under three code systems."""
    import duckdb

    codes = {}
    for name, site in sites.items():
        with duckdb.connect(str(site.warehouse), read_only=True) as warehouse:
            sql = "SELECT DISTINCT condition_source_value FROM cdm.condition_occurrence"
            codes[name] = {row[0] for row in warehouse.execute(sql).fetchall()}
    assert len(set.union(*codes.values())) == sum(map(len, codes.values())) == 12
    roots = {site.root_key.read_text() for site in sites.values()}
    assert len(roots) == 3


def test_a_study_from_definition_to_forest_plot(net: Network) -> None:
    query = net.ask(INCIDENCE)
    for name in KNOWN:
        net.approve(name, query)
    net.until(query, _answered)
    with net.client() as client:
        opened = open_bundle(client.answers(query), None)
    assert opened.faults == {}
    pooled = opened.outcome.pooled
    assert pooled is not None
    (forest,) = pooled.forests
    assert [one.site for one in forest.effects] == sorted(KNOWN)
    for effect in forest.effects:
        (ill, days), (others, at_risk) = (_events(effect.site, c) for c in (HYPERTENSION, DIABETES))
        assert effect.low is not None
        assert effect.high is not None
        assert effect.low < (ill / days) / (others / at_risk) < effect.high, effect
    assert forest.fixed is not None
    assert forest.fixed.low is not None
    true = [
        _events(name, HYPERTENSION)[0] / _events(name, HYPERTENSION)[1]
        / (_events(name, DIABETES)[0] / _events(name, DIABETES)[1])
        for name in KNOWN
    ]  # fmt: skip
    assert forest.fixed.low < math.prod(true) ** (1 / 3) < (forest.fixed.high or 0)
    for rate, condition in zip(pooled.rates, (HYPERTENSION, DIABETES), strict=True):
        events = sum(_events(name, condition)[0] for name in KNOWN)
        assert rate.events[0] <= events <= rate.events[1]
    _check_page(net, query)


def _check_page(net: Network, query: str) -> None:
    """The coordinator's page has the plot: a square per site, a diamond per model."""
    with net.client() as client:
        page = client._http.get(f"/queries/{query}", headers={"Accept": "text/html"}).text
    assert page.count('class="site"') == 3
    assert page.count('class="pooled"') == 2
    assert all(name in page for name in KNOWN)


def test_counts_of_three_hospitals_hold_the_true_sum(net: Network) -> None:
    query = net.ask(COUNTS)  # the stewards let counts pass
    net.until(query, _answered)
    with net.client() as client:
        opened = open_bundle(client.answers(query), None)
    assert opened.outcome.pooled is not None
    row = opened.outcome.pooled.counts[0]
    assert row.low <= sum(_having(HYPERTENSION).values()) <= row.high
    for name, one in opened.outcome.each:
        assert one.counts[0].low <= _having(HYPERTENSION)[name] <= one.counts[0].high


def test_sealed_answers_go_to_the_researcher_alone(net: Network) -> None:
    from entrepot.federation.keys import read_sealing_key

    query = net.ask({"kind": "counts", "cohorts": ["diabetes"]}, delivery="sealed")
    net.until(query, _answered)
    with net.client() as client:
        carried = client.answers(query)
    assert '"count"' not in str(carried["answers"])
    opened = open_bundle(carried, read_sealing_key(net.keys / "answers.pem"))
    assert opened.outcome.pooled is not None
    row = opened.outcome.pooled.counts[0]
    assert row.low <= sum(_having(DIABETES).values()) <= row.high


def test_a_regression_goes_round_by_round_over_masked_sums(net: Network) -> None:
    """Each stratum of the reference is a hospital: no baseline hazard is shared."""
    from lifelines import CoxPHFitter

    analysis = {"kind": "cox", "target": "hypertension", "comparator": "diabetes",
                "outcome": "kidney", "horizon_days": 182, "age": False, "sex": False}  # fmt: skip
    query = net.ask(analysis)
    for name in KNOWN:
        net.approve(name, query)
    with net.client() as client:
        end = time.monotonic() + 120
        found = None
        while found is None or found.state == "running":
            assert time.monotonic() < end, f"{found}: {net.told()}"
            time.sleep(0.5)
            pooled = open_bundle(client.answers(query), None).outcome.pooled
            found = pooled.regression if pooled else None
    assert found.state == "done", (found.rounds, net.told())
    assert found.rounds > 1
    frame = pd.DataFrame(
        [
            {"days": min(p.kidney or 182, 182), "ill": (p.kidney or 999) <= 182, "site": name,
             "group": int(p.condition == HYPERTENSION)}
            for name, known in KNOWN.items() for p in known if p.condition != ASTHMA
        ]
    )  # fmt: skip
    fitted = CoxPHFitter().fit(frame, "days", "ill", strata=["site"])
    true = float(fitted.params_["group"])
    (one,) = found.coefficients
    # Four errors: what each node adds to its share is drawn by its secret, new in every test.
    assert abs(one.estimate - true) < 4 * one.error, (one, true)
    assert one.error < 1, "something is told"


def test_a_refusal_is_shown_with_its_code(net: Network) -> None:
    query = net.ask({**INCIDENCE, "intervals": 1})
    net.awaits(BELOW, query)
    net.decide(BELOW, query, "not_feasible")
    states = net.until(query, lambda found: found[BELOW] == "refused")
    assert states[ROAD] in {"awaiting_steward", "received", "queued"}
    with net.client() as client:
        codes = {one["node"]: one["code"] for one in client.states(query)["states"]}
    assert codes[BELOW] == "not_feasible"


def test_without_the_networks_certificate_there_is_no_connection(net: Network) -> None:
    """T3: TLS itself turns away who has no certificate, and one of another authority."""
    from entrepot.federation.coordinator.authority import create_request, issue_node
    from entrepot.federation.coordinator.making import make

    other = make(net.folder / "other", "autre", ["localhost"], dt.datetime.now(dt.UTC))
    request = create_request(ROAD, net.folder / "forged.key")
    forged = net.folder / "forged.crt"
    forged.write_bytes(issue_node(other.folder, ROAD, request, dt.datetime.now(dt.UTC)))
    signing = net.sites[ROAD].identifying / "node" / "sign.pem"
    for files in (None, (forged, net.folder / "forged.key")):
        context = ssl.create_default_context(cafile=str(net.hub.folder / "ca.pem"))
        if files:
            context.load_cert_chain(*map(str, files))
        proof = prove(signing, ROAD, "GET", TASKS)
        with pytest.raises(httpx.HTTPError), httpx.Client(verify=context) as client:
            client.get(net.served.nodes + TASKS, headers={PROOF: proof})


def test_a_lowered_threshold_is_refused_and_logged(net: Network) -> None:
    with pytest.raises(EntrepotError, match="threshold_lowered"):
        net.ask(COUNTS, minimum_cell=5)
    with reading(net.hub.engine) as connection:
        logged = [one["code"] for one in entries(connection) if one["act"] == Act.QUERY_REFUSED]
    assert logged[-1] == "threshold_lowered"  # nodes write their own acts at any moment


def test_a_killed_node_is_missing_and_refuses_forgeries_when_it_is_back(net: Network) -> None:
    """T14 and T1, T2: the others answer; tampered, unsigned and replayed questions run nowhere."""
    done = net.ask({"kind": "counts", "cohorts": ["kidney"]})
    net.until(done, _answered)
    net.kill(LOCAL)
    alone = net.ask({"kind": "counts", "cohorts": ["kidney", "diabetes"]})
    net.until(alone, lambda found: found[LOCAL] == "queued" != found[ROAD])
    forged = _forge(net)
    with writing(net.hub.engine) as connection:  # a replay
        here = (task.c.query == done, task.c.node == LOCAL)
        connection.execute(task.update().where(*here).values(state="queued", given=None))
    net.run(LOCAL)
    net.until(alone, _answered)
    for id_, code in forged.items():
        with net.client() as client:
            rows = {one["node"]: one for one in client.states(id_)["states"]}
        assert (rows[LOCAL]["state"], rows[LOCAL]["code"]) == ("refused", code)
    refused = [one["code"] for one in net.audit(LOCAL) if one["action"] == "query_refused"]
    assert set(refused) >= {"signature_wrong", "unsigned", "replayed"}
    released = [one["query"] for one in net.audit(LOCAL) if one["action"] == "answer_released"]
    assert released.count(done) == 1, "a replay runs nothing"


def _forge(net: Network) -> dict[str, str]:
    """What a dishonest coordinator hands out: a changed question, and one not counter-signed."""
    changed = net.ask({"kind": "counts", "cohorts": ["hypertension"]}, audience=(LOCAL,))
    bare = net.ask({"kind": "counts", "cohorts": ["diabetes"]}, audience=(LOCAL,))
    with writing(net.hub.engine) as connection:
        for id_ in (changed, bare):
            here = queries.c.id == id_
            text = connection.scalar(
                queries.select().with_only_columns(queries.c.envelope).where(here)
            )
            stated = read_canonical(str(text).encode())
            if id_ == changed:
                stated["body"]["analysis"]["cohorts"] = ["hypertension", "diabetes"]
            else:
                stated["signatures"] = stated["signatures"][:1]
            spelt = canonical(stated).decode()
            assert read_envelope(spelt).signatures
            connection.execute(queries.update().where(here).values(envelope=spelt))
    return {bare: "unsigned"}


@pytest.mark.skipif(not browser.wanted_screenshots(), reason="made with ENTREPOT_SCREENSHOTS=1")
def test_image_of_results(net: Network, tmp_path: Path) -> None:
    query = net.ask({**INCIDENCE, "kind": "survival"}, days=20)
    for name in KNOWN:
        net.approve(name, query)
    net.until(query, _answered)
    with net.client() as client:
        opened = open_bundle(client.answers(query), None)
    file = tmp_path / "results.html"
    file.write_text(desk_page(opened, "fr"))
    seen = browser.Seen()
    with browser.page(seen) as page:
        page.goto(file.as_uri())
        images = Path(__file__).parents[2] / "docs" / "images"
        browser.screenshot(page, images / "federation_results.png")
    assert seen == browser.Seen(), "the page stands alone"
