"""The form of a question, the body that it makes, and the signed question."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.responses import HTMLResponse, JSONResponse

from entrepot.federation.coordinator.drafts import Draft, drafted, spelt
from entrepot.federation.coordinator.questions import submit
from entrepot.federation.coordinator.registry import studies
from entrepot.federation.pages.access import Here, Reader, now, page, study_of
from entrepot.federation.pages.rendering import examples

router = APIRouter()


@router.get("/studies/{hash_}/ask")
def form(hash_: str, request: Request, coordinator: Here, who: Reader) -> HTMLResponse:
    """Definitions, analysis, sites."""
    study = study_of(coordinator, who, hash_)
    return page(request, "ask", who, study=study, examples=examples())


@router.post("/studies/{hash_}/draft")
def draft(hash_: str, stated: Draft, coordinator: Here, who: Reader) -> dict[str, str]:
    """The body to be signed; nothing is kept of it."""
    study = study_of(coordinator, who, hash_)
    name = next(one.name for one in study.card.researchers if one.key == who.key)
    return {"body": spelt(drafted(stated, study.card, study.hash, name, now()))}


@router.post("/queries")
def send(
    envelope: Annotated[str, Body(embed=True)], coordinator: Here, _who: Reader
) -> dict[str, str]:
    """Takes a signed question; the signature counts, whoever's session brings it."""
    return {"query": submit(coordinator, envelope, now())}


@router.get("/cards")
def cards(coordinator: Here, who: Reader) -> JSONResponse:
    """The reader's study cards, for the command line."""
    return JSONResponse(
        {one.hash: one.card.model_dump(mode="json") for one in studies(coordinator, who.key)}
    )
