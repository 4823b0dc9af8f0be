"""`POST /v1/completions`, for clients from before there were chats."""

import secrets
import time
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from service.api.asking import model_asked, wants_stream
from service.api.defaults import defaults_of
from service.api.documentation import ERRORS, events_of
from service.api.requests import StrictJSON
from service.api.streaming import EventStream, Responses
from service.api.switching import Asking, Question
from service.api.while_wanted import WhileWanted
from service.connections import client_of
from service.interfaces import Gateway
from service.models import Model
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

        def translate(model: Model) -> Question:
            requests = to_gemini(data, model, defaults_of(settings))
            return Question(model.id, requests, ignored_params(data, model))

        asking = Asking(model, translate, settings)
        before = prompts(data) if data.echo else [""] * asking.choices
        metadata = Metadata(
            id=f"cmpl-{secrets.token_hex(16)}", created=int(time.time()), model=name
        )

        connection = await gateway.connection()
        if streams:
            usage = bool(data.stream_options and data.stream_options.include_usage)
            translator = CompletionTranslator(metadata, before=before, include_usage=usage)

            async def open_answer() -> Responses:
                answer = await asking.stream(connection, translator)
                translator.rename(asking.stand_in or name)
                return answer

            return EventStream(
                open_answer,
                translator,
                headers=asking.headers,
                keepalive=settings.sse_keepalive_seconds,
                deadline=settings.request_deadline_seconds,
            )
        async with WhileWanted(client_of(request.scope), settings.request_deadline_seconds):
            answers = await asking.whole(connection)
        metadata = metadata._replace(model=asking.stand_in or name)
        completion = to_completion(answers.responses, metadata, before=before)
        return Response(
            _encoder.encode(completion), media_type="application/json", headers=asking.headers
        )
