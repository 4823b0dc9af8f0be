"""`POST /v1/chat/completions`: the whole path of a request, on one screen."""

import secrets
import time
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from service.api.asking import model_asked, wants_stream
from service.api.defaults import defaults_of
from service.api.direct import JSONBytes
from service.api.documentation import ERRORS, EVENTS
from service.api.guards import caller
from service.api.media import fetched_media
from service.api.requests import StrictJSON
from service.api.signatures import Signatures
from service.api.streaming import EventStream, Responses
from service.api.switching import Asking, Question
from service.api.while_wanted import WhileWanted
from service.connections import client_of
from service.interfaces import Gateway
from service.models import Model
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.choices import ChoicesTranslator
from service.translation.options import options_of
from service.translation.reasoning import ReasoningField
from service.translation.request import ignored_params, to_gemini
from service.translation.response import Metadata, to_openai
from service.translation.speech import audio_format
from service.translation.stream import ChunkTranslator
from service.translation.structured import wants_json
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
        options = options_of(data, model, defaults)
        choices = data.n or 1

        def translate(one: Model) -> Question:
            said = options if one is model else options_of(data, one, defaults)
            request = to_gemini(data, one, defaults=defaults, fetched=fetched, options=said)
            strict = settings.strict_params
            ignored = ignored_params(data, one, defaults, strict=strict, options=said)
            return Question(one.id, [request] * choices, ignored)

        asking = Asking(model, translate, settings)
        token = secrets.token_hex(16)
        metadata = Metadata(
            id=f"chatcmpl-{token}",
            created=int(time.time()),
            model=name,
            call_prefix=f"call_{token[:24]}_",  # some relays cut ids at 40 characters
            calling=calling(data),
            audio=audio_format(data, model, streams=streams),
            # A link in JSON would spoil it.
            inline_citations=settings.enable_inline_citations and not wants_json(data),
            may_cite=options.may_cite,
        )

        connection = await gateway.connection()
        if streams:
            usage = bool(data.stream_options and data.stream_options.include_usage)
            translator = _translator(metadata, choices, usage=usage, reasoning=options.reasoning)
            many, at_once = None, None
            if isinstance(translator, ChunkTranslator):
                at_once = translator
            else:
                many = translator

            async def open_answer() -> Responses:
                answer = await asking.stream(connection, many)
                translator.rename(asking.stand_in or name)
                return answer

            return EventStream(
                open_answer,
                signatures.watching(translator, connection.signatures),
                # In words there are no signatures to watch for.
                at_once=at_once,
                headers=asking.headers,
                keepalive=settings.sse_keepalive_seconds,
                deadline=settings.request_deadline_seconds,
            )

        async with WhileWanted(client_of(request.scope), settings.request_deadline_seconds):
            answers = await asking.whole(connection)
        if asking.stand_in is not None:
            metadata = metadata._replace(model=asking.stand_in)
        completion = to_openai(answers.responses, metadata, reasoning=options.reasoning)
        signatures.keep(completion, connection.signatures)
        return JSONBytes(_encoder.encode(completion), asking.headers)


def _translator(
    metadata: Metadata, choices: int, *, usage: bool, reasoning: ReasoningField
) -> ChunkTranslator | ChoicesTranslator:
    if choices == 1:
        return ChunkTranslator(metadata, include_usage=usage, reasoning=reasoning)
    return ChoicesTranslator(metadata, choices, include_usage=usage, reasoning=reasoning)
