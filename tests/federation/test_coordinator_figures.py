"""Figures drawn: what can be measured in the SVG is what was told."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from entrepot.federation.pages import plots
from entrepot.federation.pages.explaining import laid_out
from entrepot.federation.pages.wording import LANGUAGES, wording

pytestmark = pytest.mark.core
EN = wording("en")


def _svg(figure: str) -> ET.Element:
    return ET.fromstring(  # noqa: S314 - our own figure
        re.sub(r"^<figure>|</figure>$", "", figure).replace("&nbsp;", " ")
    )


def _floats(element: ET.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def test_bars_are_as_long_as_their_bounds() -> None:
    rows = [plots.Bounded("a", 100, 150), plots.Bounded("b", 50, 50), plots.Bounded("c", 0, 10)]
    drawn = _svg(plots.interval_bars(EN, "t", rows)).iter("rect")
    bars = [_floats(one, "width")[0] for one in drawn if one.find("title") is not None]
    full_a, maybe_a, full_b, maybe_c = bars
    assert maybe_a / full_a == pytest.approx(0.5, abs=0.01)
    assert full_b / full_a == pytest.approx(0.5, abs=0.01)
    assert maybe_c / full_a == pytest.approx(0.1, abs=0.01)


def test_no_answer_is_no_bar_and_is_said() -> None:
    svg = _svg(plots.interval_bars(EN, "t", [plots.Bounded("a", None, None)]))
    assert [one for one in svg.iter("rect") if one.find("title") is not None] == []
    assert "no answer" in "".join(svg.itertext())


def test_a_forest_stands_on_a_logarithmic_axis() -> None:
    effects = [plots.Effect("a", 0.5, 0.5, 0.5, 0.5), plots.Effect("b", 1.0, 1.0, 1.0, 0.5),
               plots.Effect("c", 2.0, 2.0, 2.0, 0.5), plots.Effect("d", None),
               plots.Effect("all", 1.0, 0.5, 2.0, pooled=True)]  # fmt: skip
    svg = _svg(plots.forest(EN, "t", effects))
    squares = [one for one in svg.iter("rect") if one.get("class") == "site"]
    left, middle, right = (sum(_floats(one, "x", "width")) - _floats(one, "width")[0] / 2
                           for one in squares)  # fmt: skip
    assert middle - left == pytest.approx(right - middle, abs=0.3), "halving as far as doubling"
    (diamond,) = (one for one in svg.iter("polygon"))
    points = [float(pair.split(",")[0]) for pair in diamond.attrib["points"].split()]
    assert min(points) == pytest.approx(left, abs=0.3)
    assert max(points) == pytest.approx(right, abs=0.3)


def test_a_curve_is_steps_between_its_bounds() -> None:
    curve = plots.Curve("g", ((0, 1.0, 1.0, 1.0), (91, 0.7, 0.9, 0.8), (182, 0.4, 0.6, 0.5)))
    svg = _svg(plots.curves(EN, "t", [curve], "days"))
    (line,) = svg.iter("polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert all(x1 == x2 or y1 == y2 for (x1, y1), (x2, y2) in itertools.pairwise(points))
    top, bottom = points[0][1], points[-1][1]
    assert (bottom - top) / 300 == pytest.approx(0.5, abs=0.01)


def test_a_difference_that_may_be_either_way_crosses_zero() -> None:
    svg = _svg(plots.balance(EN, "t", [("age", -0.1, 0.3), ("sex", None, None)]))
    assert "sex" not in "".join(svg.itertext())
    thick = [one for one in svg.iter("line") if one.get("stroke-width") == "3"]
    assert len(thick) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_a_label_is_escaped(language: str) -> None:
    said = wording(language)
    evil = "<script>alert(1)</script>"
    figure = plots.interval_bars(said, evil, [plots.Bounded(evil, 1, 2)])
    assert "<script" not in figure
    assert "<script" not in laid_out(f"## {evil}\n- {evil}\n{evil}")


def test_both_languages_say_the_same_things() -> None:
    def keys(value: object, path: str = "") -> set[str]:
        if not isinstance(value, dict):
            return {path}
        return {one for name, inner in value.items() for one in keys(inner, f"{path}.{name}")}

    assert keys(wording("fr").texts) == keys(wording("en").texts)


def test_counts_are_written_as_the_language_does() -> None:
    fr = wording("fr")
    assert fr.count(1234, 1234) == "1\u202f234"
    assert EN.count(1234, 1234) == "1,234"
    assert EN.count(0, 10) == "<\u00a011"
    assert fr.effect(0.5, 0.25, 1.0) == "0,5 [0,25; 1]"
    assert EN.decimal(-0.001, 2) == "0"
