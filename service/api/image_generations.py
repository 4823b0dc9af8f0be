"""`POST /v1/images/generations`."""

import time
from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, SkipValidation

from service.api.asking import find_image_model
from service.api.documentation import ERRORS, UNSUPPORTED
from service.api.requests import StrictJSON
from service.api.switching import Asking, Question
from service.api.while_wanted import WhileWanted
from service.connections import client_of
from service.errors import UnsupportedEndpointError
from service.interfaces import Gateway
from service.models import unaliased
from service.schemas.image_generations import ImageList, ImageRequest
from service.telemetry import annotate
from service.translation.image_generations import (
    ignored_image_params,
    to_gemini_image_request,
    to_images,
)

_encoder = msgspec.json.Encoder()


class ImageController(Controller):
    path = "/images"
    tags = ["Images"]

    @post(
        "/generations",
        dto=StrictJSON[ImageRequest],
        return_dto=None,
        status_code=200,
        responses={
            200: ResponseSpec(ImageList, generate_examples=False, description="The images."),
            **ERRORS,
            **UNSUPPORTED,
        },
        summary="Create images",
    )
    async def create(
        self,
        data: JSONBody[ImageRequest],
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> Response[Any]:
        """Answer with images in base64; several are as many calls."""
        settings = gateway.settings
        model = find_image_model(unaliased(data.model, settings.aliases))
        annotate(model_asked=model.id)
        asked = [to_gemini_image_request(data)] * (data.n or 1)
        ignored = ignored_image_params(data)
        asking = Asking(model, lambda one: Question(one.id, asked, ignored), settings, named=_named)
        connection = await gateway.connection()
        if all(way.name == "code_assist" for way in connection.ways):
            raise UnsupportedEndpointError(
                "Code Assist, the only way to Gemini that this gateway has, has no models that "
                "draw. The operator can add Vertex AI or a GEMINI_API_KEY, see UPSTREAMS."
            )
        async with WhileWanted(client_of(request.scope), settings.request_deadline_seconds):
            answers = await asking.whole(connection)
        images = to_images(answers.responses, int(time.time()), len(asked))
        return Response(
            _encoder.encode(images), media_type="application/json", headers=asking.headers
        )


def _named(left_out: Iterable[str]) -> list[str]:
    """Only the image's shape is an upstream's matter."""
    return ["size"] if list(left_out) else []
