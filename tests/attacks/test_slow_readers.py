"""Clients that ask for much and read nothing: what they do not take, Google does not send."""

import socket
from contextlib import ExitStack, suppress
from typing import Any

import msgspec
import pytest

from tests.attacks.victim import PATH, Victim
from tests.gateway import HELLO, send
from tests.simulators.google import Google
from tests.simulators.replies import raw

pytestmark = pytest.mark.xdist_group("attacks")  # one process for all of them

READERS = 20
PIECE = b"x" * 50_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
EVENT = (
    b'data: {"response":{"candidates":[{"content":{"role":"model","parts":[{"text":"%b"}]}}]}}'
    b"\r\n\r\n" % PIECE
)
#: Bytes of an answer in one piece: more than what two sockets on one machine hold.
LARGE = 10_000_000
LAST = EVENT.replace(PIECE, b"bye").replace(b"]}}", b']},"finishReason":"STOP"}')


def stuck(victim: Victim, stack: ExitStack, body: dict[str, Any]) -> socket.socket:
    """Ask, with room for little of the answer."""
    connection = stack.enter_context(socket.socket())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(victim.address)
    send(connection, body)
    return connection


@pytest.mark.parametrize("n", [1, 4])
def test_a_stream_that_nobody_reads_stops_at_google(victim: Victim, google: Google, n: int) -> None:
    """Each would be 50 MB, a gigabyte in all."""
    google.script(*[raw(HEAD, *[EVENT] * 1000)] * READERS * n)
    with ExitStack() as stack:
        for _ in range(READERS):
            stuck(victim, stack, HELLO | {"stream": True, "n": n})
        calls = google.wait_for("generate", READERS * n, timeout=20)
        victim.wait_for(lambda: all(call.left.is_set() or call.done.is_set() for call in calls))
        assert not any(call.done.is_set() for call in calls)
    victim.wait_for(lambda: google.open_replies == 0)


def test_many_small_words_that_nobody_reads_take_little_room(
    victim: Victim, google: Google
) -> None:
    """What is decoded and cannot be sent takes more room than bytes: only little is."""
    words = EVENT.replace(PIECE, b"word!") * 500
    google.script(*[raw(HEAD, *[words] * 2000)] * 100)
    with ExitStack() as stack:
        for _ in range(100):
            stuck(victim, stack, HELLO | {"stream": True})
        calls = google.wait_for("generate", 100, timeout=20)
        victim.wait_for(lambda: all(call.left.is_set() or call.done.is_set() for call in calls))
    victim.wait_for(lambda: google.open_replies == 0)


def test_a_stream_that_nobody_reads_leaves_a_line(victim: Victim, google: Google) -> None:
    google.script(raw(HEAD, *[EVENT] * 1000))
    before = len(victim.lines(path=PATH, client_gone=True))
    with ExitStack() as stack:
        stuck(victim, stack, HELLO | {"stream": True})
        google.wait_for("generate", 1)
        victim.wait_for(lambda: len(victim.lines(status=499)) > before)


def test_an_answer_in_one_piece_that_nobody_reads_is_forgotten(
    victim: Victim, google: Google
) -> None:
    candidate = {"content": {"parts": [{"text": "x" * LARGE}]}, "finishReason": "STOP"}
    whole = msgspec.json.encode({"response": {"candidates": [candidate]}})
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    google.script(*[raw(head % len(whole), whole)] * 5)
    before = victim.sockets
    with ExitStack() as stack:
        connections = [stuck(victim, stack, HELLO) for _ in range(5)]
        calls = google.wait_for("generate", 5)
        victim.wait_for(lambda: all(call.done.is_set() for call in calls))
        victim.wait_for(lambda: victim.sockets <= before)
        assert all(size_of_the_rest(connection) < LARGE for connection in connections)


def size_of_the_rest(connection: socket.socket) -> int:
    received = 0
    with suppress(ConnectionError):
        while data := connection.recv(65536):
            received += len(data)
    return received


def test_who_reads_slowly_gets_everything(victim: Victim, google: Google) -> None:
    google.script(raw(HEAD, *[EVENT] * 200, LAST))
    with (
        victim.client() as client,
        client.stream("POST", PATH, json=HELLO | {"stream": True}) as response,
    ):
        received = b"".join(response.iter_raw(chunk_size=4096))
    assert received.count(b"x") >= 200 * len(PIECE)
