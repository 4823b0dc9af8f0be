"""Images, speech, completions and transcriptions with the official OpenAI SDK for Python."""

import base64
import io
import wave
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.gateway import API_KEY, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import answer

PIXEL = "iVBORw0KGgo="
IMAGE = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
SAMPLES = bytes(range(40))
MODEL = "gemini-2.5-flash"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=API_KEY, max_retries=0) as client:
        yield client


def on(google: Google, model: str) -> dict[str, Any]:
    """Let Code Assist have a model that it has not."""
    google.models.add(model)
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}]}


def sound(samples: bytes) -> dict[str, Any]:
    data = base64.b64encode(samples).decode()
    return {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": data}}


def test_an_image(client: openai.OpenAI, google: Google) -> None:
    ask = on(google, "gemini-2.5-flash-image")
    google.script(answer("Here:", IMAGE))
    modalities: Any = ["text", "image"]
    completion = client.chat.completions.create(**ask, modalities=modalities)
    message: Any = completion.choices[0].message
    assert message.content == "Here:"
    assert [image["image_url"]["url"] for image in message.images] == [
        f"data:image/png;base64,{PIXEL}"
    ]


def test_streamed_images_are_put_together_by_the_strictest_reader(
    client: openai.OpenAI, google: Google
) -> None:
    ask = on(google, "gemini-2.5-flash-image")
    google.script(answer("Here:", IMAGE, " and", [IMAGE, IMAGE]))
    with client.chat.completions.stream(**ask) as stream:
        message: Any = stream.get_final_completion().choices[0].message
    assert message.content == "Here: and"
    assert [image["index"] for image in message.images] == [0, 1, 2]
    assert {image["image_url"]["url"] for image in message.images} == {
        f"data:image/png;base64,{PIXEL}"
    }
    assert {image["type"] for image in message.images} == {"image_url"}


@pytest.mark.parametrize("stream", [False, True])
def test_log_probabilities(client: openai.OpenAI, google: Google, *, stream: bool) -> None:
    google.play("B29")
    ask: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
    if stream:
        with client.chat.completions.stream(**ask, logprobs=True, top_logprobs=2) as helper:
            completion: Any = helper.get_final_completion()
    else:
        completion = client.chat.completions.create(**ask, logprobs=True, top_logprobs=2)
    (token,) = completion.choices[0].logprobs.content
    assert (token.token, token.logprob, token.bytes) == ("Hi", -0.1, list(b"Hi"))
    assert [rival.token for rival in token.top_logprobs] == ["Hi", "Ho"]


def test_speech(client: openai.OpenAI, google: Google) -> None:
    ask = on(google, "gemini-2.5-flash-preview-tts")
    google.script(answer(sound(SAMPLES)))
    audio: Any = {"voice": "Kore", "format": "wav"}
    completion = client.chat.completions.create(**ask, modalities=["text", "audio"], audio=audio)
    spoken = completion.choices[0].message.audio
    assert spoken
    assert spoken.id.startswith("audio_")
    with wave.open(io.BytesIO(base64.b64decode(spoken.data))) as file:
        assert (file.getframerate(), file.readframes(99)) == (24_000, SAMPLES)
    config = google.calls("generate")[0].request["generationConfig"]
    assert config["responseModalities"] == ["AUDIO"]
    assert config["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"] == "Kore"


def test_streamed_speech(client: openai.OpenAI, google: Google) -> None:
    ask = on(google, "gemini-2.5-flash-preview-tts")
    google.script(answer(sound(SAMPLES[:7]), sound(SAMPLES[7:])))
    audio: Any = {"voice": "Kore", "format": "pcm16"}
    stream: Any = client.chat.completions.create(
        **ask, modalities=["text", "audio"], audio=audio, stream=True
    )
    said = [chunk.choices[0].delta.audio for chunk in stream]
    assert b"".join(base64.b64decode(one.data or "") for one in said if one) == SAMPLES
    assert len([one for one in said if one and one.id]) == 1


def test_a_format_of_speech_that_nobody_makes(client: openai.OpenAI, google: Google) -> None:
    ask = on(google, "gemini-2.5-flash-preview-tts")
    audio: Any = {"voice": "Kore", "format": "mp3"}
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(**ask, modalities=["text", "audio"], audio=audio)
    assert raised.value.param == "audio.format"
    assert google.requests == []


def test_a_completion(client: openai.OpenAI, google: Google) -> None:
    google.script(answer("is a test"))
    completion = client.completions.create(model=MODEL, prompt="Say this", max_tokens=7)
    assert completion.choices[0].text == "is a test"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage


def test_completions_of_several_prompts(client: openai.OpenAI) -> None:
    completion = client.completions.create(model=MODEL, prompt=["one", "two"], echo=True)
    texts = [choice.text for choice in completion.choices]
    assert [text[:3] for text in texts] == ["one", "two"]
    assert ['said: "one"' in texts[0], 'said: "two"' in texts[1]] == [True, True]


def test_a_streamed_completion(client: openai.OpenAI, google: Google) -> None:
    google.script(answer("is ", "a test"))
    stream: Any = client.completions.create(
        model=MODEL, prompt="Say this", stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    texts = [chunk.choices[0].text for chunk in chunks if chunk.choices]
    assert "".join(texts) == "is a test"
    assert chunks[-1].usage.total_tokens > 0


def test_tokens_are_no_prompt(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.completions.create(model=MODEL, prompt=[1, 2, 3])
    assert raised.value.param == "prompt"


def test_a_transcription(client: openai.OpenAI, google: Google) -> None:
    google.script(answer("Hello there."))
    made = client.audio.transcriptions.create(
        model=MODEL, file=("speech.wav", WAV), language="en", prompt="A greeting.", temperature=0
    )
    assert made.text == "Hello there."
    assert made.usage
    assert made.usage.type == "tokens"


def test_a_transcription_as_text(client: openai.OpenAI, google: Google) -> None:
    google.script(answer("Hello there."))
    made: Any = client.audio.transcriptions.create(
        model=MODEL, file=io.BytesIO(WAV), response_format="text"
    )
    assert made == "Hello there."


def test_a_streamed_transcription(client: openai.OpenAI, google: Google) -> None:
    google.script(answer("Hello ", "there."))
    stream: Any = client.audio.transcriptions.create(
        model=MODEL, file=("speech.wav", WAV), stream=True
    )
    *deltas, done = list(stream)
    assert "".join(event.delta for event in deltas) == done.text == "Hello there."
    assert done.type == "transcript.text.done"


def test_responses_are_not_there_yet_and_are_asked_for_once(
    client: openai.OpenAI, google: Google
) -> None:
    with pytest.raises(openai.InternalServerError, match="/v1/chat/completions") as raised:
        client.with_options(max_retries=2).responses.create(model=MODEL, input="Hi")
    assert (raised.value.status_code, raised.value.code) == (501, "unsupported_endpoint")
    assert google.requests == []
