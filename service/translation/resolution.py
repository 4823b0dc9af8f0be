"""How closely Gemini looks at images and videos: OpenAI's `detail`, Google's `media_resolution`."""

from collections.abc import Iterator

from service.models import Model
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_media import Detail, ImagePart, InputImage, Link, VideoPart
from service.translation.extensions import places

_PREFIX = "MEDIA_RESOLUTION_"
#: The lowest first. The last is for single parts only.
_LEVELS = ("LOW", "MEDIUM", "HIGH", "ULTRA_HIGH")


def level_of(detail: Detail | None) -> str | None:
    """Return Google's level; None where the model shall decide."""
    if detail is None or detail == "auto":
        return None
    return _PREFIX + ("HIGH" if detail == "original" else detail.upper())


def for_all(request: ChatCompletionRequest, model: Model) -> str | None:
    """Return the level for the whole request.

    Up to Gemini 2.5 there is no other, so the most detailed part decides unless Google's own
    parameter does.
    """
    for place in places(request):
        asked = place.google and (place.google.media_resolution or place.google.camel_media)
        if asked:
            name = asked.upper().removeprefix(_PREFIX)
            return None if name == "UNSPECIFIED" else _PREFIX + _up_to_high(name)
    if model.media_in_parts:
        return None
    levels = [level.removeprefix(_PREFIX) for level in map(level_of, _details(request)) if level]
    return _PREFIX + _up_to_high(max(levels, key=_LEVELS.index)) if levels else None


def _up_to_high(name: str) -> str:
    return "HIGH" if name == "ULTRA_HIGH" else name


def _details(request: ChatCompletionRequest) -> Iterator[Detail | None]:
    for message in request.messages:
        for part in message.content if isinstance(message.content, list) else []:
            match part:
                case (
                    ImagePart(image_url=Link(detail=detail))
                    | VideoPart(video_url=Link(detail=detail))
                ):
                    yield detail
                case InputImage():
                    link = part.image_url
                    yield part.detail or (link.detail if isinstance(link, Link) else None)
                case _:
                    pass
