"""Signing in and out, and the pages' own files."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from entrepot.federation.coordinator.sessions import SignedIn, challenge, sign_in, sign_out
from entrepot.federation.pages.access import SESSION, Here, Token, Turned, now, page
from entrepot.federation.pages.rendering import FILES, FOLDER

router = APIRouter()


@router.get("/style.css")
@router.get("/page.js")
def own_file(request: Request) -> Response:
    """The style sheet and the script: the pages ask for nothing else."""
    name = request.url.path.removeprefix("/")
    return Response((FOLDER / name).read_bytes(), media_type=FILES[name])


@router.get("/sign-in")
def sign_in_page(request: Request) -> HTMLResponse:
    """Where whoever is not signed in is sent."""
    return page(request, "sign_in", None)


@router.get("/sign-in/challenge")
def asked(coordinator: Here) -> dict[str, str]:
    """A challenge to sign once."""
    return {"challenge": challenge(coordinator, now())}


@router.post("/sign-in")
def enter(given: SignedIn, request: Request, coordinator: Here) -> JSONResponse:
    """A session for whoever signed the challenge with a key that a study card names."""
    token = sign_in(coordinator, given, now())
    if token is None:
        raise Turned(403)
    entered = JSONResponse({"signed_in": True})
    secure = request.url.scheme == "https"
    entered.set_cookie(SESSION, token, samesite="strict", httponly=True, secure=secure)
    return entered


@router.post("/sign-out")
def leave(coordinator: Here, token: Token = "") -> JSONResponse:
    """Ends the session at the coordinator too."""
    sign_out(coordinator, token)
    left = JSONResponse({"signed_in": False})
    left.delete_cookie(SESSION)
    return left
