"""The parts of a message that are no text, in one shape, and what their URLs name."""

from collections.abc import Sequence
from typing import NamedTuple

from service.file_uris import kind_of
from service.schemas.extensions import VideoMetadata
from service.schemas.openai_chat import ChatMessage
from service.schemas.openai_media import (
    AnyMedia,
    Attachment,
    Detail,
    File,
    FilePart,
    ImagePart,
    InputAudio,
    InputFile,
    InputImage,
    InputPdf,
    InputVideo,
    Link,
    MediaPart,
    VideoPart,
)

_LINKS = ("http", "https", "gs")


class Given(NamedTuple):
    """A part in one shape, whatever it is called."""

    #: Where its value stands in the part, as in `.image_url`.
    place: str
    url: str | None = None
    #: Base64, or a data URL.
    data: str | None = None
    declared: str | None = None
    filename: str | None = None
    #: What it is when nothing else says so.
    kind: str = ""
    is_file: bool = False
    detail: Detail | None = None
    clip: VideoMetadata | None = None


def given(part: AnyMedia) -> Given:
    """Put a part in that shape. Bytes beat a URL where it has both."""
    match part:
        case ImagePart(image_url=link):
            return _link(link, ".image_url", "image")
        case VideoPart(video_url=link):
            return _link(link, ".video_url", "video")
        case InputImage():
            return _input_image(part)
        case InputAudio(input_audio=audio):
            return Given(".input_audio", data=audio.data, declared=audio.format, kind="audio")
        case FilePart(file=file):
            return _file(file, ".file")
        case InputFile():
            return _file(part, "")
        case InputVideo(input_video=video):
            return _attachment(video, ".input_video", "video")
        case InputPdf(input_pdf=pdf):
            return _attachment(pdf, ".input_pdf", "application")


def _link(link: Link | str, place: str, kind: str) -> Given:
    if isinstance(link, str):
        return Given(place, link, kind=kind)
    return Given(place, link.url, declared=link.format, kind=kind, detail=link.detail)


def _input_image(part: InputImage) -> Given:
    if part.image_url is None and part.file_id:
        return Given(".file_id", part.file_id, kind="image", detail=part.detail)
    image = _link(part.image_url or "", ".image_url", "image")
    return image._replace(detail=part.detail or image.detail)


def _file(file: File | InputFile, place: str) -> Given:
    format_ = file.format if isinstance(file, File) else None
    shared = Given(place, declared=format_, filename=file.filename, is_file=True)
    if file.file_data and scheme_of(file.file_data) in _LINKS:  # OpenRouter's way
        return shared._replace(place=place or ".file_data", url=file.file_data)
    if file.file_data:
        return shared._replace(place=place or ".file_data", data=file.file_data)
    if file.file_url:
        return shared._replace(place=place or ".file_url", url=file.file_url)
    if file.file_id:
        return shared._replace(place=f"{place}.file_id", url=file.file_id)
    return shared._replace(place=place or ".file_data")


def _attachment(media: Attachment, place: str, kind: str) -> Given:
    return Given(
        place,
        media.url,
        data=media.data or None,
        declared=media.format or ("application/pdf" if kind == "application" else None),
        filename=media.filename,
        kind=kind,
        clip=media.video_metadata,
    )


def to_fetch(messages: Sequence[ChatMessage]) -> dict[str, str]:
    """Return the URLs whose bytes must be got first, each with the place that names it."""
    urls: dict[str, str] = {}
    for at, message in enumerate(messages):
        content = message.content
        for index, part in enumerate(content if isinstance(content, list) else []):
            if not isinstance(part, MediaPart):
                continue
            media = given(part)
            url = address_of(media)
            if scheme_of(url) in ("http", "https") and kind_of(url) is None:
                urls.setdefault(url, f"messages[{at}].content[{index}]{media.place}")
    return urls


def address_of(media: Given) -> str:
    return "" if media.data else (media.url or "").strip()


def scheme_of(url: str) -> str:
    return url[:20].partition(":")[0].lower()
