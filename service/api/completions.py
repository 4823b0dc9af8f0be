"""`POST /v1/completions`, for clients from before there were chats."""

import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from service.api.asking import ignored_header, model_asked, wants_stream
from service.api.choices import ManyAnswers, each
from service.api.defaults import defaults_of
from service.api.documentation import ERRORS, events_of
from service.api.requests import StrictJSON
from service.api.streaming import EventStream, WhileConnected
from service.interfaces import Answer, AnswerStream, Gateway
from service.logs import annotate
from service.schemas.openai_completions import Completion, CompletionRequest
from service.translation.completions import (
    CompletionTranslator,
    ignored_params,
    prompts,
    to_completion,
    to_gemini,
)
from service.translation.response import Metadata

_encoder = msgspec.json.Encoder()


class CompletionController(Controller):
    path = "/completions"
    tags = ["Completions"]

    @post(
        dto=StrictJSON[CompletionRequest],
        return_dto=None,
        status_code=200,
        responses={**events_of(Completion), **ERRORS},
        summary="Continue a text",
    )
    async def create(
        self,
        data: JSONBody[CompletionRequest],
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> Response[Any]:
        """Answer each prompt with a choice of its own, in one piece or as server-sent events."""
        settings = gateway.settings
        name, model = model_asked(data.model, settings)
        streams = wants_stream(data.stream, request, settings)
        requests = to_gemini(data, model, defaults_of(settings))
        before = prompts(data) if data.echo else [""] * len(requests)
        headers = ignored_header(ignored_params(data, model), model, settings)
        metadata = Metadata(id=f"cmpl-{uuid.uuid4().hex}", created=int(time.time()), model=name)

        upstream = await gateway.upstream()
        if streams:
            usage = bool(data.stream_options and data.stream_options.include_usage)
            translator = CompletionTranslator(metadata, before=before, include_usage=usage)
            opens: list[Callable[[], Awaitable[AnswerStream]]] = [
                partial(upstream.stream, model.id, one) for one in requests
            ]
            return EventStream(
                lambda: ManyAnswers.open(opens, translator),
                translator,
                headers=headers,
                keepalive=settings.sse_keepalive_seconds,
            )
        asks: list[Callable[[], Awaitable[Answer]]] = [
            partial(upstream.generate, model.id, one) for one in requests
        ]
        async with WhileConnected(request.receive):
            answers = await each(asks)
        headers["x-upstream"] = answers[0].upstream
        annotate(upstream=answers[0].upstream)
        responses = [answer.response for answer in answers]
        completion = to_completion(responses, metadata, before=before)
        return Response(_encoder.encode(completion), media_type="application/json", headers=headers)
