"""Who reads a page, in which language, and what is theirs to read."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import Cookie, Depends, Request
from fastapi.responses import HTMLResponse

from entrepot.federation.coordinator.questions import Question, questions
from entrepot.federation.coordinator.registry import Study, studies
from entrepot.federation.coordinator.sessions import Researcher, signed_in
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.pages.rendering import chosen_language, render

SESSION, LANGUAGE = "entrepot_session", "entrepot_language"
Token = Annotated[str, Cookie(alias=SESSION)]


class Turned(Exception):  # noqa: N818 - a disposition that travels as an exception
    """Nobody is signed in (401), or asks for what is not theirs (404)."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


def here(request: Request) -> Coordinator:
    """The coordinator that serves this page."""
    found: Coordinator = request.app.state.coordinator
    return found


Here = Annotated[Coordinator, Depends(here)]


def reader(coordinator: Here, token: Token = "") -> Researcher:
    """Who is signed in.

    Raises:
        Turned: nobody.
    """
    found = signed_in(coordinator, token, now())
    if found is None:
        raise Turned(401)
    return found


Reader = Annotated[Researcher, Depends(reader)]


def study_of(coordinator: Coordinator, who: Researcher, hash_: str) -> Study:
    """A study whose card names the reader's key.

    Raises:
        Turned: another's study looks like one that there is not.
    """
    found = next((one for one in studies(coordinator, who.key) if one.hash == hash_), None)
    if found is None:
        raise Turned(404)
    return found


def question_of(coordinator: Coordinator, who: Researcher, id_: str) -> tuple[Question, Study]:
    """A question of such a study.

    Raises:
        Turned: as `study_of`.
    """
    found = next((one for one in questions(coordinator) if one.id == id_), None)
    if found is None:
        raise Turned(404)
    return found, study_of(coordinator, who, found.card)


def page(request: Request, name: str, who: Researcher | None, **facts: Any) -> HTMLResponse:
    """A page in the reader's language."""
    coordinator, signed = here(request), ", ".join(who.names) if who else ""
    where = coordinator.settings.name
    html = render(name, language(request), "/", signed=signed, where=where, **facts)
    return HTMLResponse(html)


def language(request: Request) -> str:
    """`fr` or `en`."""
    return chosen_language(
        request.query_params.get("lang", ""), request.cookies.get(LANGUAGE, ""),
        request.headers.get("accept-language", ""),
    )  # fmt: skip


def now() -> dt.datetime:
    """By the clock: sessions, validities and dates of law are told by it."""
    return dt.datetime.now(dt.UTC)
