"""Transcriptions, as OpenAI's SDKs send and read them. A request is a form."""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from service.schemas.openai_chat import Temperature
from service.schemas.wire import Wire


class TranscriptionRequest(Wire, kw_only=True):
    """The fields of the form beside `file`."""

    model: str | None = None
    prompt: str | None = None
    language: str | None = None
    response_format: str | None = None
    temperature: Temperature | None = None
    stream: bool | None = None
    timestamp_granularities: Any = None
    include: Any = None
    known_speaker_names: Any = None
    known_speaker_references: Any = None


class InputTokenDetails(Wire):
    text_tokens: int
    audio_tokens: int


class TranscriptionUsage(Wire, kw_only=True):
    type: Literal["tokens"] = "tokens"
    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_token_details: InputTokenDetails | UnsetType = UNSET


class Transcription(Wire):
    text: str
    usage: TranscriptionUsage


class TranscriptDelta(Wire, tag_field="type", tag="transcript.text.delta"):
    delta: str


class TranscriptDone(Wire, tag_field="type", tag="transcript.text.done"):
    text: str
    usage: TranscriptionUsage
