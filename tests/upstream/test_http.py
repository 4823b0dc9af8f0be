"""How the gateway calls Google: who it says it is, and how many calls it makes at once."""

import contextlib
import socket
import sys

import httpx
import pytest

from tests.conftest import StartGateway
from tests.gateway import HELLO, Gateway, send
from tests.simulators.calls import Call
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Pause, answer, hold
from tests.simulators.wire import Reply, Step

PATH = "/v1/chat/completions"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_headers(client: httpx.Client, google: Google, *, stream: bool) -> None:
    client.post(PATH, json=HELLO | {"stream": stream}, headers={"x-secret": "mine"})
    (call,) = google.calls("generate")
    assert call.headers["user-agent"].startswith("gemini-openai-gateway/")
    assert call.headers["content-type"] == "application/json"
    assert call.headers["accept-encoding"] == "identity", "a cut compressed stream looks complete"
    assert "x-secret" not in call.headers, "the client's headers are between it and us"


def test_an_answer_may_take_long_as_long_as_it_comes(
    start_gateway: StartGateway, google: Google
) -> None:
    """Ten pieces, of which no two are as far apart as they may be, but the first and the last."""

    def in_pieces(call: Call) -> Reply:
        (body,) = answer("Hello")(call).steps
        assert isinstance(body, bytes)
        size = -(-len(body) // 10)
        pieces: list[Step] = []
        for start in range(0, len(body), size):
            pieces += [Pause(0.05), body[start : start + size]]
        return Reply(200, (("Content-Type", "application/json"),), tuple(pieces))

    google.script(in_pieces)
    with start_gateway(upstream_idle_seconds=0.3).client() as client:
        response = client.post(PATH, json=HELLO)
    assert response.json()["choices"][0]["message"]["content"] == "Hello"


def test_two_hundred_streams_wait_for_none_of_each_other(gateway: Gateway, google: Google) -> None:
    never = Gate()
    google.script(*[hold(never, answer("late"))] * 200)
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            connection = stack.enter_context(socket.create_connection(gateway.address))
            send(connection, HELLO | {"stream": True})
        google.wait_for("generate", 200)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's way with a full listen queue")
def test_a_server_that_does_not_take_connections_is_given_up_in_time(
    start_gateway: StartGateway,
) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):  # the queue is full now, and the next one is left waiting
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003
            waiting.connect_ex(server.getsockname())
        gateway = start_gateway(
            code_assist_endpoint=f"http://127.0.0.1:{server.getsockname()[1]}",
            gemini_project_id="p",
            upstream_connect_seconds=0.1,
        )
        with gateway.client() as client:
            response = client.post(PATH, json=HELLO)
    assert (response.status_code, response.json()["error"]["code"]) == (502, "upstream_unreachable")
