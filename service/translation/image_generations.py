"""OpenAI's request for images to Gemini's, whose models draw as they talk; and back."""

import math
import re
from collections.abc import Sequence

from msgspec import UNSET

from service.errors import InvalidRequestError
from service.schemas.gemini import (
    Content,
    GenerateContentRequest,
    GenerateContentResponse,
    GenerationConfig,
    ImageConfig,
    Part,
)
from service.schemas.image_generations import (
    GeneratedImage,
    ImageList,
    ImageRequest,
    ImageTokensDetails,
    ImageUsage,
)
from service.schemas.openai import Usage
from service.translation.usage import to_usage, total

_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")

#: What has no meaning at Gemini; each is None in a request that says nothing of it.
_IGNORED = (
    "background",
    "moderation",
    "output_compression",
    "output_format",
    "partial_images",
    "quality",
    "style",
)


def to_gemini_image_request(request: ImageRequest) -> GenerateContentRequest:
    """Ask a model to draw; raise `InvalidRequestError`."""
    if request.stream:
        msg = "Unsupported parameter: 'stream'. Images come when they are complete."
        raise InvalidRequestError(msg, param="stream", code="unsupported_parameter")
    config = GenerationConfig(response_modalities=["TEXT", "IMAGE"])
    if request.size not in (None, "auto"):
        config.image_config = ImageConfig(aspect_ratio=_ratio(request.size or ""))
    content = Content(role="user", parts=[Part(text=request.prompt)])
    return GenerateContentRequest(contents=[content], generation_config=config)


def ignored_image_params(request: ImageRequest) -> list[str]:
    """Name what cannot be honoured: the image comes in the answer, and as Gemini makes it."""
    names = [name for name in _IGNORED if getattr(request, name) not in (None, "auto")]
    return [*names, "response_format"] if request.response_format == "url" else names


def _ratio(size: str) -> str:
    """Return the nearest of the shapes that Gemini draws; how many pixels it has is its own."""
    match = _SIZE.fullmatch(size)
    if match is None:
        msg = "Invalid 'size': it must be 'auto', or width and height as in '1024x1024'."
        raise InvalidRequestError(msg, param="size", code="invalid_value")
    wanted = math.log(int(match[1]) / int(match[2]))

    def distance(ratio: str) -> float:
        width, _, height = ratio.partition(":")
        return abs(math.log(int(width) / int(height)) - wanted)

    return min(_RATIOS, key=distance)


def to_images(responses: Sequence[GenerateContentResponse], created: int, most: int) -> ImageList:
    """List the images of all answers; raise `InvalidRequestError` if there are none."""
    images = [image for response in responses for image in _images(response)]
    if not images:
        raise _nothing_drawn(responses[0])
    usage = total([to_usage(response.usage_metadata) for response in responses])
    return ImageList(created, images[:most], _usage(usage))


def _parts(response: GenerateContentResponse) -> list[Part]:
    return [
        part
        for candidate in response.candidates or []
        for part in (candidate.content and candidate.content.parts) or []
        if not part.thought
    ]


def _images(response: GenerateContentResponse) -> list[GeneratedImage]:
    blobs = [part.inline_data for part in _parts(response)]
    return [
        GeneratedImage(blob.data)
        for blob in blobs
        if blob is not None and blob.data and blob.mime_type.startswith("image/")
    ]


def _nothing_drawn(response: GenerateContentResponse) -> InvalidRequestError:
    reasons = [candidate.finish_reason for candidate in response.candidates or []]
    if response.prompt_feedback is not None:
        reasons.append(response.prompt_feedback.block_reason)
    reason = next((reason for reason in reasons if reason and reason != "STOP"), None)
    said = "".join(part.text or "" for part in _parts(response))[:500]
    why = f" ({reason})" if reason else ""
    words = f" It said: {said}" if said else ""
    return InvalidRequestError(
        f"Gemini did not draw anything{why}.{words}",
        param="prompt",
        code="content_policy_violation" if reason else "no_image",
    )


def _usage(usage: Usage) -> ImageUsage:
    images = usage.prompt_tokens_details.image_tokens
    image_tokens = 0 if images is UNSET else images
    details = ImageTokensDetails(usage.prompt_tokens - image_tokens, image_tokens)
    return ImageUsage(usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, details)
