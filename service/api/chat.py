"""`POST /v1/chat/completions`: the whole path of a request, on one screen."""

import time
import uuid
from collections.abc import Awaitable
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from service.api.choices import ManyAnswers, each
from service.api.defaults import defaults_of
from service.api.documentation import ERRORS, EVENTS
from service.api.requests import StrictJSON
from service.api.streaming import EventStream, WhileConnected
from service.errors import InvalidRequestError
from service.interfaces import AnswerStream, Gateway
from service.logs import annotate
from service.models import Model, find_chat_model
from service.schemas.openai_chat import ChatCompletionRequest
from service.settings import Settings
from service.translation.choices import ChoicesTranslator
from service.translation.parameters import ignored_params
from service.translation.request import to_gemini
from service.translation.response import Metadata, to_openai
from service.translation.stream import ChunkTranslator
from service.translation.thinking import shown_in
from service.translation.tool_calls import calling

_encoder = msgspec.json.Encoder()


class ChatController(Controller):
    path = "/chat"
    tags = ["Chat"]

    @post(
        "/completions",
        dto=StrictJSON[ChatCompletionRequest],
        return_dto=None,
        status_code=200,
        responses={**EVENTS, **ERRORS},
        summary="Create a chat completion",
    )
    async def create(
        self,
        data: JSONBody[ChatCompletionRequest],
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> Response[Any]:
        """Answer in one piece, or with server-sent events when `stream` is true."""
        settings = gateway.settings
        name = data.model or settings.default_model
        if name is None:
            msg = "Missing required parameter: 'model'. GET /v1/models lists the ones there are."
            raise InvalidRequestError(msg, param="model", code="missing_required_parameter")
        model = find_chat_model(name)
        streams = _wants_stream(data, request, settings)
        annotate(model=model.id, stream=streams)
        defaults = defaults_of(settings)
        gemini_request = to_gemini(data, model, defaults=defaults)
        reasoning = shown_in(data, defaults)
        headers = _ignored_header(data, model, strict=settings.strict_params)
        metadata = Metadata(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=name,
            call_prefix=f"call_{uuid.uuid4().hex}_",
            calling=calling(data),
        )

        upstream = await gateway.upstream()
        choices = data.n or 1
        if streams:
            usage = bool(data.stream_options and data.stream_options.include_usage)

            def ask() -> Awaitable[AnswerStream]:
                return upstream.stream(model.id, gemini_request)

            if choices == 1:
                one = ChunkTranslator(metadata, include_usage=usage, reasoning=reasoning)
                return EventStream(
                    ask, one, headers=headers, keepalive=settings.sse_keepalive_seconds
                )
            many = ChoicesTranslator(metadata, choices, include_usage=usage, reasoning=reasoning)
            return EventStream(
                lambda: ManyAnswers.open(ask, choices, many),
                many,
                headers=headers,
                keepalive=settings.sse_keepalive_seconds,
            )
        async with WhileConnected(request.receive):
            answers = await each(lambda: upstream.generate(model.id, gemini_request), choices)
        headers["x-upstream"] = answers[0].upstream
        annotate(upstream=answers[0].upstream)
        responses = [answer.response for answer in answers]
        completion = to_openai(responses, metadata, reasoning=reasoning)
        return Response(_encoder.encode(completion), media_type="application/json", headers=headers)


def _wants_stream(
    data: ChatCompletionRequest, request: Request[Any, Any, Any], settings: Settings
) -> bool:
    """Do as the request says; if it does not say, as it accepts; else as the operator set."""
    if data.stream is not None:
        return data.stream
    accept = request.headers.get("accept", "")
    only_events = "text/event-stream" in accept and "application/json" not in accept
    return only_events or settings.stream_by_default


def _ignored_header(data: ChatCompletionRequest, model: Model, *, strict: bool) -> dict[str, str]:
    names = ignored_params(data, model)
    if names and strict:
        msg = f"Unsupported parameter: '{names[0]}'. This gateway cannot honour it for {model.id}."
        raise InvalidRequestError(msg, param=names[0], code="unsupported_parameter")
    return {"x-ignored-params": ",".join(names)} if names else {}
