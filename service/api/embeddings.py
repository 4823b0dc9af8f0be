"""`POST /v1/embeddings`."""

from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, SkipValidation

from service.api.asking import find_embedding_model
from service.api.documentation import ERRORS, UNSUPPORTED
from service.api.requests import StrictJSON
from service.api.while_wanted import WhileWanted
from service.connections import client_of
from service.interfaces import Gateway
from service.models import unaliased
from service.schemas.embeddings import EmbeddingList, EmbeddingRequest
from service.telemetry import annotate
from service.translation.embeddings import to_embed_request, to_embeddings

_encoder = msgspec.json.Encoder()
_WITHOUT_COMPLETION = {"completion_tokens": 0, "reasoning_tokens": 0, "cached_tokens": 0}


class EmbeddingController(Controller):
    path = "/embeddings"
    tags = ["Embeddings"]

    @post(
        dto=StrictJSON[EmbeddingRequest],
        return_dto=None,
        status_code=200,
        responses={
            200: ResponseSpec(EmbeddingList, generate_examples=False, description="The vectors."),
            **ERRORS,
            **UNSUPPORTED,
        },
        summary="Create embeddings",
    )
    async def create(
        self,
        data: JSONBody[EmbeddingRequest],
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> Response[Any]:
        """Answer with one vector for each text, in their order."""
        settings = gateway.settings
        model = find_embedding_model(unaliased(data.model, settings.aliases))
        annotate(model_asked=model.id)
        asked = to_embed_request(data)
        connection = await gateway.connection()
        async with WhileWanted(client_of(request.scope), settings.request_deadline_seconds):
            embedded = await connection.embedder.embed(model.id, asked)
        if embedded.tokens:
            annotate(**_WITHOUT_COMPLETION, prompt_tokens=embedded.tokens)
        answer = to_embeddings(embedded.vectors, embedded.tokens, data, model)
        return Response(
            _encoder.encode(answer),
            media_type="application/json",
            headers={"x-upstream": embedded.upstream},
        )
