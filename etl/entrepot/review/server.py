"""The page that a reader works in, served to this machine's browser alone.

Python's own `http.server`: four routes for one person, no dependency to keep patched. It listens on
127.0.0.1; the address holds a random token; another page of the same browser can neither read it
(no cross-origin header, `Host` checked against rebinding) nor write to it (JSON from the same
origin only). Nothing is loaded from elsewhere, and no request is logged: its line holds the token.
"""

from __future__ import annotations

import dataclasses
import hmac
import json
import secrets
import sys
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.review.sample import Mark
from entrepot.review.session import Session
from entrepot.text.spans import LABELS

ADDRESS = "127.0.0.1"
LANGUAGES = ("fr", "en")
MAX_BODY = 1_000_000
_PAGE = Path(__file__).with_name("page")
_FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_MARKS = TypeAdapter(list[Mark])


class ReviewServer(ThreadingHTTPServer):
    """Serves one session; `url` is for the reader alone.

    Raises:
        ConfigurationError: the port is taken.
    """

    daemon_threads = True

    def __init__(self, session: Session, port: int = 0) -> None:
        self.session, self.token = session, secrets.token_urlsafe(24)
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            raise ConfigurationError(
                f"the page cannot be served ({error.strerror})", where=f"{ADDRESS}:{port}",
                remedy="give another --port, or none",
            ) from None  # fmt: skip

    def handle_error(self, request: object, client_address: object) -> None:
        """A page that was closed is no fault; of another, the class alone: no value of a text."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            sys.stderr.write(f"review page: {type(error).__name__}\n")

    @property
    def url(self) -> str:
        """The address with its token."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: ReviewServer
    protocol_version = "HTTP/1.1"
    timeout = 60
    server_version, sys_version = "entrepot", ""

    def do_GET(self) -> None:
        route = self._route()
        if route in _FILES:
            name, kind = _FILES[route]
            self._answer(HTTPStatus.OK, (_PAGE / name).read_bytes(), kind)
        elif route == "state":
            self._json({**self.server.session.state(), "words": words()})
        elif route is not None and route.startswith("document/"):
            self._document(route)
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        route = self._route()
        body = self._body()
        if route is None or not route.startswith("document/"):
            self._refuse(HTTPStatus.NOT_FOUND)
        elif body is None or self.headers.get("Origin") not in self._origins():
            self._refuse(HTTPStatus.FORBIDDEN)
        else:
            self._save(route, body)

    def _document(self, route: str) -> None:
        try:
            found = self.server.session.document(_number(route))
        except IndexError:
            self._refuse(HTTPStatus.NOT_FOUND)
        except EntrepotError:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._json(dataclasses.asdict(found))

    def _save(self, route: str, body: bytes) -> None:
        try:
            good = self.server.session.save(_number(route), _MARKS.validate_json(body))
        except (ValidationError, IndexError):
            good = False
        except EntrepotError:
            self._refuse(HTTPStatus.INSUFFICIENT_STORAGE)
            return
        if good:
            self._json({"saved": True})
        else:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY)

    def _route(self) -> str | None:
        """What follows the token; None without it, or when another name stands for this machine."""
        path = self.path.partition("?")[0]
        _, token, *rest = [*path.split("/", 2), ""][:3]
        known = hmac.compare_digest(token.encode(), self.server.token.encode())
        here = f"http://{self.headers.get('Host')}" in self._origins()
        return rest[0] if known and here and path.count("/") > 1 else None

    def _origins(self) -> set[str]:
        return {f"http://{host}:{self.server.server_port}" for host in (ADDRESS, "localhost")}

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        if not length.isdigit() or int(length) > MAX_BODY or kind != "application/json":
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _json(self, value: dict[str, Any]) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self._answer(HTTPStatus.OK, body, "application/json; charset=utf-8")

    def _refuse(self, status: HTTPStatus) -> None:
        self._answer(status, status.phrase.encode(), "text/plain; charset=utf-8")

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of http.server
        """Nothing: the request's line holds the token."""


@cache
def words() -> dict[str, Any]:
    """The page's and the report's words by language.

    Raises:
        ConfigurationError: a file of the package is damaged.
    """
    folder = Path(__file__).with_name("words")
    found = {
        language: yaml.safe_load((folder / f"{language}.yaml").read_text(encoding="utf-8"))
        for language in LANGUAGES
    }
    if any(set(one["labels"]) != LABELS for one in found.values()):
        raise ConfigurationError("a label has no words", where=str(folder), remedy="reinstall")
    return found


def _number(route: str) -> int:
    text = route.removeprefix("document/")
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise IndexError(text)
    return int(text)
