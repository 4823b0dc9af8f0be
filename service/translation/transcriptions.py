"""Transcriptions: a recording and a request for its words, to Gemini and back."""

import base64
from typing import Literal

from msgspec import UNSET

from service.errors import InvalidRequestError, RequestTooLargeError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai import Usage
from service.schemas.openai_transcriptions import (
    InputTokenDetails,
    TranscriptDelta,
    TranscriptDone,
    Transcription,
    TranscriptionRequest,
    TranscriptionUsage,
)
from service.translation import media_types
from service.translation.defaults import Defaults
from service.translation.modalities import must_hear, must_write
from service.translation.reasoning import pieces
from service.translation.response import (
    finish_reason,
    first_candidate,
    is_blocked,
    is_final,
    malformed,
)
from service.translation.safety import operators_settings
from service.translation.usage import to_usage

Format = Literal["json", "text"]

_INSTRUCTION = (
    "Transcribe this recording word for word, in the language that is spoken in it. "
    "Answer with the transcript and nothing else."
)


def to_gemini(
    request: TranscriptionRequest,
    model: Model,
    recording: gemini.Blob,
    defaults: Defaults,
) -> gemini.GenerateContentRequest:
    """Translate a request; raise `InvalidRequestError` for a model that cannot do it."""
    must_hear(model)
    must_write(model)
    instruction = _INSTRUCTION
    if request.language:
        instruction += f" The language is {request.language}."
    if request.prompt:
        instruction += f"\n\nThe person who asks adds:\n{request.prompt}"
    parts = [gemini.Part(text=instruction), gemini.Part(inline_data=recording)]
    config = None
    if model.sampling and request.temperature is not None:
        config = gemini.GenerationConfig(temperature=request.temperature)
    return gemini.GenerateContentRequest(
        contents=[gemini.Content("user", parts)],
        generation_config=config,
        safety_settings=operators_settings(defaults),
    )


def to_blob(content: bytes, name: str, declared: str) -> gemini.Blob:
    """Return the file of a form for Gemini; raise `InvalidRequestError` if it is no recording."""
    if not content:
        raise InvalidRequestError("The file is empty.", param="file", code="invalid_value")
    mime_type = recording_type(content, name, declared)
    if mime_type is None:
        msg = (
            "The file is neither sound nor film that Gemini takes: mp3, wav, aac, flac, ogg, aiff, "
            "m4a, mp4, webm, mov, avi, mpeg, wmv, flv or 3gp."
        )
        raise InvalidRequestError(msg, param="file", code="unsupported_value")
    return gemini.Blob(mime_type, base64.b64encode(content).decode())


def recording_type(content: bytes, name: str, declared: str) -> str | None:
    """Return the type by the bytes, else by the name, else as declared; None if it is no recording.

    The name comes first because SDKs guess the declared type from it, if they declare one.
    """
    declared = media_types.named(declared) or ""
    found = media_types.of_bytes(content[: media_types.HEAD], declared)
    found = found or media_types.of_name(name) or declared
    is_recording = found.startswith(("audio/", "video/"))
    return found if is_recording and media_types.is_taken(found) else None


def format_of(request: TranscriptionRequest) -> Format:
    """Return how the answer looks; raise `InvalidRequestError` for what has times in it."""
    wanted = request.response_format or "json"
    if wanted == "json":
        return "json"
    if wanted == "text":
        return "text"
    msg = (
        f"Unsupported value: 'response_format' cannot be '{wanted[:40]}': Gemini gives no times. "
        "Accepted: 'json' and 'text'."
    )
    raise InvalidRequestError(msg, param="response_format", code="unsupported_value")


def ignored_params(request: TranscriptionRequest, model: Model) -> list[str]:
    """Name what the client asked for and will not get."""
    names = [name for name in _CANNOT if getattr(request, name)]
    if request.temperature is not None and not model.sampling:
        names.append("temperature")
    return names


_CANNOT = ("include", "known_speaker_names", "known_speaker_references", "timestamp_granularities")


class Transcriber:
    """Translates one answer, in one piece or in many; make a new one for each request."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._native: str | None = None
        self._blocked = False
        self._counted: gemini.UsageMetadata | None = None

    def push(self, response: gemini.GenerateContentResponse) -> list[TranscriptDelta]:
        """Take a response; return what says the same. Raise `UpstreamMalformedError`."""
        if response.usage_metadata is not None:
            self._counted = response.usage_metadata
        self._blocked = self._blocked or is_blocked(response)
        candidate = first_candidate(response)
        native = candidate.finish_reason
        if native is not None and is_final(native):
            if native in gemini.MALFORMED:
                raise malformed(native)
            self._native = native
        text = "".join([piece.text for piece in pieces(candidate) if not piece.thought])
        self._said.append(text)
        return [TranscriptDelta(text)] if text else []

    @property
    def finished(self) -> bool:
        return self._native is not None or self._blocked

    def whole(self) -> Transcription:
        """Return all of it.

        Raise `UpstreamResponseError` if Gemini did not finish. A transcript has no finish reason,
        so one that was cut is an error, too.
        """
        text = "".join(self._said)
        reason = finish_reason(self._native, blocked=self._blocked, empty=not text)
        if reason == "content_filter":
            msg = "Google's filters stopped the transcript of this recording."
            raise InvalidRequestError(msg, param="file", code="content_filter")
        if reason == "length":
            msg = "The transcript is longer than an answer may be: send the recording in pieces."
            raise RequestTooLargeError(msg, param="file")
        return Transcription(text, _usage(to_usage(self._counted)))

    def finish(self) -> list[TranscriptDone]:
        """Take the end of the stream; raise as `whole` does."""
        whole = self.whole()
        return [TranscriptDone(whole.text, whole.usage)]

    def break_off(self) -> list[TranscriptDone]:
        """Nothing must precede an error here."""
        return []


def _usage(usage: Usage) -> TranscriptionUsage:
    details = usage.prompt_tokens_details
    audio, text = details.audio_tokens, details.text_tokens
    return TranscriptionUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        input_token_details=(
            UNSET if audio is UNSET or text is UNSET else InputTokenDetails(text, audio)
        ),
    )
