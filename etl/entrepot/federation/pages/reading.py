"""Studies, questions, how they stand, and what came back."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from entrepot.federation.coordinator.outcome import bundle, outcome
from entrepot.federation.coordinator.questions import questions
from entrepot.federation.coordinator.registry import nodes, studies
from entrepot.federation.coordinator.rounds import ANSWERED
from entrepot.federation.coordinator.standing import standings
from entrepot.federation.pages.access import (
    Here,
    Reader,
    language,
    now,
    page,
    question_of,
    study_of,
)
from entrepot.federation.pages.explaining import explained
from entrepot.federation.pages.figures import figures

router = APIRouter()


@router.get("/")
@router.get("/studies")
def every_study(request: Request, coordinator: Here, who: Reader) -> HTMLResponse:
    """Studies whose card names the reader."""
    found = studies(coordinator, who.key)
    asked = {one.hash: len(questions(coordinator, one.hash)) for one in found}
    open_ = {one.hash for one in found if one.open_on(now().date())}
    return page(request, "studies", who, studies=found, asked=asked, open=open_)


@router.get("/studies/{hash_}")
def one_study(hash_: str, request: Request, coordinator: Here, who: Reader) -> HTMLResponse:
    """A card and its questions."""
    study = study_of(coordinator, who, hash_)
    asked = questions(coordinator, study.hash)
    answered = {
        one.id: sum(each.state == ANSWERED for each in standings(coordinator, one, now()))
        for one in asked
    }
    return page(
        request, "study", who, study=study, questions=asked, answered=answered,
        seen={one.name: one.seen for one in nodes(coordinator)},
        is_open=study.open_on(now().date()),
    )  # fmt: skip


@router.get("/queries/{id_}")
def one_question(id_: str, request: Request, coordinator: Here, who: Reader) -> HTMLResponse:
    """How a question stands, and its results."""
    asked, study = question_of(coordinator, who, id_)
    found, said = outcome(coordinator, asked, now()), language(request)
    return page(
        request, "question", who, question=asked, study=study, outcome=found,
        states=standings(coordinator, asked, now()), figures=figures(found, said),
        explained=explained(asked.query.cohorts, said),
        minimum_sites=coordinator.settings.minimum_sites,
    )  # fmt: skip


@router.get("/queries/{id_}/states")
def states(id_: str, coordinator: Here, who: Reader) -> JSONResponse:
    """How it stands, for programs and for a page that waits."""
    asked, _ = question_of(coordinator, who, id_)
    found = [asdict(one) for one in standings(coordinator, asked, now())]
    return JSONResponse({"query": asked.id, "expires": asked.expires, "states": found})


@router.get("/queries/{id_}/answers")
def answers(id_: str, coordinator: Here, who: Reader) -> JSONResponse:
    """What the nodes signed, to be checked and opened by the researcher."""
    asked, _ = question_of(coordinator, who, id_)
    return JSONResponse(bundle(coordinator, asked, now()))
