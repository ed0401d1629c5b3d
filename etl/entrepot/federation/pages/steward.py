"""The steward's page, served by the node to this machine's browser alone.

The address holds a random token; `Host` and `Origin` are checked. A decision is signed in the
browser with the steward's own key, which is read there and never sent.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.federation.canonical import canonical
from entrepot.federation.coordinator.transport import Listener, serve_all
from entrepot.federation.keys import Hash, Signature
from entrepot.federation.node.approving import CODES, Asked, decide, decision, listing
from entrepot.federation.node.opened import open_node
from entrepot.federation.node.states import State
from entrepot.federation.pages.explaining import explained
from entrepot.federation.pages.guarding import Guarded
from entrepot.federation.pages.rendering import FILES, FOLDER, chosen_language, render

ADDRESS = "127.0.0.1"
_WAITING = (State.AWAITING_STEWARD, State.AWAITING_RELEASE)
router = APIRouter()


class Decided(BaseModel):
    """A decision and its signature."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: Hash
    by: Annotated[str, Field(max_length=80)]
    approved: bool
    code: Annotated[str, Field(max_length=40)]
    signature: Signature


def steward_app(site: Site, token: str) -> ASGIApp:
    """The application, under `/{token}/`."""
    app = FastAPI(title="entrepot", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site, app.state.root = site, f"/{token}/"
    app.include_router(router, prefix=f"/{token}")
    app.add_exception_handler(EntrepotError, _refused)
    app.add_exception_handler(RequestValidationError, _refused)
    return Guarded(_Known(app, token))


def serve_steward(site: Site, port: int, opened: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        port: 0 takes any free one.
        opened: given the address, which is for the steward alone.

    Raises:
        ConfigurationError: the port is taken, or the site is no node.
    """
    import asyncio

    with open_node(site):
        token = secrets.token_urlsafe(24)
    listener = Listener(steward_app(site, token), ADDRESS, port)
    opened(f"http://{ADDRESS}:{listener.port}/{token}/")
    asyncio.run(serve_all([listener]))


class _Known:
    """Turns away whoever has not the token, and names that only stand for this machine."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._right(scope):
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _right(self, scope: Scope) -> bool:
        given = str(scope["path"]).split("/")[1]
        host = Headers(scope=scope).get("host", "").partition(":")[0]
        known = hmac.compare_digest(given.encode(), self._token.encode())
        return known and host in (ADDRESS, "localhost")


@router.get("/style.css")
@router.get("/page.js")
def own_file(request: Request) -> Response:
    """The style sheet and the script: the page asks for nothing else."""
    name = request.url.path.rpartition("/")[2]
    return Response((FOLDER / name).read_bytes(), media_type=FILES[name])


@router.get("/")
def questions(request: Request) -> HTMLResponse:
    """What waits, and what was decided."""
    site: Site = request.app.state.site
    language = chosen_language(
        request.query_params.get("lang", ""), "", request.headers.get("accept-language", "")
    )
    with open_node(site) as node:
        every = listing(node)
    waiting = [one for one in every if one.state in _WAITING]
    html = render(
        "steward", language, request.app.state.root, where=site.config.title,
        waiting=[_shown(one, language) for one in waiting],
        past=[one for one in every if one not in waiting][::-1], codes=CODES,
    )  # fmt: skip
    return HTMLResponse(html)


@router.post("/decisions")
def take(given: Decided, request: Request) -> dict[str, str]:
    """A signed decision; the node checks who may decide and what was signed."""
    with open_node(request.app.state.site) as node:
        state = decide(node, given.query, given.by, given.approved, given.code, given.signature)
    return {"state": str(state)}


def _shown(asked: Asked, language: str) -> dict[str, Any]:
    """A question with its words, and with what is signed for either decision."""
    payload = {
        "approve": decision(asked.query, True, "", asked.state),
        "refuse": decision(asked.query, False, "@code", asked.state),
    }
    return {
        "asked": asked,
        "explained": explained(asked.cohorts, language),
        **{name: canonical(stated).decode() for name, stated in payload.items()},
    }


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    what = error.what if isinstance(error, EntrepotError) else "unreadable"
    return JSONResponse({"what": what}, status_code=422)
