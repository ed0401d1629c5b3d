"""Data Docs that open without network: GX's pages cut loose from their CDNs, and an entry page.

GX's templates load Bootstrap, jQuery, Vega, fonts and a logo from six hosts. In a hospital these
do not load, and a page of the research zone must not call out; so they are taken out and a few
rules of style take their place.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment

_CUT = (
    re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<(?:link|img)\b[^>]*>", re.IGNORECASE),
    re.compile(r"\son[a-z]+=\"[^\"]*\"", re.IGNORECASE),
    re.compile(r"url\(\s*[\"']?(?:https?:)?//[^)]*\)", re.IGNORECASE),
)
_OUTWARD = re.compile(r"<a\b[^>]*href=[\"']?https?:[^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE)
_STYLE = """<style>
body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem auto;max-width:72rem;padding:0 1rem;
color:#222}
table{border-collapse:collapse;margin:.8rem 0;width:100%}
td,th{border:1px solid #ccc;padding:.3rem .5rem;text-align:left;vertical-align:top}
thead[hidden],.modal,.btn-group,#ge-cta-footer,.cooltip .top{display:none}
nav ul,nav ol{list-style:none;padding-left:0}nav li{display:inline-block;margin-right:1rem}
.ge-failed-icon::before{content:"✗";color:#b00020}.ge-success-icon::before{content:"✓";color:#12742c}
.bad{color:#b00020;font-weight:600}.good{color:#12742c;font-weight:600}.number{text-align:right}
.expect-verbose{word-break:break-word}
</style>"""

_INDEX = """<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><title>Contrôle qualité</title>{{ style }}</head><body>
<h1>Contrôle qualité de la charge <small>(quality gate)</small></h1>
<p class="{{ 'good' if passed else 'bad' }}">{{ 'Charge acceptée – load accepted' if passed
  else 'Charge refusée : la version publiée reste en place – load blocked' }}</p>
<p>{{ results|length }} contrôles ; pages de Great Expectations :
{% for page in pages %}<a href="{{ page }}">{{ page }}</a>{{ ' · ' if not loop.last }}
{% endfor %}</p>
{% if shown %}<h2>Contrôles avec écart</h2>
<table><thead><tr><th>Contrôle</th><th>Signification</th><th>Écarts</th><th>Lignes</th><th>Seuil</th>
<th>Effet</th><th>Résultat</th></tr></thead><tbody>
{% for line in shown %}<tr><td>{{ line.check_id }}</td><td>{{ line.meaning_fr }}</td>
<td class="number">{{ line.violated }}</td><td class="number">{{ line.denominator }}</td>
<td>{{ line.threshold_percent }} % et {{ line.threshold_rows }} lignes</td>
<td>{{ line.action }}</td>
<td class="{{ 'bad' if line.status == 'failed' }}">{{ line.status }}</td></tr>
{% endfor %}</tbody></table>{% endif %}
{% if removed %}<h2>Lignes en quarantaine, dépendances comprises</h2>
<table><tbody>{% for table, rows in removed|dictsort %}<tr><td>{{ table }}</td>
<td class="number">{{ rows }}</td></tr>{% endfor %}</tbody></table>{% endif %}
<h2>Tous les contrôles, par règle</h2>
<table><thead><tr><th>Règle</th><th>Signification</th><th>Effet</th><th>Contrôles</th><th>Écarts</th>
</tr></thead><tbody>
{% for family, lines in results|groupby('family') %}<tr><td>{{ family }}</td>
<td>{{ lines[0].meaning_fr }}<br><small>{{ lines[0].meaning_en }}</small></td>
<td>{{ lines[0].action }}</td><td class="number">{{ lines|length }}</td>
<td class="number">{{ lines|sum(attribute='counted') }}</td></tr>
{% endfor %}</tbody></table></body></html>
"""


def index_page(pages: Path) -> Path:
    """The entry page of a folder of Data Docs."""
    return pages / "index.html"


def write_index(
    pages: Path, passed: bool, results: Iterable[Mapping[str, Any]], removed: Mapping[str, int]
) -> Path:
    """Cuts GX's pages in the folder `pages` loose and writes `index.html`; returns its path.

    Args:
        results: lines of `results.csv`.
        removed: quarantined rows by table.
    """
    cut_pages(pages)
    lines = [{**line, "counted": line["violated"] or 0} for line in results]
    index = index_page(pages)
    template = Environment(autoescape=True).from_string(_INDEX)
    text = template.render(
        style=_safe(_STYLE),
        passed=passed,
        results=lines,
        shown=_shown(lines),
        removed=removed,
        pages=sorted(
            str(path.relative_to(pages)) for path in pages.rglob("*.html") if path != index
        ),
    )
    index.write_text(text, encoding="utf-8")
    return index


def _shown(lines: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Checks that found something, what blocks first; a share that may be anything is not news."""
    ranks = {"failed": 0, "waived": 1, "warned": 2}
    found = [
        line for line in lines
        if line["status"] in ranks or (line["counted"] and line["threshold_percent"] < 100)
    ]  # fmt: skip
    return sorted(found, key=lambda line: ranks.get(line["status"], 3))


def cut_pages(pages: Path) -> None:
    """Cuts every page of GX in a folder loose."""
    for path in sorted(pages.rglob("*.html")):
        path.write_text(cut_loose(path.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.rmtree(pages / "static", ignore_errors=True)


def cut_loose(html: str) -> str:
    """`html` without scripts, images, external styles and links to other hosts."""
    for pattern in _CUT:
        html = pattern.sub("", html)
    return _OUTWARD.sub(r"\1", html).replace("</head>", _STYLE + "</head>", 1)


def _safe(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own constant
