"""A definition in plain words, for whoever decides about it; empty where it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from entrepot.errors import ConfigurationError
from entrepot.federation.canonical import NotCanonicalError, canonical


def explained(cohorts: Mapping[str, Mapping[str, Any]], language: str) -> dict[str, Markup]:
    """Each definition in words; the JSON stands beside it in any case.

    Args:
        language: `fr` or `en`.
    """
    try:
        from entrepot.cohorts.explaining import explain
    except ImportError:
        return dict.fromkeys(cohorts, Markup(""))
    from entrepot.cohorts import read_definition

    said: dict[str, Markup] = {}
    for name, definition in cohorts.items():
        try:
            said[name] = laid_out(explain(read_definition(canonical(definition), name), language))
        except (ConfigurationError, NotCanonicalError):
            said[name] = Markup("")
    return said


def laid_out(text: str) -> Markup:
    """Headings (`## `), points (`- `, deeper by blanks) and lines as HTML; all else is text."""
    pieces = []
    for line in filter(str.strip, text.splitlines()):
        bare = line.lstrip()
        depth = min((len(line) - len(bare)) // 2, 4)
        if bare.startswith("#"):
            pieces.append(Markup("<h5>{}</h5>").format(bare.lstrip("# ")))
        elif bare.startswith("- "):
            point = Markup('<p class="point depth{}">{}</p>')
            pieces.append(point.format(depth, bare.removeprefix("- ")))
        else:
            pieces.append(Markup("<p>{}</p>").format(bare))
    return Markup("").join(pieces)
