"""The node's line to its coordinator: outbound HTTPS, a certificate on both sides, signed calls."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import ValidationError

from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.federation.node.opened import Node
from entrepot.federation.node.outbox import Leaving
from entrepot.federation.wire import MAX_SENT, MAX_WAIT, PROOF, TASKS, Fault, Sent, Tasks, prove

if TYPE_CHECKING:
    import httpx

_WHERE = "site.yaml: federation"
_TAKEN = frozenset({200, 202})
_NEVER = frozenset({404, 409, 413, 422})  # of an envelope that is tried in vain
log = logging.getLogger("entrepot.node")
_PATIENCE = 20.0  # seconds beyond the wait that was asked for


class LineError(EntrepotError):
    """The coordinator cannot be reached, or answered something else; it is tried again."""


class Line:
    """Calls of one node; a context manager.

    Raises:
        ConfigurationError: no address, or certificates that cannot be read.
    """

    def __init__(self, node: Node) -> None:
        import httpx

        config = node.site.config.federation
        if not config.coordinator:
            raise ConfigurationError(
                "no coordinator is named", where=f"{_WHERE}.coordinator",
                remedy="or carry files: entrepot node import, export",
            )  # fmt: skip
        self._node = node
        self._base = urlsplit(config.coordinator).path.rstrip("/")
        self._client: httpx.Client = httpx.Client(
            base_url=config.coordinator, verify=_context(node), timeout=_PATIENCE,
            follow_redirects=False, trust_env=False,
        )  # fmt: skip

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def tasks(self, wait: int) -> Tasks:
        """What waits for this node; the coordinator holds the answer back for up to `wait` seconds.

        Raises:
            LineError: no answer, or none that can be read.
        """
        seconds = min(wait, MAX_WAIT)
        path = f"{TASKS}?wait={seconds}"
        status, answer = self._call("GET", path, b"", seconds + _PATIENCE)
        if status not in _TAKEN:
            raise LineError(f"the coordinator refused a call (status {status})")
        try:
            return Tasks.model_validate_json(answer)
        except ValidationError:
            raise LineError("the coordinator's answer cannot be read") from None

    def carry(self, leaving: Leaving) -> str:
        """Brings one envelope; the code of a fault that no second try mends, else nothing.

        Raises:
            LineError: it was not taken, and is to be tried again.
        """
        body = Sent(envelope=leaving.envelope).model_dump_json().encode()
        status, answer = self._call("POST", leaving.path, body, _PATIENCE)
        if status in _TAKEN:
            return ""
        try:
            code = Fault.model_validate_json(answer).code
        except ValidationError:
            code = "unreadable"
        log.warning("the coordinator never takes an envelope (%s)", code)
        return code

    def _call(
        self, method: Literal["GET", "POST"], path: str, body: bytes, seconds: float
    ) -> tuple[int, bytes]:
        import httpx

        proof = prove(
            self._node.place.signing_key, self._node.name, method, self._base + path, body
        )
        headers = {PROOF: proof, "Content-Type": "application/json"}
        found = bytearray()
        try:
            with self._client.stream(
                method, path, content=body, headers=headers, timeout=seconds
            ) as answer:
                for piece in answer.iter_bytes():
                    found += piece
                    if len(found) > MAX_SENT:
                        raise LineError("the coordinator's answer is too large")
                status = answer.status_code
        except httpx.HTTPError as error:
            raise LineError(f"the coordinator cannot be reached ({type(error).__name__})") from None
        if status not in _TAKEN | _NEVER:
            raise LineError(f"the coordinator refused a call (status {status})")
        return status, bytes(found)


def _context(node: Node) -> ssl.SSLContext:
    """TLS 1.2 or later; the coordinator shows a certificate of its authority, so does the node."""
    config, site = node.site.config.federation, node.site
    try:
        context = ssl.create_default_context(
            cafile=str(site.path(config.authority)) if config.authority else None
        )
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if config.certificate is None or config.certificate_key is None:
            raise ConfigurationError(
                "the node has no certificate", where=f"{_WHERE}.certificate",
                remedy="the coordinator signs identifying/node/tls.csr",
            )  # fmt: skip
        context.load_cert_chain(site.path(config.certificate), site.path(config.certificate_key))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"a certificate cannot be read ({type(error).__name__})", where=_WHERE,
            remedy="certificate, certificate_key and authority are PEM files",
        ) from None  # fmt: skip
    return context
