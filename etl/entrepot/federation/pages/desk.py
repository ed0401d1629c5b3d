"""Results as one file for the researcher's desk: it stands alone, with its style inside."""

from __future__ import annotations

from markupsafe import Markup

from entrepot.federation.coordinator.opening import Opened
from entrepot.federation.pages.explaining import explained
from entrepot.federation.pages.figures import figures
from entrepot.federation.pages.rendering import FOLDER, render


def desk_page(opened: Opened, language: str, minimum_sites: int = 3) -> str:
    """The page of a question whose answers were checked and opened here."""
    style = Markup((FOLDER / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return render(
        "desk", language, "", style=style, opened=opened, outcome=opened.outcome,
        figures=figures(opened.outcome, language), minimum_sites=minimum_sites,
        explained=explained(opened.query.cohorts, language),
    )  # fmt: skip
