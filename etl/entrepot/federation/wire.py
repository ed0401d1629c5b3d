"""What a node and its coordinator say over HTTPS: paths, JSON models, the proof of each request.

The node calls, the coordinator answers; nothing ever connects to a node. Each signed envelope
travels as one string, its canonical spelling, and is the same in a file that is carried by hand.
The transport is TLS with a certificate on both sides; who a node is, the coordinator knows by the
signature of the request and not by its certificate alone, which a proxy may have ended.

| call | body | answer |
|---|---|---|
| `GET /v1/tasks?wait=25` | - | 200 `Tasks`, at once or when something came; empty after `wait` |
| `POST /v1/notices` | `Sent`, a signed `Notice` or `LogHead` | 202 `Receipt` |
| `POST /v1/results` | `Sent`, a signed `AnswerEnvelope` | 202 `Receipt` |

A fault is a `Fault` with a code of `FAULTS` and nothing else: 401 `proof`, 403 `revoked`,
404 `unknown`, 409 `other_answer`, 413 `too_large`, 422 `unreadable`. The same envelope sent twice
is 202 both times. A task is given again until a notice about it has come.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from entrepot.federation.canonical import NotCanonicalError, canonical, read_canonical
from entrepot.federation.keys import Hash, Moment, NodeName, Nonce, signed_by
from entrepot.people import public_half, sign

TASKS, NOTICES, RESULTS = "/v1/tasks", "/v1/notices", "/v1/results"
PROOF = "X-Entrepot-Proof"  # header of every request of a node
FAULTS = ("proof", "revoked", "unknown", "other_answer", "too_large", "unreadable")
MAX_WAIT = 55  # seconds: proxies cut a silent request at 60
MAX_TASKS = 20  # of one answer
# Bytes of a body either way. An envelope of the largest size, quoted in JSON, fits; of tasks that
# are larger together, fewer are given at once.
MAX_SENT = 16_000_000
FRESH = dt.timedelta(minutes=5)  # how far a request's time may be from the coordinator's


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Task(_Wire):
    """One query for this node.

    Args:
        task: hash of its body (`Envelope.body_hash`).
        transcript: of an analysis in rounds, the answers of every node to the rounds before, as
            they signed them; the node believes no other.
    """

    task: Hash
    envelope: str
    transcript: Annotated[tuple[tuple[str, ...], ...], Field(max_length=100)] = ()


class Tasks(_Wire):
    """What waits for a node. `revocations`: signed envelopes, all that the coordinator knows."""

    tasks: Annotated[tuple[Task, ...], Field(max_length=MAX_TASKS)] = ()
    revocations: tuple[str, ...] = ()


class Sent(_Wire):
    """What a node brings: one signed envelope in its canonical spelling."""

    envelope: str


class Receipt(_Wire):
    """SHA-256 of the envelope's bytes as they came."""

    sha256: Hash


class Fault(_Wire):
    """Why a request was refused: a code, no free text."""

    code: Literal["proof", "revoked", "unknown", "other_answer", "too_large", "unreadable"]


class RequestProof(_Wire):
    """What a node signs of each request; `body` is the SHA-256 of its bytes, of none for GET."""

    act: Literal["entrepot/federation/request"] = "entrepot/federation/request"
    node: NodeName
    method: Literal["GET", "POST"]
    path: Annotated[str, Field(max_length=200)]  # with its query string
    at: Moment
    nonce: Nonce
    body: Hash


class ProofError(Exception):
    """A request that the node it names did not sign, or signed for another time or call."""


def prove(
    key: Path, node: str, method: Literal["GET", "POST"], path: str, body: bytes = b"",
    now: dt.datetime | None = None,
) -> str:  # fmt: skip
    """The header's value for a request of `node`.

    Raises:
        ConfigurationError: the node's key cannot be read.
    """
    stated = RequestProof(
        node=node, method=method, path=path, at=now or dt.datetime.now(dt.UTC),
        nonce=secrets.token_hex(16), body=hashlib.sha256(body).hexdigest(),
    ).model_dump(mode="json")  # fmt: skip
    proof = {"proof": stated, "key": public_half(key), "signature": sign(key, stated)}
    return base64.urlsafe_b64encode(canonical(proof)).decode()


def check_proof(
    header: str, keys: Mapping[str, str], method: str, path: str, body: bytes, now: dt.datetime
) -> RequestProof:
    """The proof of a request, for the coordinator; it refuses a nonce that it saw by itself.

    Args:
        keys: the node's name -> its public key, of nodes that are not revoked.

    Raises:
        ProofError: whatever is wrong; which of it is nobody's business.
    """
    try:
        found: Any = read_canonical(base64.urlsafe_b64decode(header), 4_000)
        stated, key, signature = found["proof"], found["key"], found["signature"]
        proof = RequestProof.model_validate(stated)
    except (binascii.Error, NotCanonicalError, ValidationError, KeyError, TypeError, ValueError):
        raise ProofError from None
    right = (
        key == keys.get(proof.node)
        and (proof.method, proof.path) == (method, path)
        and abs(now - proof.at) <= FRESH
        and proof.body == hashlib.sha256(body).hexdigest()
        and signed_by(key, stated, signature)
    )
    if not right:
        raise ProofError
    return proof
