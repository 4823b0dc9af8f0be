"""`POST /v1/images/generations`, as OpenAI's clients see it. The rules of `schemas.openai` hold."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from service.schemas.wire import Wire


class ImageRequest(Wire, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1)]
    model: str
    n: Annotated[int, Meta(ge=1, le=10)] | None = None
    size: str | None = None
    response_format: Literal["b64_json", "url"] | None = None
    stream: bool | None = None
    user: str | None = None
    # What Gemini has no word for.
    background: Any = None
    moderation: Any = None
    output_compression: Any = None
    output_format: Any = None
    partial_images: Any = None
    quality: Any = None
    style: Any = None


class GeneratedImage(Wire):
    b64_json: str


class ImageTokensDetails(Wire):
    text_tokens: int
    image_tokens: int


class ImageUsage(Wire):
    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: ImageTokensDetails


class ImageList(Wire):
    created: int
    data: list[GeneratedImage]
    usage: ImageUsage
