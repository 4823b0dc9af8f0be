"""Around the whole application: a request id and times on every response, one log line each."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from service.api import errors, google_errors
from service.api.deadline import arrived_at
from service.background import finished, request_work
from service.draining import Drain
from service.errors import GoingAwayError
from service.logs import annotate, request_fields

logger = logging.getLogger("service.access")

_SANE_ID = re.compile(rb"[A-Za-z0-9._:/-]{1,128}")
_QUIET = frozenset({"/health", "/ready"})  # asked every few seconds


class Edge:
    """An ASGI application around another."""

    def __init__(
        self, app: ASGIApp, drain: Drain, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app = app
        self._drain = drain
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began = self._clock()
        arrived_at.set(asyncio.get_running_loop().time())
        request_id = _request_id(scope)
        fields: dict[str, Any] = {
            "request_id": request_id.decode(),
            "method": scope["method"],
            "path": scope["path"],
        }
        token = request_fields.set(fields)
        work: set[asyncio.Task[Any]] = set()
        work_token = request_work.set(work)
        timing: dict[str, float] = {}

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                timing["head"] = self._clock() - began
                fields.setdefault("status", message["status"])
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id),
                    (b"openai-processing-ms", b"%d" % (timing["head"] * 1000)),
                    (b"openai-version", b"2020-10-01"),
                ]
            if work and message["type"] == "http.response.body" and not message.get("more_body"):
                # The client has everything, and the instance keeps its CPU until the work is done.
                await send({**message, "more_body": True})
                await self._drain.hold(finished(work))
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        if scope["method"] == "HEAD":
            # RFC 9110 section 9.3.2: as GET. The server leaves the body out.
            scope = {**scope, "method": "GET"}
        try:
            if self._drain.begun and scope["path"] != "/health":
                await _refuse(scope, timed)
            else:
                with self._drain.request():
                    await self._app(scope, receive, timed)
                    if work:
                        await self._drain.hold(finished(work))
        finally:
            request_work.reset(work_token)
            request_fields.reset(token)
            if "head" in timing:
                fields["first_byte_ms"] = round(timing["head"] * 1000, 1)
            fields["duration_ms"] = round((self._clock() - began) * 1000, 1)
            level = logging.DEBUG if scope["path"] in _QUIET else logging.INFO
            logger.log(level, "request", extra={"fields": fields})


async def _refuse(scope: HTTPScope, send: Send) -> None:
    """Send a client elsewhere, whatever it asks."""
    error = GoingAwayError()
    annotate(error=error.code)
    body = errors.body(error)
    if google_errors.are_for(scope["method"], scope["path"]):
        body = google_errors.body(error)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _request_id(scope: Scope) -> bytes:
    """Keep the client's own id if it is fit for a header and a log."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            return value
    return b"req_" + uuid.uuid4().hex.encode()
