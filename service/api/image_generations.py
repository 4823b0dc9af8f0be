"""`POST /v1/images/generations`."""

import time
from functools import partial
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, SkipValidation

from service.api.choices import each
from service.api.documentation import ERRORS, UNSUPPORTED
from service.api.requests import StrictJSON
from service.api.streaming import WhileConnected, within
from service.errors import InvalidRequestError, UnsupportedEndpointError
from service.interfaces import Gateway
from service.models import find_image_model, unaliased
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
        asked = to_gemini_image_request(data)
        ignored = ignored_image_params(data)
        if ignored and settings.strict_params:
            msg = f"Unsupported parameter: '{ignored[0]}'. This gateway cannot honour it."
            raise InvalidRequestError(msg, param=ignored[0], code="unsupported_parameter")
        connection = await gateway.connection()
        if all(way.name == "code_assist" for way in connection.ways):
            raise UnsupportedEndpointError(
                "Code Assist, the only way to Gemini that this gateway has, has no models that "
                "draw. The operator can add Vertex AI or a GEMINI_API_KEY, see UPSTREAMS."
            )
        count = data.n or 1
        generate = partial(connection.upstream.generate, model.id, asked)
        async with WhileConnected(request.receive), within(settings.request_deadline_seconds):
            answers = await each([generate] * count)
        headers = {"x-upstream": answers[0].upstream}
        if ignored := [*ignored, *("size" for _ in answers[0].left_out[:1])]:
            headers["x-ignored-params"] = ",".join(ignored)
        images = to_images([answer.response for answer in answers], int(time.time()), count)
        return Response(_encoder.encode(images), media_type="application/json", headers=headers)
