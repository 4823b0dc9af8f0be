"""`POST /v1/chat/completions`: the whole path of a request, on one screen."""

import time
import uuid
from collections.abc import Awaitable
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from service.api.asking import ignored_header, model_asked, wants_stream
from service.api.choices import ManyAnswers, each
from service.api.defaults import defaults_of
from service.api.documentation import ERRORS, EVENTS
from service.api.guards import caller
from service.api.media import fetched_media
from service.api.requests import StrictJSON
from service.api.signatures import Signatures
from service.api.streaming import EventStream, WhileConnected
from service.interfaces import AnswerStream, Gateway
from service.logs import annotate
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.choices import ChoicesTranslator
from service.translation.parameters import ignored_params
from service.translation.request import to_gemini
from service.translation.response import Metadata, to_openai
from service.translation.speech import audio_format
from service.translation.stream import ChunkTranslator
from service.translation.structured import wants_json
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
        name, model = model_asked(data.model, settings)
        streams = wants_stream(data.stream, request, settings)
        defaults = defaults_of(settings)
        signatures = Signatures(data, model, caller(request))
        data = await signatures.restored(gateway)
        fetched = await fetched_media(data, request, gateway)
        gemini_request = to_gemini(data, model, defaults=defaults, fetched=fetched)
        reasoning = shown_in(data, defaults)
        ignored = ignored_params(data, model, defaults, strict=settings.strict_params)
        headers = ignored_header(ignored, model, settings)
        metadata = Metadata(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=name,
            call_prefix=f"call_{uuid.uuid4().hex[:24]}_",  # some relays cut ids at 40 characters
            calling=calling(data),
            audio=audio_format(data, model, streams=streams),
            # A link in JSON would spoil it.
            inline_citations=settings.enable_inline_citations and not wants_json(data),
        )

        connection = await gateway.connection()
        upstream = connection.upstream
        choices = data.n or 1
        if streams:
            usage = bool(data.stream_options and data.stream_options.include_usage)

            def ask() -> Awaitable[AnswerStream]:
                return upstream.stream(model.id, gemini_request)

            if choices == 1:
                one = ChunkTranslator(metadata, include_usage=usage, reasoning=reasoning)
                return EventStream(
                    ask,
                    signatures.watching(one, connection.signatures),
                    headers=headers,
                    keepalive=settings.sse_keepalive_seconds,
                )
            many = ChoicesTranslator(metadata, choices, include_usage=usage, reasoning=reasoning)
            return EventStream(
                lambda: ManyAnswers.open([ask] * choices, many),
                signatures.watching(many, connection.signatures),
                headers=headers,
                keepalive=settings.sse_keepalive_seconds,
            )
        async with WhileConnected(request.receive):
            answers = await each([lambda: upstream.generate(model.id, gemini_request)] * choices)
        headers["x-upstream"] = answers[0].upstream
        annotate(upstream=answers[0].upstream)
        responses = [answer.response for answer in answers]
        completion = to_openai(responses, metadata, reasoning=reasoning)
        signatures.keep(completion, connection.signatures)
        return Response(_encoder.encode(completion), media_type="application/json", headers=headers)
