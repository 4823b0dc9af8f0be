"""Images, recordings and files in a message: OpenAI's parts, and those of other programs.

What says where the bytes are is a data URL, base64 or a URL; which of them, the content tells.
"""

from typing import Literal

from msgspec import Struct, field

from service.schemas.extensions import VideoMetadata
from service.schemas.wire import Wire

#: OpenAI's, and Google's levels in the same spelling.
Detail = Literal["auto", "low", "medium", "high", "ultra_high", "original"]


class MediaPart(Wire, tag_field="type"):
    """One piece of a message that is no text; the JSON field `type` says which."""


class Link(Wire):
    url: str
    detail: Detail | None = None
    format: str | None = None  # a MIME type; LiteLLM's


class ImagePart(MediaPart, tag="image_url"):
    image_url: Link | str


class InputImage(MediaPart, tag="input_image"):
    """As in OpenAI's Responses."""

    image_url: Link | str | None = None
    file_id: str | None = None
    detail: Detail | None = None


class VideoPart(MediaPart, tag="video_url"):
    video_url: Link | str


class Recording(Wire):
    data: str
    format: str | None = None  # OpenAI: wav or mp3; here any, also as a MIME type


class InputAudio(MediaPart, tag="input_audio"):
    input_audio: Recording


class File(Wire):
    file_data: str | None = None
    filename: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    format: str | None = None


class FilePart(MediaPart, tag="file"):
    file: File


class InputFile(MediaPart, tag="input_file"):
    """The same as in OpenAI's Responses."""

    file_data: str | None = None
    filename: str | None = None
    file_id: str | None = None
    file_url: str | None = None


class Attachment(Wire):
    data: str | None = None
    url: str | None = None
    format: str | None = None
    filename: str | None = None
    video_metadata: VideoMetadata | None = field(default=None, name="videoMetadata")


class InputVideo(MediaPart, tag="input_video"):
    """The original's."""

    input_video: Attachment


class InputPdf(MediaPart, tag="input_pdf"):
    """The original's."""

    input_pdf: Attachment


AnyMedia = (
    ImagePart | InputImage | InputAudio | FilePart | InputFile | VideoPart | InputVideo | InputPdf
)


class Fetched(Struct, frozen=True):
    """What a URL of a message led to."""

    data: str  # base64
    content_type: str | None = None  # as the server said

    def __repr__(self) -> str:
        return f"Fetched({len(self.data)} characters)"
