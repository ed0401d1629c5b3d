"""The researcher's pages, served by the coordinator; programs use the same addresses with JSON."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response

from entrepot.errors import EntrepotError
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.pages import asking, entering, reading
from entrepot.federation.pages.access import LANGUAGE, Turned
from entrepot.federation.pages.guarding import Guarded
from entrepot.federation.pages.wording import LANGUAGES


def researcher_pages(coordinator: Coordinator) -> Any:
    """The application of one coordinator."""
    app = FastAPI(title="entrepot", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.coordinator = coordinator
    for part in (entering, reading, asking):
        app.include_router(part.router)

    @app.middleware("http")
    async def keep_language(request: Request, call_next: Any) -> Response:
        answered: Response = await call_next(request)
        if (asked := request.query_params.get("lang")) in LANGUAGES:
            answered.set_cookie(LANGUAGE, asked, samesite="strict", httponly=True)
        return answered

    app.add_exception_handler(Turned, _turned)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(EntrepotError, _refused)
    app.add_middleware(Guarded)
    return app


async def _turned(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Turned) else 500
    if status == 401 and request.method == "GET" and _wants_html(request):
        return RedirectResponse("/sign-in", status_code=303)
    return JSONResponse({"code": ""}, status_code=status)


async def _unreadable(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"code": "unreadable"}, status_code=422)


async def _refused(_request: Request, error: Exception) -> Response:
    """The code alone: what went wrong inside is nobody's outside."""
    return JSONResponse({"code": getattr(error, "code", "failed")}, status_code=422)


def _wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
