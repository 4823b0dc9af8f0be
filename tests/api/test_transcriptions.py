"""`POST /v1/audio/transcriptions`, over a socket, with the simulated Google behind it."""

import base64
from typing import Any

import httpx
import msgspec
import pytest

from tests.conftest import StartGateway
from tests.gateway import events
from tests.simulators.google import Google
from tests.simulators.replies import answer, error, thought

PATH = "/v1/audio/transcriptions"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(range(256))
MODEL = {"model": "gemini-2.5-flash"}
USAGE = {
    "promptTokenCount": 40,
    "candidatesTokenCount": 2,
    "promptTokensDetails": [
        {"modality": "AUDIO", "tokenCount": 30},
        {"modality": "TEXT", "tokenCount": 10},
    ],
}
COUNTED = {
    "type": "tokens",
    "input_tokens": 40,
    "output_tokens": 2,
    "total_tokens": 42,
    "input_token_details": {"text_tokens": 10, "audio_tokens": 30},
}


def send(client: httpx.Client, content: bytes = WAV, **fields: Any) -> httpx.Response:
    return client.post(PATH, files={"file": ("speech.wav", content)}, data=MODEL | fields)


def test_a_transcript(client: httpx.Client, google: Google) -> None:
    google.script(answer(thought("Hm"), "Hello ", "there.", usage=USAGE))
    response = send(client)
    assert response.json() == {"text": "Hello there.", "usage": COUNTED}
    assert response.headers["x-upstream"] == "code_assist"
    (call,) = google.calls("generate")
    (turn,) = call.request["contents"]
    instruction, recording = turn["parts"]
    assert recording["inlineData"]["mimeType"] == "audio/wav"
    assert base64.b64decode(recording["inlineData"]["data"]) == WAV
    assert "word for word" in instruction["text"]


def test_what_the_client_adds_reaches_gemini(client: httpx.Client, google: Google) -> None:
    send(client, language="de", prompt="It is about Özil.", temperature="0.5")
    (call,) = google.calls("generate")
    text = call.request["contents"][0]["parts"][0]["text"]
    assert "The language is de." in text
    assert text.endswith("It is about Özil.")
    assert call.request["generationConfig"]["temperature"] == 0.5


def test_plain_text(client: httpx.Client, google: Google) -> None:
    google.script(answer("Grüße"))
    response = send(client, response_format="text")
    assert response.text == "Grüße"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_stream(client: httpx.Client, google: Google) -> None:
    google.script(answer("Hello ", "there.", usage=USAGE))
    *deltas, done, end = events(send(client, stream="true"))
    assert deltas == [
        {"type": "transcript.text.delta", "delta": "Hello "},
        {"type": "transcript.text.delta", "delta": "there."},
    ]
    assert done == {"type": "transcript.text.done", "text": "Hello there.", "usage": COUNTED}
    assert end == b"[DONE]"


@pytest.mark.parametrize(
    ("finish", "status", "code"),
    [("SAFETY", 400, "content_filter"), ("MAX_TOKENS", 413, "request_too_large")],
)
def test_a_transcript_that_was_cut_is_no_transcript(
    finish: str, status: int, code: str, client: httpx.Client, google: Google
) -> None:
    google.script(answer("Hel", finish=finish), answer("Hel", finish=finish))
    response = send(client)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    *_, failure, end = events(send(client, stream="true"))
    assert (failure["error"]["code"], end) == (code, b"[DONE]")


def test_an_error_of_googles(client: httpx.Client, google: Google) -> None:
    google.script(error(403))
    assert send(client).status_code == 403


def test_the_model_may_be_the_default(start_gateway: StartGateway, google: Google) -> None:
    with start_gateway(default_model="gemini-2.5-pro").client() as client:
        assert send(client, model="").status_code == 200
    assert google.calls("generate")[0].model == "gemini-2.5-pro"


def test_a_file_without_a_name_is_a_file(client: httpx.Client) -> None:
    parts = [
        *(b"--x", b'content-disposition: form-data; name="file"', b"", WAV),
        *(b"--x", b'content-disposition: form-data; name="model"', b"", b"gemini-2.5-flash"),
        *(b"--x--", b""),
    ]
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = client.post(PATH, content=b"\r\n".join(parts), headers=headers)
    assert response.status_code == 200, response.text


