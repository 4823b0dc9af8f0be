"""A request that takes longer than Cloud Run would let it is ended by the gateway itself."""

import asyncio
from typing import Any

import pytest

from service.api.edge import Edge
from service.api.while_wanted import WhileWanted, arrived_at
from service.connections import Client
from service.draining import Drain
from service.errors import RequestDeadlineError
from service.limits import Load
from tests.conftest import StartGateway
from tests.gateway import HELLO, Gateway, events, text_of
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, answer, hold
from tests.ways import by

PATH = "/v1/chat/completions"
STREAM = HELLO | {"stream": True}


@pytest.fixture
def gateway(start_gateway: StartGateway, google: Google) -> Gateway:
    """A gateway that has its token and project, and ends requests soon."""
    gateway = start_gateway(request_deadline_seconds=0.4)
    with gateway.client() as client:
        client.post(PATH, json=HELLO)
    google.reset()
    return gateway


@pytest.mark.parametrize("n", [1, 2])
def test_a_stream_gets_an_error_event_and_google_is_let_go(
    n: int, gateway: Gateway, google: Google
) -> None:
    never = Gate()
    google.script(*[answer("Hel", Hold(never), "lo")] * n)
    with gateway.client() as client:
        *chunks, error, done = events(client.post(PATH, json=STREAM | {"n": n}))
    assert text_of(chunks) == "Hel" * n
    assert {chunk["choices"][0]["finish_reason"] for chunk in chunks} == {None}
    assert error["error"]["code"] == "upstream_timeout"
    assert "REQUEST_DEADLINE_SECONDS" in error["error"]["message"]
    assert done == b"[DONE]"
    assert all(call.left.wait(1) for call in google.calls("generate"))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_that_has_not_begun_is_504(
    gateway: Gateway, google: Google, *, stream: bool
) -> None:
    google.script(hold(Gate(), answer("late")))
    with gateway.client() as client:
        response = client.post(PATH, json=HELLO | {"stream": stream})
    assert (response.status_code, response.json()["error"]["code"]) == (504, "upstream_timeout")
    assert response.headers["x-should-retry"] == "false"
    (call,) = google.calls("generate")
    assert call.left.wait(1)


CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
NATIVE = "/v1beta/models/gemini-2.5-flash"


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
def test_a_client_of_googles_is_told_the_same(
    method: str, gateway: Gateway, google: Google
) -> None:
    google.script(hold(Gate(), answer("late")))
    with gateway.client() as client:
        response = client.post(f"{NATIVE}:{method}", json=CONTENTS)
    assert response.status_code == 504
    assert response.json()["error"]["status"] == "DEADLINE_EXCEEDED"


def test_a_stream_of_googles_ends_with_googles_error(gateway: Gateway, google: Google) -> None:
    google.script(answer("Hel", Hold(Gate()), "lo"))
    with gateway.client() as client:
        text = client.post(f"{NATIVE}:streamGenerateContent?alt=sse", json=CONTENTS).text
    first, last = (line for line in text.splitlines() if line.startswith("data: "))
    assert "Hel" in first
    assert "DEADLINE_EXCEEDED" in last


def test_images_that_take_too_long_are_504(start_gateway: StartGateway, google: Google) -> None:
    google.script(hold(Gate(), answer("late")))
    asked = {"model": "gemini-2.5-flash-image", "prompt": "A dot"}
    ways = by(google, "gemini_api")
    with start_gateway(**ways, request_deadline_seconds=0.4).client() as client:
        response = client.post("/v1/images/generations", json=asked)
    assert (response.status_code, response.json()["error"]["code"]) == (504, "upstream_timeout")


async def test_what_came_before_the_answer_counts_too() -> None:
    """Where the body was long in coming, or an image that it points to."""
    arrived_at.set(asyncio.get_running_loop().time() - 60)
    with pytest.raises(RequestDeadlineError):
        async with WhileWanted(Client(asyncio.Transport()), 60):
            await asyncio.Event().wait()


async def test_the_clock_starts_when_the_request_comes() -> None:
    seen: list[float] = []

    async def app(*_: Any) -> None:
        seen.append(arrived_at.get())

    async def never(*_: Any) -> Any:
        raise AssertionError

    before = asyncio.get_running_loop().time()
    scope: Any = {"type": "http", "method": "POST", "path": PATH, "headers": []}
    await Edge(app, Drain(), Load(bytes_=1))(scope, never, never)
    assert before <= seen[0] <= asyncio.get_running_loop().time()
