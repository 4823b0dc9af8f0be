"""Google's own API, for its own clients: `generateContent`, `streamGenerateContent`, `countTokens`.

Bodies and answers are Google's and pass through as they are. What is asked of which upstream, the
tries and the ways are those of a chat completion.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, SkipValidation
from msgspec import Raw

from service.api import google_errors
from service.api.asking import find_chat_model
from service.api.direct import JSONBytes
from service.api.documentation import GOOGLE_ERRORS
from service.api.requests import decode
from service.api.streaming import EventStream, Writer
from service.api.switching import Asking, Question
from service.api.while_wanted import WhileWanted
from service.connections import client_of
from service.errors import (
    GatewayError,
    UnknownUrlError,
    UnsupportedEndpointError,
    UpstreamTruncatedError,
)
from service.interfaces import Connection, Counted, Gateway
from service.models import unaliased
from service.schemas.gemini import GenerateContentResponse
from service.schemas.gemini_native import NativeRequest, NativeResponse
from service.settings import Settings
from service.telemetry import annotate
from service.translation.response import is_blocked, is_final

_TARGET = re.compile(
    r"(?:/[^/]+/locations/[^/]+/publishers)?(?:/google/models)?/(?P<model>[^/:]+):(?P<method>\w+)"
)


@dataclass
class _BodyOfGoogles(Operation):
    """The handler passes the body on as it came, so Litestar cannot know what is in it."""

    def __post_init__(self) -> None:
        objects = Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.OBJECT))
        schema = Schema(type=OpenAPIType.OBJECT, properties={"contents": objects})
        content = {"application/json": OpenAPIMediaType(schema=schema)}
        self.request_body = RequestBody(content=content, required=True)


class DeveloperController(Controller):
    """The Developer API's paths."""

    path = "/models"
    tags = ["Gemini"]

    @post(
        "/{target:path}",
        status_code=200,
        responses=GOOGLE_ERRORS,
        summary="Ask Gemini by its own API",
        operation_class=_BodyOfGoogles,
    )
    async def ask(
        self,
        target: FromPath[str],
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> Response[Any]:
        """Pass on what the path ends in: `MODEL:METHOD`."""
        return await _ask(target, request, gateway)


class VertexController(Controller):
    """Vertex AI's paths."""

    tags = ["Gemini"]

    @post(
        ["/projects/{target:path}", "/publishers/{target:path}"],
        status_code=200,
        responses=GOOGLE_ERRORS,
        summary="Ask Gemini by Vertex AI's API",
        operation_class=_BodyOfGoogles,
    )
    async def ask(
        self,
        target: FromPath[str],
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> Response[Any]:
        """Do the same. Project and location are the gateway's own, whatever the path says."""
        return await _ask(target, request, gateway)


async def _ask(target: str, request: Request[Any, Any, Any], gateway: Gateway) -> Response[Any]:
    match = _TARGET.fullmatch(target)
    if match is None:
        msg = f"Unknown request URL: POST {request.url.path}. It must end in MODEL:METHOD."
        raise UnknownUrlError(msg)
    settings = gateway.settings
    model = find_chat_model(unaliased(match["model"], settings.aliases))
    method = match["method"]
    if method not in _METHODS:
        accepted = ", ".join(_METHODS)
        msg = f"This gateway does not pass {method} on to Gemini, only {accepted}."
        raise UnsupportedEndpointError(msg)
    annotate(model_asked=model.id, stream=method == "streamGenerateContent")
    body = _body(await request.body())
    asking = Asking(model, lambda one: Question(one.id, [body], ()), settings, named=list)
    connection = await gateway.connection()
    if method == "streamGenerateContent":
        return _stream(request, connection, asking, settings)
    async with WhileWanted(client_of(request.scope), settings.request_deadline_seconds):
        if method == "countTokens":
            return _counted(await connection.counter.count_tokens(model.id, body))
        answers = await asking.whole(connection)
    response = answers.responses[0]
    if not _is_complete(response):
        raise _truncated()
    return _whole(_wire(response), asking.headers)


_METHODS = ("generateContent", "streamGenerateContent", "countTokens")


def _counted(counted: Counted) -> JSONBytes:
    headers = {"x-upstream": counted.upstream}
    if counted.left_out:
        headers["x-ignored-params"] = ",".join(counted.left_out)
    return _whole(counted.body, headers)


def _whole(body: bytes, headers: dict[str, str]) -> JSONBytes:
    return JSONBytes(body, headers)


def _body(content: bytes) -> NativeRequest:
    """Decode the outermost object; what is inside is passed on, and must be readable at least."""
    decode(content, dict[str, Any])  # `Raw` looks neither at a text's bytes nor at a number's size
    return NativeRequest(decode(content, dict[str, Raw]))


def _stream(
    request: Request[Any, Any, Any], connection: Connection, asking: Asking, settings: Settings
) -> EventStream:
    kind = _Events if request.query_params.get("alt") == "sse" else _List
    return kind(
        partial(asking.stream, connection, None),
        Verbatim(),
        headers=asking.headers,
        keepalive=settings.sse_keepalive_seconds,
        deadline=settings.request_deadline_seconds,
    )


def _wire(response: GenerateContentResponse) -> bytes:
    return response.wire if isinstance(response, NativeResponse) else b"{}"


class Verbatim:
    """A `Translator` that translates nothing, and knows whether the answer is complete."""

    def __init__(self) -> None:
        self.finished = False

    def push(self, response: GenerateContentResponse) -> Sequence[Any]:
        self.finished |= _is_complete(response)
        return ()

    def finish(self) -> Sequence[Any]:
        """Raise `UpstreamTruncatedError` for an answer that must not look as if it had ended."""
        if not self.finished:
            raise _truncated()
        return ()

    def break_off(self) -> Sequence[Any]:
        return ()


def _is_complete(response: GenerateContentResponse) -> bool:
    ended = any(is_final(candidate.finish_reason) for candidate in response.candidates or [])
    return ended or is_blocked(response)


def _truncated() -> UpstreamTruncatedError:
    return UpstreamTruncatedError("Gemini's answer ended without a reason to finish. Ask again.")


class _EventWriter(Writer):
    """Google's events, which have no `[DONE]`, and line ends of two bytes."""

    #: An empty line: its Python client takes a comment for JSON.
    filler = b"\r\n"

    def chunks(self, response: Any) -> bytes:
        super().chunks(response)
        return _event(_wire(response))

    def ending(self) -> bytes:
        self._translator.finish()
        return b""

    def broken(self, failure: GatewayError) -> bytes:
        return _event(google_errors.body(failure))


def _event(data: bytes) -> bytes:
    if b"\n" in data or b"\r" in data:
        data = msgspec.json.format(data, indent=-1)
    return b"data: " + data + b"\r\n\r\n"


class _ListWriter(Writer):
    """One JSON array, whose items come one by one."""

    content_type = b"application/json; charset=UTF-8"
    filler = b"\n"
    _separator = b"["

    def chunks(self, response: Any) -> bytes:
        super().chunks(response)
        return self._item(_wire(response))

    def ending(self) -> bytes:
        self._translator.finish()
        return b"]" if self._separator != b"[" else b"[]"

    def broken(self, failure: GatewayError) -> bytes:
        return self._item(google_errors.body(failure)) + b"]"

    def _item(self, data: bytes) -> bytes:
        before, self._separator = self._separator, b"\r\n,\r\n"
        return before + data


class _Events(EventStream):
    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return _EventWriter(self)


class _List(EventStream):
    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return _ListWriter(self)
