"""The nodes' side of the coordinator: the three calls of `federation.wire`, by FastAPI."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Annotated

from fastapi import FastAPI, Header, Query
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from entrepot.federation.coordinator.calls import Call, CallFault, Request, authenticate
from entrepot.federation.coordinator.exchange import take_answer, take_notice, tasks_for
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.coordinator.transport import certificate_of
from entrepot.federation.wire import (
    MAX_SENT,
    MAX_WAIT,
    NOTICES,
    RESULTS,
    TASKS,
    Fault,
    Receipt,
    Sent,
    Tasks,
)

_STATUS = {
    "proof": 401, "revoked": 403, "unknown": 404, "other_answer": 409, "too_large": 413,
    "unreadable": 422,
}  # fmt: skip
_EVERY = 1.0  # seconds between two looks for a node that waits
Proof = Annotated[str, Header(alias="X-Entrepot-Proof", max_length=8_000)]


def node_api(coordinator: Coordinator) -> FastAPI:
    """The application; it must be served with a certificate on both sides."""
    app = FastAPI(title="entrepot coordinator", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get(TASKS)
    async def tasks(
        request: HttpRequest, proof: Proof = "", wait: Annotated[int, Query(ge=0, le=MAX_WAIT)] = 0
    ) -> Tasks:
        call = await _call(coordinator, request, proof)
        end = asyncio.get_running_loop().time() + wait
        known = await run_in_threadpool(tasks_for, call)
        found = known
        while not found.tasks and found.revocations == known.revocations:
            left = end - asyncio.get_running_loop().time()
            if left <= 0 or await request.is_disconnected():
                break
            await asyncio.sleep(min(_EVERY, left))
            later = replace(call, now=dt.datetime.now(dt.UTC))
            found = await run_in_threadpool(tasks_for, later)
        return found

    @app.post(NOTICES, status_code=202)
    async def notices(request: HttpRequest, proof: Proof = "") -> Receipt:
        call, text = await _brought(coordinator, request, proof)
        return Receipt(sha256=await run_in_threadpool(take_notice, call, text))

    @app.post(RESULTS, status_code=202)
    async def results(request: HttpRequest, proof: Proof = "") -> Receipt:
        call, text = await _brought(coordinator, request, proof)
        return Receipt(sha256=await run_in_threadpool(take_answer, call, text))

    app.add_exception_handler(CallFault, _told)
    app.add_exception_handler(RequestValidationError, _told)
    return app


async def _brought(coordinator: Coordinator, request: HttpRequest, proof: str) -> tuple[Call, str]:
    body = await _body(request)
    call = await _call(coordinator, request, proof, body)
    try:
        return call, Sent.model_validate_json(body).envelope
    except ValidationError:
        raise call.refused("unreadable") from None


async def _body(request: HttpRequest) -> bytes:
    """At most what a node may send: nothing larger is taken into memory."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_SENT:
            raise CallFault("too_large")
    return body


async def _call(
    coordinator: Coordinator, request: HttpRequest, proof: str, body: bytes = b""
) -> Call:
    query = f"?{request.url.query}" if request.url.query else ""
    asked = Request(
        certificate_of(request.scope), proof, request.method, request.url.path + query, body
    )
    return await run_in_threadpool(authenticate, coordinator, asked, dt.datetime.now(dt.UTC))


async def _told(_request: HttpRequest, error: Exception) -> JSONResponse:
    code = error.code if isinstance(error, CallFault) else "unreadable"
    fault = Fault.model_validate({"code": code})
    return JSONResponse(fault.model_dump(), status_code=_STATUS[code])
