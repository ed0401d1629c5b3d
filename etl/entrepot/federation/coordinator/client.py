"""The researcher's side without a browser: signs in, asks, looks, brings the answers home.

The private key never leaves this machine: what goes out are signatures.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.federation.canonical import NotCanonicalError, read_canonical
from entrepot.federation.cards import StudyCard
from entrepot.federation.coordinator.sessions import SIGN_IN
from entrepot.people import ACT, public_half, sign

_TIMEOUT = 30.0
_UNREACHABLE = "the coordinator cannot be reached"


class Client:
    """A session at a coordinator.

    Args:
        url: of the researchers' port.
        authority: the coordinator's `ca.pem`; None believes the system's authorities.
        key: the researcher's Ed25519 key file.

    Raises:
        ConfigurationError: the authority cannot be read.
    """

    def __init__(self, url: str, authority: Path | None, key: Path) -> None:
        self._key = key
        self._http = httpx.Client(
            base_url=url, verify=_trust(authority), timeout=_TIMEOUT, trust_env=False
        )

    def __enter__(self) -> Self:
        self._sign_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._http.close()

    def cards(self) -> dict[str, StudyCard]:
        """The studies that name this key, by the hash of their card."""
        return {
            hash_: StudyCard.model_validate(card) for hash_, card in self._get("/cards").items()
        }

    def submit(self, envelope: str) -> str:
        """Sends a signed question; returns its id.

        Raises:
            EntrepotError: it was refused; says the code.
        """
        return str(self._told(self._post("/queries", {"envelope": envelope}))["query"])

    def states(self, query: str) -> dict[str, Any]:
        """How a question stands at each node."""
        return self._get(f"/queries/{query}/states")

    def answers(self, query: str) -> dict[str, Any]:
        """What the nodes signed, with the question and the card (`outcome.bundle`)."""
        return self._get(f"/queries/{query}/answers")

    def _sign_in(self) -> None:
        text = str(self._get("/sign-in/challenge").get("challenge", ""))
        given = signed_challenge(text, self._key)
        self._told(self._post("/sign-in", given))

    def _get(self, path: str) -> dict[str, Any]:
        with _reached():
            answered = self._http.get(path, headers={"Accept": "application/json"})
        return self._told(answered)

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        with _reached():
            return self._http.post(path, json=body)

    @staticmethod
    def _told(answered: httpx.Response) -> dict[str, Any]:
        try:
            told = answered.json()
        except ValueError:
            told = None
        if answered.is_success and isinstance(told, dict):
            return told
        code = told.get("code", "") if isinstance(told, dict) else ""
        raise EntrepotError(
            f"the coordinator refused ({answered.status_code} {code})".replace(" )", ")"),
            where=answered.request.url.path,
            remedy="the study card must name your key and be open; federation.md lists the codes",
        )


def signed_challenge(text: str, key: Path) -> dict[str, str]:
    """The answer to a challenge, as `POST /sign-in` takes it.

    Raises:
        ConfigurationError: no challenge to sign in, or the key cannot be read.
    """
    try:
        stated = read_canonical(text.encode(), 1_000)
    except NotCanonicalError:
        stated = None
    if not isinstance(stated, dict) or stated.get(ACT) != SIGN_IN:
        raise ConfigurationError("this is no challenge to sign in", remedy="nothing was signed")
    return {"challenge": text, "key": public_half(key), "signature": sign(key, stated)}


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, ssl.SSLError, OSError) as error:
        raise EntrepotError(
            f"{_UNREACHABLE} ({type(error).__name__})",
            remedy="check the address, the network and --authority",
        ) from None


def _trust(authority: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(authority) if authority else None)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            "the authority's certificate cannot be read", where=str(authority),
            remedy="give the coordinator's ca.pem",
        ) from None  # fmt: skip
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
