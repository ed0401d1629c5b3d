"""HTTPS with a certificate on both sides, and whose certificate a request came with.

uvicorn checks a client's certificate and keeps it to itself; the ASGI specification has a place for
it (extension `tls`, key `client_cert_chain`), which this protocol fills.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from entrepot.errors import ConfigurationError
from entrepot.federation.coordinator.authority import fingerprint

_IDLE = 75  # seconds: longer than a node's long poll
_SLOW = 5  # seconds for what is under way when the coordinator stops


class WithCertificate:
    """An application whose requests all come over one connection.

    Args:
        certificate: DER of the client's; empty when it showed none.
    """

    def __init__(self, app: ASGIApp, certificate: bytes) -> None:
        self._app = app
        self._chain = [ssl.DER_cert_to_PEM_cert(certificate)] if certificate else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        extensions = {**scope.get("extensions", {}), "tls": {"client_cert_chain": self._chain}}
        await self._app({**scope, "extensions": extensions}, receive, send)


def certificate_of(scope: Scope) -> str:
    """The SHA-256 of the client's certificate; empty when the connection showed none."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", [])
    return fingerprint(chain[0].encode()) if chain else ""


class _Protocol(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("ssl_object")
        shown = peer.getpeercert(binary_form=True) if peer is not None else None
        self.app = cast(Any, WithCertificate(cast(ASGIApp, self.app), shown or b""))


class Listener(uvicorn.Server):
    """One application at one port; bound when made, so that port 0 is known before it serves.

    No request is logged: its line holds who asked what.

    Args:
        certificates: the coordinator's folder; None serves plain HTTP.
        mutual: a client without a certificate of the coordinator's authority is turned away.

    Raises:
        ConfigurationError: the port is taken, or the certificates cannot be read.
    """

    def __init__(
        self, app: ASGIApp, address: str, port: int, certificates: Path | None = None, *,
        mutual: bool = False,
    ) -> None:  # fmt: skip
        self._socket = _bound(address, port)
        self.port = int(self._socket.getsockname()[1])
        super().__init__(
            uvicorn.Config(
                app, http=_Protocol, ws="none", lifespan="off", access_log=False,
                log_level="warning", server_header=False, proxy_headers=False,
                timeout_keep_alive=_IDLE, timeout_graceful_shutdown=_SLOW,
                **_secured(certificates, mutual=mutual),
            )
        )  # fmt: skip

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: listeners share a process, signals are the affair of `serve_all`."""
        yield

    async def listen(self) -> None:
        """Serves until `should_exit`."""
        await self.serve([self._socket])


async def serve_all(listeners: Sequence[Listener]) -> None:
    """Serves until SIGINT or SIGTERM, or until one of them ends; then all end."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for one in listeners:
            one.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    running = [asyncio.ensure_future(one.listen()) for one in listeners]
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    stop()
    await asyncio.gather(*running)


def _bound(address: str, port: int) -> socket.socket:
    try:
        return socket.create_server((address, port), backlog=128)
    except OSError as error:
        raise ConfigurationError(
            f"nothing can listen there ({error.strerror})", where=f"{address}:{port}",
            remedy="free the port, or name another in coordinator.yaml",
        ) from None  # fmt: skip


def _secured(folder: Path | None, *, mutual: bool) -> dict[str, Any]:
    if folder is None:
        return {}
    files = [folder / name for name in ("keys/server.key.pem", "server.pem", "ca.pem")]
    for file in files:
        if not file.is_file():
            raise ConfigurationError(
                "a certificate or its key is missing", where=str(file),
                remedy="entrepot coordinator init makes them",
            )  # fmt: skip
    return {
        "ssl_keyfile": files[0],
        "ssl_certfile": files[1],
        "ssl_ca_certs": str(files[2]),
        "ssl_cert_reqs": ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE,
        "ssl_context_factory": _newest_tls,
    }


def _newest_tls(_config: uvicorn.Config, make: Any) -> ssl.SSLContext:
    context: ssl.SSLContext = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
