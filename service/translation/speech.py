"""Speech in an answer: Gemini's raw samples, in OpenAI's words and formats."""

import base64
import binascii
import re
import struct
from collections.abc import Sequence
from typing import Literal

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import Audio, AudioDelta, ChatCompletionRequest

AudioFormat = Literal["wav", "pcm16"]

#: Whole samples are two bytes and whole groups of base64 three, so that clients may join either.
_WHOLE = 6
_RATE = 24_000  # Gemini's, and that of OpenAI's pcm16
_URL_SAFE = str.maketrans("-_", "+/")


def audio_format(request: ChatCompletionRequest, model: Model, *, streams: bool) -> AudioFormat:
    """Return how the client gets speech; raise `InvalidRequestError` for how nobody can.

    As at OpenAI a stream is raw: a wav begins with its length.
    """
    wanted = request.audio and request.audio.format
    can: tuple[AudioFormat, ...] = ("pcm16",) if streams else ("wav", "pcm16")
    if not wanted or "audio" not in model.outputs:
        return can[0]
    for one in can:
        if wanted == one:
            return one
    accepted = " and ".join(map(repr, can))
    msg = f"Unsupported value: 'audio.format' cannot be {wanted!r} here. Accepted: {accepted}."
    raise InvalidRequestError(msg, param="audio.format", code="unsupported_value")


def speech(
    blobs: Sequence[gemini.Blob], *, id_: str, created: int, transcript: str, format_: AudioFormat
) -> Audio:
    """Return the speech of a complete answer. It is kept nowhere, so it expires at once."""
    sound = b"".join([_decoded(blob.data) for blob in blobs])
    if format_ == "wav" and (rate := _raw_rate(blobs[0].mime_type)):
        sound = _wav_header(len(sound), rate) + sound
    return Audio(id_, base64.b64encode(sound).decode(), created, transcript)


class SpeechWriter:
    """Writes the speech of one streamed choice as OpenAI does: the id, the samples, the end."""

    def __init__(self, id_: str, created: int) -> None:
        self._id = id_
        self._created = created
        self._rest = b""
        self._begun = False

    def write(self, blobs: Sequence[gemini.Blob]) -> AudioDelta:
        """Return what to say next; an incomplete sample waits for its rest."""
        sound = self._rest + b"".join([_decoded(blob.data) for blob in blobs])
        whole = len(sound) - len(sound) % _WHOLE
        self._rest = sound[whole:]
        return self._say(sound[:whole])

    def end(self) -> list[AudioDelta]:
        """Return the last things to say, if anything has been said; the end comes alone."""
        if not self._begun:
            return []
        rest = [self._say(self._rest)] if self._rest else []
        return [*rest, AudioDelta(expires_at=self._created)]

    def _say(self, sound: bytes) -> AudioDelta:
        said = AudioDelta(data=base64.b64encode(sound).decode() or None)
        if not self._begun:
            said.id = self._id  # once: clients join what comes twice
        self._begun = True
        return said


def _raw_rate(mime_type: str) -> int | None:
    """Return how many samples a second has; None for sound that is in a file of its own."""
    kind, _, parameters = mime_type.lower().partition(";")
    if kind.strip() not in ("audio/l16", "audio/pcm"):
        return None
    rate = re.search(r"\brate=(\d{1,6})\b", parameters)
    return int(rate[1]) if rate else _RATE


def _wav_header(size: int, rate: int) -> bytes:
    """Return what makes a file of one channel of 16-bit samples."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + size, b"WAVE"),
        *(b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16),
        *(b"data", size),
    )


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data.translate(_URL_SAFE))
    except (binascii.Error, ValueError):
        return b""
