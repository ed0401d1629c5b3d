"""Serves the site's quality pages and reports inside Airflow, to users who are logged in.

Only pages below `research/quality` and `research/reports`; Airflow itself protects no route of a
plugin, so each one asks for the user here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Literal

from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.plugins_manager import AirflowPlugin
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse

from entrepot.config import Site

PREFIX = "/entrepot"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
# A page of the zone runs no script: it shares its origin with the user's session in Airflow.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline' 'self';"
    " img-src 'self' data:; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
}

app = FastAPI(title="entrepot", docs_url=None, redoc_url=None, openapi_url=None)


def page_file(root: Path, path: str) -> Path | None:
    """The file of a page, None for anything that is not one below `root`."""
    if "\0" in path or Path(path).suffix not in TYPES:
        return None
    found = (root / path).resolve()
    inside = found.is_relative_to(root.resolve())
    return found if inside and found.is_file() else None


@app.get("/{zone}/{path:path}")
def page(zone: Literal["quality", "reports"], path: str, user: GetUserDep) -> FileResponse:
    """One page; what is no page is told as not found."""
    site = Site.open(Path(os.environ["ENTREPOT_SITE"]))
    root = site.quality if zone == "quality" else site.reports
    found = page_file(root, path)
    if found is None:
        raise HTTPException(404, "no such page yet")
    return FileResponse(found, media_type=TYPES[found.suffix], headers=HEADERS)


def _view(name: str, path: str) -> dict[str, Any]:
    return {
        "name": name,
        "href": f"{PREFIX}/{path}",
        "destination": "nav",
        "category": "browse",
        "url_route": path.split("/", maxsplit=1)[0],
    }


class EntrepotPages(AirflowPlugin):
    """The pages, and where the menu leads to them."""

    name = "entrepot_pages"
    fastapi_apps: ClassVar = [{"app": app, "url_prefix": PREFIX, "name": "entrepot"}]
    external_views: ClassVar = [
        _view("Quality gate", "quality/data_docs/index.html"),
        _view("Run report", "reports/run.html"),
    ]
