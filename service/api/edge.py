"""Around the whole application: a request id and times on every response, one log line each."""

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any

from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPResponseStartEvent,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
)

from service.api import errors, google_errors, request_line
from service.api.trace_headers import trace_of
from service.api.while_wanted import arrived_at
from service.background import finished, request_work
from service.draining import Drain
from service.errors import GoingAwayError
from service.limits import Claim, Load, claim_at_hand
from service.logs import redact
from service.telemetry import NoObserver, Observer, RequestAtHand, annotate, request_at_hand

_OK = 200
_SANE_ID = re.compile(rb"[A-Za-z0-9._:/-]{1,128}")


class Edge:
    """An ASGI application around another.

    Args:
        app: the other.
        drain: knows what is under way.
        load: how much of it there may be.
        observer: is told of every request that has ended.
        project: returns the Google Cloud project that traces belong to, once it is known.
        clock: seconds.

    """

    def __init__(
        self,
        app: ASGIApp,
        drain: Drain,
        load: Load,
        *,
        observer: Observer | None = None,
        project: Callable[[], str | None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._drain = drain
        self._load = load
        self._observer = observer or NoObserver()
        self._project = project
        self._clock = clock
        self._ended: list[_Exchange] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        arrived_at.set(asyncio.get_running_loop().time())
        claim = Claim(self._load)
        request = self._begun(scope)
        exchange = _Exchange(scope, receive, send, drain=self._drain, request=request, claim=claim)
        claim_at_hand.set(claim)
        request_at_hand.set(exchange.request)
        request_work.set(exchange.work)
        try:
            if self._drain.begun and exchange.path != "/health":
                await _refuse(exchange.scope, exchange.send)
            else:
                with self._drain:
                    await self._app(exchange.scope, exchange.receive, exchange.send)
                    exchange.end()
                    await exchange.finish_work()
        finally:
            claim.release()
            exchange.end()
            self._ended.append(exchange)
            if len(self._ended) == 1:
                # In no request's context: what is written belongs to many.
                asyncio.get_running_loop().call_soon(self._settle, context=Context())

    def _settle(self) -> None:
        """Count and log the requests that ended in one turn of the loop.

        One step of all of them after the other, for the reason that `service.api.stages` has: that
        alone saves a twelfth of a small request's CPU time.
        """
        ended, self._ended = self._ended, []
        if not self._observer.traces:
            for exchange in ended:
                exchange.complete()
            for exchange in ended:
                self._observer.finished(exchange.request)
        request_line.write([exchange.request for exchange in ended])

    def _begun(self, scope: HTTPScope) -> RequestAtHand:
        headers = dict(scope["headers"])
        return RequestAtHand(
            request_line.new_fields(_request_id(headers), scope["method"]),
            headers,
            trace=trace_of(headers),
            project=self._project(),
            observer=self._observer,
            clock=self._clock,
        )


class _Exchange:
    """What goes in and out for one request, and when.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        send: ASGI's.
        drain: knows whether there is time for work beside the answer.
        request: what is known of it.
        claim: what it takes of what there is.

    """

    def __init__(
        self,
        scope: HTTPScope,
        receive: Receive,
        send: Send,
        *,
        drain: Drain,
        request: RequestAtHand,
        claim: Claim,
    ) -> None:
        self._receive = receive
        self._send = send
        self._drain = drain
        self.request = request
        self._claim = claim
        self.path = scope["path"]
        #: That the request has started.
        self.work: set[asyncio.Task[Any]] = set()
        self._has_body = scope["method"] != "HEAD"
        # RFC 9110 section 9.3.2: HEAD is as GET. The server leaves the body out.
        self.scope: HTTPScope = scope if self._has_body else {**scope, "method": "GET"}
        self._head_at: float | None = None
        self._status = 500

    async def receive(self) -> Any:
        message: Any = await self._receive()
        if message["type"] == "http.disconnect" and self.request.ended is None:
            self.request.fields["client_gone"] = True
        elif self._claim.unannounced:
            self._claim.take(len(message["body"]))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
        elif message["type"] == "http.response.body":
            self.request.size += len(message.get("body", b""))
            if not message.get("more_body"):
                self.end()
                if self.work:
                    # The client has everything, and the instance keeps its CPU until the work is
                    # done.
                    await self._send({**message, "more_body": True})
                    await self.finish_work()
                    message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def _begin(self, message: HTTPResponseStartEvent) -> None:
        self._head_at, self._status = self.request.clock(), message["status"]
        milliseconds = (self._head_at - self.request.began) * 1000
        account = self._claim.account
        message["headers"] = [
            *message["headers"],
            (b"x-request-id", self.request.fields["request_id"].encode()),
            (b"openai-processing-ms", b"%d" % milliseconds),
            (b"openai-version", b"2020-10-01"),
            *([] if account is None else account.headers()),
        ]

    def end(self) -> None:
        """Take note that all has been said; once, before the client's last byte is sent.

        What its tokens count towards hears of them at once, because the client may ask again; and
        an observer of traces does, because what it starts is work beside the answer like any other.
        """
        request = self.request
        if request.ended is not None:
            return
        request.ended = request.clock()
        self._claim.release()  # whoever has read the end may ask again at once
        began_with_a_comment = request.fields["stream"] and self._status == _OK
        if request.answer_began is None and not began_with_a_comment:
            request.answer_began = self._head_at
        if self._claim.account is not None and (tokens := request_line.tokens_of(request)):
            self._claim.account.spend(tokens)
        if request.observer.traces:
            self.complete()
            request.observer.finished(request)

    def complete(self) -> None:
        """Complete the request's line; once, after `end`."""
        request = self.request
        size = request.size if self._has_body else 0
        request_line.complete(request, self.scope, path=self.path, status=self._status, size=size)

    async def finish_work(self) -> None:
        if self.work:
            await self._drain.hold(finished(self.work))


async def _refuse(scope: HTTPScope, send: Send) -> None:
    """Send a client elsewhere, whatever it asks."""
    error = GoingAwayError()
    annotate(code=error.code)
    body = errors.body(error)
    if google_errors.are_for(scope):
        body = google_errors.body(error)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """Keep the client's own id if it is fit for a header and a log."""
    value = headers.get(b"x-request-id", b"")
    if _SANE_ID.fullmatch(value) and redact(value.decode()) == value.decode():
        return value.decode()
    return f"req_{secrets.token_hex(16)}"
