"""Images and files in requests to the running gateway, by data URL and by URL."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from service.models import find_model
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.request import to_gemini
from tests.gateway import AccessLog, Gateway, events, send, settings_for, text_of
from tests.media.file_server import FileServer, Page, redirect
from tests.media.samples import JPEG, MP3, PDF, PNG, SVG, base64_of, data_url
from tests.simulators.google import Google
from tests.simulators.replies import answer

TEXT = {"type": "text", "text": "What is it?"}


@pytest.fixture(scope="module")
def one_reaching(one_google: Google) -> Iterator[Gateway]:
    settings = settings_for(one_google, media_allow_hosts="127.0.0.1", media_max_bytes=1000)
    with Gateway(settings) as gateway:
        yield gateway


@pytest.fixture
def reaching(google: Google, one_reaching: Gateway) -> Gateway:
    """A gateway that may reach loopback."""
    del google
    return one_reaching


@pytest.fixture
def client(reaching: Gateway) -> Iterator[httpx.Client]:
    with reaching.client() as client:
        yield client


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def asking(*parts: dict[str, Any], stream: bool = False) -> dict[str, Any]:
    messages = [{"role": "user", "content": [TEXT, *parts]}]
    return {"model": "gemini-2.5-flash", "messages": messages, "stream": stream}


def ask(client: httpx.Client, *parts: dict[str, Any], stream: bool = False) -> httpx.Response:
    return client.post("/v1/chat/completions", json=asking(*parts, stream=stream))


def inline(google: Google) -> list[tuple[str, str]]:
    """Return type and base64 of what Gemini got, after the text."""
    (call,) = google.calls("generate")
    _, *parts = call.body["request"]["contents"][0]["parts"]
    return [(part["inlineData"]["mimeType"], part["inlineData"]["data"]) for part in parts]


@pytest.mark.parametrize("stream", [False, True])
def test_e14_media(
    google: Google, client: httpx.Client, files: FileServer, *, stream: bool
) -> None:
    google.script(answer("A dot."))
    files.pages["/a.png"] = redirect("/b.png")
    files.pages["/b.png"] = Page(PNG, {"content-type": "image/gif"})
    response = ask(
        client,
        image(f"{files.url}/a.png"),
        image(f"data:image/png;charset=utf-8;base64,{base64_of(PNG)}"),
        {
            "type": "file",
            "file": {"filename": "r.pdf", "file_data": data_url(PDF, "application/pdf")},
        },
        {"type": "input_audio", "input_audio": {"data": base64_of(MP3), "format": "mp3"}},
        stream=stream,
    )
    assert response.status_code == 200
    if stream:
        assert text_of(events(response)) == "A dot."
    assert inline(google) == [
        ("image/png", base64_of(PNG)),
        ("image/png", base64_of(PNG)),
        ("application/pdf", base64_of(PDF)),
        ("audio/mpeg", base64_of(MP3)),
    ]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "url",
    [
        "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'/>",
        data_url(SVG, "image/svg+xml"),
        "http://169.254.169.254/latest",
        "http://localhost:1/",
        "FILES/missing",
        "FILES/page",
        "FILES/large",
        "ftp://127.0.0.1/a.png",
    ],
)
def test_e14_what_gemini_cannot_take_is_a_400_that_names_the_part(
    url: str, google: Google, client: httpx.Client, files: FileServer, *, stream: bool
) -> None:
    files.pages |= {"/page": Page(b"<!doctype html>"), "/large": Page(PNG + bytes(1000))}
    response = ask(client, image(url.replace("FILES", files.url)), stream=stream)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == "messages[0].content[1].image_url"
    assert error["type"] == "invalid_request_error"
    assert not google.calls("generate")


def test_an_error_does_not_repeat_the_url(
    client: httpx.Client, files: FileServer, access_log: AccessLog
) -> None:
    # pragma: allowlist nextline secret
    for url in (f"{files.url}/a?key=k-123456", "http://someone:k-123456@127.0.0.1/", "x:k-123456"):
        response = ask(client, image(url))
        assert response.status_code == 400
        assert "k-123456" not in response.text
    assert "k-123456" not in repr(access_log.lines)


def test_one_url_in_several_turns_is_fetched_once(
    google: Google, client: httpx.Client, files: FileServer
) -> None:
    files.pages["/a.jpg"] = Page(JPEG)
    part = image(f"{files.url}/a.jpg")
    assert ask(client, part, part).status_code == 200
    assert inline(google) == [("image/jpeg", base64_of(JPEG))] * 2
    assert len(files.requests) == 1


def test_a_tools_image_is_fetched(google: Google, client: httpx.Client, files: FileServer) -> None:
    files.pages["/a.png"] = Page(PNG)
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    body = {
        "model": "gemini-3-flash-preview",
        "tools": [{"type": "function", "function": {"name": "look"}}],
        "messages": [
            {"role": "user", "content": "Look"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": [image(f"{files.url}/a.png")]},
        ],
    }
    assert client.post("/v1/chat/completions", json=body).status_code == 200
    (sent,) = google.calls("generate")
    (part,) = sent.body["request"]["contents"][2]["parts"]
    (picture,) = part["functionResponse"]["parts"]
    assert picture == {"inlineData": {"mimeType": "image/png", "data": base64_of(PNG)}}


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_ends_the_fetch(
    google: Google, reaching: Gateway, files: FileServer, access_log: AccessLog, *, stream: bool
) -> None:
    begun, end = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        end.wait()

    files.pages["/a.png"] = Page(PNG, wait=wait)
    try:
        with socket.create_connection(reaching.address) as connection:
            send(connection, asking(image(f"{files.url}/a.png"), stream=stream))
            assert begun.wait(20)
        line = access_log.wait_for(status=499)
        assert line["code"] == "client_disconnected"
    finally:
        end.set()
    assert not google.calls("generate")


def test_a_large_image_costs_little_time() -> None:
    """A decoded request with 14 MiB; everyone else's streams wait while it is translated."""
    size = 14 * 1024 * 1024
    url = data_url(PNG + bytes(size - len(PNG)))
    request = msgspec.convert(asking(image(url)), ChatCompletionRequest)
    model = find_model("gemini-2.5-flash")
    times = []
    for _ in range(5):
        start = time.thread_time()
        to_gemini(request, model)
        times.append(time.thread_time() - start)
    assert min(times) < 0.1
