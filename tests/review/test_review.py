"""A review from the sample to the report, on a published release."""

from __future__ import annotations

import shutil
import stat
import urllib.error
import urllib.request

import pytest

from entrepot.audit import read_entries
from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.keys import site_keyring
from entrepot.review.drawing import draw
from entrepot.review.report import report
from entrepot.review.sample import Mark, Sample, folder, load_reading
from entrepot.review.session import Session
from review.letters import LETTERS, READERS
from review.reading import notes, served

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("reidentification")]


def test_a_sample_holds_no_text_and_is_drawn_again_by_its_seed(site: Site) -> None:
    first = draw(site, 6, seed="a")
    place = folder(site, first.review)
    assert stat.S_IMODE(place.stat().st_mode) == stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert "bronchite" not in (place / "sample.json").read_text()
    with pytest.raises(ConfigurationError, match="already"):
        draw(site, 6, seed="a")
    shutil.rmtree(place)
    assert draw(site, 6, seed="a").documents == first.documents
    assert draw(site, 6, seed="b").documents != first.documents
    with pytest.raises(ConfigurationError, match="not the published one"):
        draw(site, 6, expected="0" * 12)


def test_documents_without_any_detection_are_a_stratum_of_their_own(site: Site) -> None:
    sample = draw(site, 6)
    apart = [n for n, stratum in enumerate(sample.strata) if stratum.detection == "none"]
    bare = {i for i, text in notes(site).items() if "[" not in text}
    assert len(apart) == 1
    assert sample.strata[apart[0]].population == len(bare) == 2
    drawn = {one.note_id for one in sample.documents if one.stratum == apart[0]}
    assert drawn
    assert drawn <= bare
    assert sum(stratum.population for stratum in sample.strata) == len(notes(site))
    assert len({stratum.key for stratum in sample.strata}) == len(sample.strata) > 2


def _ask(url: str, **headers: str) -> int:
    data = headers.pop("data", None)
    asked = urllib.request.Request(url, data=data.encode() if data else None, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(asked) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_who_has_not_the_address_sees_and_writes_nothing(site: Site) -> None:
    sample = draw(site, LETTERS)
    with served(site, sample, READERS[0]) as server:
        base = f"http://127.0.0.1:{server.server_port}"
        assert server.server_address[0] == "127.0.0.1"
        assert _ask(server.url + "state") == 200
        for path in ("/", "/state", "/x/state", f"/{server.token[:-1]}/state", f"/{server.token}"):
            assert _ask(base + path) == 404
        assert _ask(server.url + "../sample.json") == 404
        assert _ask(server.url + "state", Host="evil.example") == 404, "a name that was rebound"
        post = {"data": "[]", "Content-Type": "application/json"}
        assert _ask(server.url + "document/0", **post) == 403
        assert _ask(server.url + "document/0", **post, Origin="http://evil.example") == 403
        post["Content-Type"] = "text/plain"
        assert _ask(server.url + "document/0", **post, Origin=base) == 403
        post["Content-Type"] = "application/json"
        for marks in ('[{"kind":"missed","start":0,"end":9999999,"label":"NOM"}]', "{", '"x"',
                      '[{"kind":"over","start":0,"end":3,"label":"NOM"}]',
                      '[{"kind":"missed","start":0,"end":3,"label":"AUTRE"}]'):  # fmt: skip
            assert _ask(server.url + "document/0", **{**post, "data": marks}, Origin=base) == 422
        assert _ask(server.url + "document/99", **post, Origin=base) == 422
        assert _ask(server.url + "document/0", **post, Origin=base) == 200
    assert len(load_reading(folder(site, sample.review), sample.review, READERS[0]).documents) == 1


def test_reading_is_logged_before_it_begins_and_needs_the_profile(site: Site) -> None:
    sample, keyring = draw(site, 6), site_keyring(site)
    with pytest.raises(ConfigurationError, match="nobody of this name"):
        served(site, sample, "lea.nguyen").__enter__()
    with served(site, sample, READERS[0]):
        last = list(read_entries(site, keyring))[-1]
    assert (last.action, last.facts["record"]) == ("content_read", f"review {sample.review}")
    with pytest.raises(ConfigurationError, match="nobody has read"):
        report(site, keyring, sample.review)


def _save(site: Site, sample: Sample, reader: str, marks: dict[int, list[Mark]]) -> None:
    """Reads the whole sample; marks by the place of the document."""
    session = Session(site, folder(site, sample.review), reader)
    for place in range(len(sample.documents)):
        assert session.save(place, marks.get(place, []))


def test_where_readers_differ_somebody_decides(site: Site) -> None:
    sample = draw(site, LETTERS)
    mark = Mark(kind="missed", start=0, end=6, label="NOM")
    _save(site, sample, READERS[0], {2: [mark], 5: [mark]})
    _save(site, sample, READERS[1], {5: [mark]})
    result, _ = report(site, site_keyring(site), sample.review)
    assert (result.leaking_documents, result.adjudicated) == (2, 0), "the union is the careful one"
    session = Session(site, folder(site, sample.review), READERS[1], adjudicate=True)
    assert len(session.documents) == 1
    assert session.document(0).marks == [mark.model_dump()]
    assert session.save(0, [])
    result, _ = report(site, site_keyring(site), sample.review)
    assert (result.leaking_documents, result.adjudicated) == (1, 1)
    assert result.agreement[0].disagreements == 1, "they did differ"
