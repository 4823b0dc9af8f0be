"""Images, speech and probabilities where an upstream or a format makes the difference."""

import base64
import io
import wave
from typing import Any

import msgspec
import pytest

from service.api.requests import decode
from service.errors import InvalidRequestError
from service.models import find_model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.request import ignored_params, to_gemini
from service.translation.speech import SpeechWriter, audio_format, speech

SPEAKER = "gemini-2.5-flash-preview-tts"


def asked(**given: Any) -> ChatCompletionRequest:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    return decode(msgspec.json.encode(body | given), ChatCompletionRequest)


def config_of(request: ChatCompletionRequest, id_: str) -> Any:
    model = find_model(id_)
    config = to_gemini(request, model).generation_config
    return msgspec.to_builtins(config), ignored_params(request, model)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"logprobs": True}, {"responseLogprobs": True}),
        ({"logprobs": True, "top_logprobs": 3}, {"responseLogprobs": True, "logprobs": 3}),
        ({"logprobs": True, "top_logprobs": 0}, {"responseLogprobs": True}),
        ({"logprobs": False}, None),
        ({"image_config": {"aspect_ratio": "16:9"}}, {"imageConfig": {"aspectRatio": "16:9"}}),
        ({"image_config": {"imageSize": "2K"}}, {"imageConfig": {"imageSize": "2K"}}),
        ({"image_config": {}}, None),
    ],
)
def test_what_only_some_upstreams_take_is_passed_on_there(
    given: dict[str, Any], expected: Any
) -> None:
    id_ = "gemini-2.5-flash-image" if "image_config" in given else "gemini-2.5-flash"
    assert config_of(asked(**given), id_) == (expected, [])


@pytest.mark.parametrize(
    ("id_", "inputs", "outputs", "thinking"),
    [
        ("gemini-2.5-flash", True, ("text",), "budget"),
        ("gemini-2.5-flash-image", True, ("text", "image"), None),
        ("gemini-2.5-flash-image-preview", True, ("text", "image"), None),
        ("gemini-3-pro-image-preview", True, ("text", "image"), "level"),
        ("gemini-2.5-pro-preview-tts", False, ("audio",), None),
        ("gemini-9-flash", True, ("text",), "level"),
    ],
)
def test_a_name_tells_who_draws_and_who_speaks(
    id_: str, outputs: tuple[str, ...], thinking: str | None, *, inputs: bool
) -> None:
    model = find_model(id_)
    assert (model.outputs, model.thinking) == (outputs, thinking)
    assert ("image" in model.inputs) is inputs


@pytest.mark.parametrize(
    ("audio", "streams", "expected"),
    [
        (None, False, "wav"),
        ({"format": "wav"}, False, "wav"),
        ({"format": "pcm16"}, False, "pcm16"),
        ({"voice": "Kore"}, True, "pcm16"),
        ({"format": "pcm16"}, True, "pcm16"),
    ],
)
def test_formats_of_speech(audio: Any, expected: str, *, streams: bool) -> None:
    assert audio_format(asked(audio=audio), find_model(SPEAKER), streams=streams) == expected


@pytest.mark.parametrize(("format_", "streams"), [("mp3", False), ("opus", True), ("wav", True)])
def test_a_format_that_nobody_makes_is_refused(format_: str, *, streams: bool) -> None:
    request = asked(audio={"format": format_})
    with pytest.raises(InvalidRequestError, match=format_) as raised:
        audio_format(request, find_model(SPEAKER), streams=streams)
    assert (raised.value.param, raised.value.code) == ("audio.format", "unsupported_value")
    assert audio_format(request, find_model("gemini-2.5-flash"), streams=streams)


@pytest.mark.parametrize(
    ("mime_type", "rate"),
    [
        ("audio/L16;codec=pcm;rate=24000", 24_000),
        ("audio/l16; rate=16000", 16_000),
        ("audio/pcm", 24_000),
    ],
)
def test_a_wav_file_can_be_played(mime_type: str, rate: int) -> None:
    blob = gemini.Blob(mime_type, base64.b64encode(bytes(range(8))).decode())
    made = speech([blob, blob], id_="a", created=7, transcript="", format_="wav")
    with wave.open(io.BytesIO(base64.b64decode(made.data))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (rate, 1, 2)
        assert file.readframes(99) == bytes(range(8)) * 2


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 100])
def test_streamed_speech_can_be_joined_before_or_after_decoding(size: int) -> None:
    sound = bytes(range(100))
    writer = SpeechWriter("a", 7)
    said = [
        writer.write([gemini.Blob("audio/L16", base64.urlsafe_b64encode(piece).decode())])
        for piece in (sound[at : at + size] for at in range(0, 100, size))
    ]
    said += writer.end()
    assert said[-1].expires_at == 7
    pieces = [one.data or "" for one in said]
    assert base64.b64decode("".join(pieces)) == sound
    assert b"".join(base64.b64decode(piece) for piece in pieces) == sound
    assert all(len(base64.b64decode(piece)) % 2 == 0 for piece in pieces)
    assert [one.id for one in said if one.id] == ["a"]


def test_bytes_that_are_none_are_left_out() -> None:
    made = speech(
        [gemini.Blob("audio/L16", "A")], id_="a", created=7, transcript="", format_="pcm16"
    )
    assert made.data == ""
