"""A client that leaves takes the upstream request along, at once."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway import HELLO, AccessLog, Gateway, send
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, answer, error, hold

PATH = "/v1/chat/completions"
STREAM = HELLO | {"stream": True}
RPC = "type.googleapis.com/google.rpc"
WITHIN = 1.0  # second


@pytest.fixture
def never() -> Gate:
    return Gate()


def post_and_leave(gateway: Gateway, body: dict[str, Any], until: Callable[[], object]) -> None:
    """Send a request, and close the connection when `until` returns."""
    with socket.create_connection(gateway.address) as connection:
        send(connection, body)
        until()


def test_in_mid_stream(gateway: Gateway, google: Google, never: Gate) -> None:
    google.script(answer("Hel", Hold(never), "lo"))
    with (
        gateway.client() as client,
        client.stream("POST", PATH, json=STREAM) as response,
    ):
        reads = response.iter_raw()  # kept, because httpx hangs up when it is dropped
        assert b"Hel" in next(reads)
        (call,) = google.calls("generate")
        assert not call.left.is_set()
    assert call.left.wait(WITHIN)


@pytest.mark.parametrize("body", [STREAM, HELLO], ids=["stream", "whole"])
def test_before_the_answer_begins(
    body: dict[str, Any], gateway: Gateway, google: Google, never: Gate
) -> None:
    google.script(hold(never, answer("late")))
    post_and_leave(gateway, body, lambda: google.wait_for("generate"))
    (call,) = google.calls("generate")
    assert call.left.wait(WITHIN)


def test_all_choices_are_given_up(gateway: Gateway, google: Google, never: Gate) -> None:
    google.script(*[hold(never, answer("late"))] * 3)
    post_and_leave(gateway, HELLO | {"n": 3}, lambda: google.wait_for("generate", 3))
    assert all(call.left.wait(WITHIN) for call in google.calls("generate"))


@pytest.mark.parametrize("body", [STREAM, HELLO], ids=["stream", "whole"])
def test_between_two_tries(
    body: dict[str, Any], gateway: Gateway, google: Google, access_log: AccessLog
) -> None:
    google.script(error(429, details=[{"@type": f"{RPC}.RetryInfo", "retryDelay": "1.9s"}]))
    post_and_leave(gateway, body, lambda: google.wait_for("generate")[0].done.wait(5))
    line = access_log.wait_for(status=499)
    assert line["total_ms"] < 1900, "nobody waits for the second try"
    assert len(google.calls("generate")) == 1, "nobody makes it either"
