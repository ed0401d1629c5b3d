"""What every page is guarded by: headers, the size of what is sent, and where it is sent from."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrepot.federation.pages.rendering import HEADERS

MAX_BODY = 3_000_000  # bytes: the largest query, spelt once more as a JSON text
_JSON = "application/json"


class Guarded:
    """Refuses what another page of the browser sends, and what is too large; adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["method"] != "GET" and not _proper(headers, scope["scheme"]):
            await JSONResponse({"code": "origin"}, status_code=403)(scope, receive, dressed)
            return
        await self._app(scope, receive, dressed)


def _proper(headers: Headers, scheme: str) -> bool:
    """JSON of a stated, bearable length, from a page of this server or from no page at all."""
    length = headers.get("content-length", "")
    kind = headers.get("content-type", "").partition(";")[0]
    origin = headers.get("origin")
    return (
        length.isascii()
        and length.isdigit()
        and int(length) <= MAX_BODY
        and kind == _JSON
        and (origin is None or origin == f"{scheme}://{headers.get('host')}")
    )
