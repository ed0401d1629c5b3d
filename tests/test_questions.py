"""An answer counts for what the person was shown, and for nothing that came since."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from entrepot.config import Site, SiteConfig
from entrepot.errors import ConfigurationError
from entrepot.questions import (
    ask_sign_off,
    ask_waiver,
    end_sign_off,
    read_sign_off,
    require_same_verdict,
)

pytestmark = pytest.mark.core


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path / "site", SiteConfig())
    for folder in (found.work, found.quality, found.reports):
        folder.mkdir(parents=True)
    return found


def _report(site: Site, release: str, sha256: str) -> None:
    document = {"facts": {"scope": {"release": release}}, "signature": {"sha256": sha256}}
    (site.reports / "dpo.json").write_text(json.dumps(document))
    (site.reports / "dpo.fr.html").write_text(f"rapport {release}")


def test_a_waiver_holds_for_the_verdict_that_was_shown(site: Site) -> None:
    verdict = site.quality / "verdict.json"
    verdict.write_text('{"failures": [1]}')
    ask_waiver(site)
    require_same_verdict(site)
    require_same_verdict(site)  # a busy site is asked again
    verdict.write_text('{"failures": [1, 2]}')
    with pytest.raises(ConfigurationError, match="judged again"):
        require_same_verdict(site)


def test_no_waiver_without_a_question_or_a_verdict(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="no load was judged"):
        ask_waiver(site)
    (site.quality / "verdict.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="judged again"):
        require_same_verdict(site)


def test_the_dpo_signs_the_report_that_was_shown(site: Site) -> None:
    _report(site, "r1", "a" * 64)
    folder = ask_sign_off(site, 24)
    assert folder == f"dpo/{'a' * 16}"
    _report(site, "r2", "b" * 64)
    assert ask_sign_off(site, 24) is None  # one question at a time
    assert (site.reports / folder / "dpo.fr.html").read_text() == "rapport r1"
    assert read_sign_off(site) == {"release": "r1", "sha256": "a" * 64}
    end_sign_off(site)
    assert ask_sign_off(site, 24) == f"dpo/{'b' * 16}"


def test_a_question_that_nobody_answered_gives_way_to_the_next(site: Site) -> None:
    _report(site, "r1", "a" * 64)
    ask_sign_off(site, 24)
    _report(site, "r2", "b" * 64)
    past = time.time() - 25 * 3600
    os.utime(site.work / "dpo_question.json", (past, past))
    assert ask_sign_off(site, 24) == f"dpo/{'b' * 16}"


@pytest.mark.parametrize("content", [None, "", "{}", '{"facts": {}, "signature": {}}'])
def test_without_a_report_there_is_no_question(site: Site, content: str | None) -> None:
    if content is not None:
        (site.reports / "dpo.json").write_text(content)
    with pytest.raises(ConfigurationError, match="entrepot report dpo"):
        ask_sign_off(site, 24)
    with pytest.raises(ConfigurationError, match="asked about no report"):
        read_sign_off(site)
