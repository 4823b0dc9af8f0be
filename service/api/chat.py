"""`POST /v1/chat/completions`: the whole path of a request, on one screen."""

import time
import uuid
from functools import partial
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from service.api.asking import Answers, Asking, Question
from service.api.choices import ManyAnswers, each
from service.api.defaults import defaults_of
from service.api.documentation import ERRORS, EVENTS
from service.api.guards import caller
from service.api.media import fetched_media
from service.api.requests import StrictJSON
from service.api.signatures import Signatures
from service.api.streaming import EventStream, Responses, WhileConnected, within
from service.errors import InvalidRequestError
from service.interfaces import Gateway
from service.logs import annotate
from service.models import Model, find_model, unaliased
from service.schemas.openai_chat import ChatCompletionRequest
from service.settings import Settings
from service.translation.choices import ChoicesTranslator
from service.translation.parameters import ignored_params
from service.translation.reasoning import ReasoningField
from service.translation.request import to_gemini
from service.translation.response import Metadata, to_openai
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
        name = data.model or settings.default_model
        if name is None:
            msg = "Missing required parameter: 'model'. GET /v1/models lists the ones there are."
            raise InvalidRequestError(msg, param="model", code="missing_required_parameter")
        model = find_model(unaliased(name, settings.aliases))
        streams = _wants_stream(data, request, settings)
        annotate(model=model.id, stream=streams)
        defaults = defaults_of(settings)
        signatures = Signatures(data, model, caller(request))
        data = await signatures.restored(gateway)
        fetched = await fetched_media(data, request, gateway)
        reasoning = shown_in(data, defaults)

        def translate(model: Model) -> Question:
            request = to_gemini(data, model, defaults=defaults, fetched=fetched)
            return Question(model.id, request, ignored_params(data, model, defaults))

        asking = Asking(model, translate, settings)
        metadata = Metadata(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=name,
            call_prefix=f"call_{uuid.uuid4().hex[:24]}_",  # some relays cut ids at 40 characters
            calling=calling(data),
            # A link in JSON would spoil it.
            inline_citations=settings.enable_inline_citations and not wants_json(data),
        )

        connection = await gateway.connection()
        upstream = connection.upstream
        choices = data.n or 1
        if streams:
            usage = bool(data.stream_options and data.stream_options.include_usage)
            translator = _translator(metadata, choices, usage=usage, reasoning=reasoning)

            async def open_streams(question: Question) -> Responses:
                ask = partial(upstream.stream, question.model, question.request)
                if isinstance(translator, ChunkTranslator):
                    return await ask()
                return await ManyAnswers.open(ask, choices, translator)

            async def open_answer() -> Responses:
                answer = await asking.ask(connection, open_streams)
                translator.rename(asking.stand_in or name)
                return answer

            return EventStream(
                open_answer,
                signatures.watching(translator, connection.signatures),
                headers=asking.headers,
                keepalive=settings.sse_keepalive_seconds,
                deadline=settings.request_deadline_seconds,
            )

        async def ask_all(question: Question) -> Answers:
            ask = partial(upstream.generate, question.model, question.request)
            return Answers(await each(ask, choices))

        async with WhileConnected(request.receive), within(settings.request_deadline_seconds):
            answers = await asking.ask(connection, ask_all)
        metadata = metadata._replace(model=asking.stand_in or name)
        completion = to_openai(answers.responses, metadata, reasoning=reasoning)
        signatures.keep(completion, connection.signatures)
        return Response(
            _encoder.encode(completion), media_type="application/json", headers=asking.headers
        )


def _translator(
    metadata: Metadata, choices: int, *, usage: bool, reasoning: ReasoningField
) -> ChunkTranslator | ChoicesTranslator:
    if choices == 1:
        return ChunkTranslator(metadata, include_usage=usage, reasoning=reasoning)
    return ChoicesTranslator(metadata, choices, include_usage=usage, reasoning=reasoning)


def _wants_stream(
    data: ChatCompletionRequest, request: Request[Any, Any, Any], settings: Settings
) -> bool:
    """Do as the request says; if it does not say, as it accepts; else as the operator set."""
    if data.stream is not None:
        return data.stream
    accept = request.headers.get("accept", "")
    only_events = "text/event-stream" in accept and "application/json" not in accept
    return only_events or settings.stream_by_default
