"""Responses that write themselves to ASGI's `send`.

For what Litestar makes of a response by itself (cookies, background tasks, headers of several
origins) a small request would pay a tenth of its CPU time.
"""

from typing import Any

from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send


class DirectResponse(Response[None]):
    """A response whose subclass is an ASGI application."""

    def __init__(self) -> None:
        """Leave out all that Litestar's would keep."""

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        app: Any = self
        return app  # type: ignore[no-any-return]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError


class JSONBytes(DirectResponse):
    """A response of JSON that has been encoded already, with status 200."""

    def __init__(self, body: bytes, headers: dict[str, str]) -> None:
        self._body = body
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self._body)),
            *[(name.encode(), value.encode()) for name, value in self._headers.items()],
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})