def test_what_gemini_cannot_give_is_named(
    client: httpx.Client, start_gateway: StartGateway
) -> None:
    fields: dict[str, Any] = {"timestamp_granularities[]": "word", "include[]": "logprobs"}
    response = send(client, **fields)
    assert response.headers["x-ignored-params"] == "include,timestamp_granularities"
    with start_gateway(strict_params=True).client() as strict:
        assert send(strict, **fields).json()["error"]["code"] == "unsupported_parameter"


@pytest.mark.parametrize(
    ("fields", "content", "param", "code"),
    [
        ({"model": ""}, WAV, "model", "missing_required_parameter"),
        ({"model": "whisper-1"}, WAV, "model", "model_not_found"),
        ({"model": "gemini-2.5-flash-image"}, WAV, "model", "unsupported_value"),
        ({"model": "gemini-2.5-pro-preview-tts"}, WAV, "model", "unsupported_value"),
        ({"response_format": "srt"}, WAV, "response_format", "unsupported_value"),
        ({"response_format": "verbose_json"}, WAV, "response_format", "unsupported_value"),
        ({"temperature": "warm"}, WAV, "temperature", "invalid_type"),
        ({"temperature": "3"}, WAV, "temperature", "decimal_above_max_value"),
        ({"stream": "perhaps"}, WAV, "stream", "invalid_type"),
        ({}, b"", "file", "invalid_value"),
    ],
)
def test_what_is_wrong_is_named(
    fields: dict[str, Any],
    *,
    content: bytes,
    param: str,
    code: str,
    client: httpx.Client,
    google: Google,
) -> None:
    response = send(client, content=content, **fields)
    assert response.status_code in (400, 404)
    error = response.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert google.requests == []


def test_something_else_than_a_recording(client: httpx.Client, google: Google) -> None:
    files = {"file": ("photo.jpg", b"\xff\xd8\xff\xe0", "image/jpeg")}
    response = client.post(PATH, files=files, data=MODEL)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "file")
    assert google.requests == []


def test_no_file_at_all(client: httpx.Client) -> None:
    response = client.post(PATH, files={"x": b"y"}, data=MODEL)
    assert response.json()["error"]["param"] == "file"
    response = client.post(PATH, files={"model": (None, "gemini-2.5-flash")})
    assert response.json()["error"]["code"] == "missing_required_parameter"


def test_a_file_may_be_too_large(start_gateway: StartGateway) -> None:
    with start_gateway(media_max_bytes=len(WAV)).client() as client:
        assert send(client).status_code == 200
        response = send(client, content=WAV + b"x")
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "request_too_large"
    with start_gateway(max_request_bytes=300).client() as client:
        assert send(client).status_code == 413


FORM = "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("content_type", "content", "status"),
    [
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded", b"model=m", 415),
        ("multipart/form-data", b"", 415),
        ("multipart/form-data; boundary=", b"", 415),
        (FORM, b"", 400),
        (FORM, b"--x", 400),
        (FORM, b"--x\r\n", 400),
        (FORM, b'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\nabc', 400),
        (FORM, b"--x\r\nno header\r\n\r\nabc\r\n--x--", 400),
        (FORM, b"--x\r\ncontent-disposition: form-data\r\n\r\nabc\r\n--x--", 400),
        (FORM, b"--x--", 400),
        (FORM, b"\xff\xfe" * 100, 400),
        ("multipart/form-data; boundary=\xff", b"--\xff--", 415),
    ],
)
def test_what_is_no_form_is_refused(
    content_type: str, content: bytes, status: int, client: httpx.Client
) -> None:
    headers = {b"content-type": content_type.encode("latin-1")}
    response = client.post(PATH, content=content, headers=headers)
    assert response.status_code == status, response.text
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_the_document_says_what_the_form_holds(client: httpx.Client) -> None:
    document = msgspec.json.decode(client.get("/schema/openapi.json").content)
    operation = document["paths"][PATH]["post"]
    (content_type,) = operation["requestBody"]["content"]
    assert content_type == "multipart/form-data"
    form = operation["requestBody"]["content"][content_type]["schema"]
    assert form["properties"]["file"] == {"type": "string", "format": "binary"}
    assert {"200", "400", "413", "415"} <= set(operation["responses"])
