"""`POST /v1/audio/transcriptions`: what is said in a recording."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat
from litestar.params import SkipValidation

from service.api.asking import model_asked, wants_stream
from service.api.defaults import defaults_of
from service.api.documentation import ERRORS
from service.api.forms import File, read_form
from service.api.requests import fault
from service.api.streaming import EventStream
from service.api.switching import Asking, Question
from service.api.while_wanted import WhileWanted
from service.connections import client_of
from service.errors import InvalidRequestError, RequestTooLargeError
from service.interfaces import Gateway
from service.models import Model
from service.schemas.openai_transcriptions import Transcription, TranscriptionRequest
from service.translation.transcriptions import (
    Transcriber,
    format_of,
    ignored_params,
    to_blob,
    to_gemini,
)

_FILE = "file"

_FIELDS: dict[str, Reference | Schema] = {
    _FILE: Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY),
    "model": Schema(type=OpenAPIType.STRING),
    "prompt": Schema(type=OpenAPIType.STRING),
    "language": Schema(type=OpenAPIType.STRING),
    "response_format": Schema(type=OpenAPIType.STRING, enum=["json", "text"]),
    "temperature": Schema(type=OpenAPIType.NUMBER, minimum=0, maximum=2),
    "stream": Schema(type=OpenAPIType.BOOLEAN),
}


@dataclass
class _FormOperation(Operation):
    """The handler reads the form itself, so Litestar cannot know what is in it."""

    def __post_init__(self) -> None:
        form = Schema(type=OpenAPIType.OBJECT, required=[_FILE, "model"], properties=_FIELDS)
        content = {"multipart/form-data": OpenAPIMediaType(schema=form)}
        self.request_body = RequestBody(content=content, required=True)


class TranscriptionController(Controller):
    path = "/audio/transcriptions"
    tags = ["Audio"]

    @post(
        status_code=200,
        responses={
            200: ResponseSpec(
                Transcription,
                generate_examples=False,
                description="The transcript; with `stream`, `text/event-stream` of it.",
            ),
            **ERRORS,
        },
        summary="Transcribe a recording",
        operation_class=_FormOperation,
    )
    async def create(
        self,
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> Response[Any]:
        """Answer as JSON, as text, or with server-sent events when `stream` is true."""
        settings = gateway.settings
        form = await read_form(request, bytes_fields=frozenset({_FILE}))
        data = _decoded(form.texts)
        _, model = model_asked(data.model, settings)
        streams = wants_stream(data.stream, request, settings)
        format_ = format_of(data)
        file = _no_larger(form.files.get(_FILE), settings.media_max_bytes)
        blob = await asyncio.to_thread(to_blob, file.content, file.name, file.content_type)

        def translate(model: Model) -> Question:
            request = to_gemini(data, model, blob, defaults_of(settings))
            return Question(model.id, [request], ignored_params(data, model))

        asking = Asking(model, translate, settings)
        connection = await gateway.connection()
        transcriber = Transcriber()
        if streams:
            return EventStream(
                lambda: asking.stream(connection, None),
                transcriber,
                headers=asking.headers,
                keepalive=settings.sse_keepalive_seconds,
                deadline=settings.request_deadline_seconds,
            )
        async with WhileWanted(client_of(request.scope), settings.request_deadline_seconds):
            answers = await asking.whole(connection)
        transcriber.push(answers.responses[0])
        whole = transcriber.whole()
        if format_ == "text":
            return Response(whole.text, media_type="text/plain", headers=asking.headers)
        return Response(
            msgspec.json.encode(whole), media_type="application/json", headers=asking.headers
        )


def _decoded(texts: dict[str, str]) -> TranscriptionRequest:
    """Read the fields, of which an empty one is an absent one."""
    given = {name: text for name, text in texts.items() if text}
    try:
        return msgspec.convert(given, TranscriptionRequest, strict=False)
    except msgspec.ValidationError as error:
        raise fault(str(error), TranscriptionRequest) from None


def _no_larger(file: File | None, limit: int) -> File:
    if file is None:
        msg = "Missing required parameter: 'file'."
        raise InvalidRequestError(msg, param="file", code="missing_required_parameter")
    if len(file.content) > limit:
        raise RequestTooLargeError(f"The file is larger than {limit} bytes.", param="file")
    return file
