"""Clients that break HTTP's rules, or use them to take what there is."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec
import pytest

from service.connections import LARGEST_HEAD, MOST_HEADERS, MOST_PIPELINED
from tests.attacks.victim import STALL, Victim, head, request, statuses
from tests.gateway import HELLO
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, answer

pytestmark = pytest.mark.xdist_group("attacks")  # one process for all of them

BODY = msgspec.json.encode(HELLO)
START = b"POST /v1/chat/completions HTTP/1.1\r\n"
MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (START, b"x-more: 0123456789\r\n" * 50_000),
        (START + b"x-long: ", b"x" * MEBIBYTE),
        (START, b"x" * MEBIBYTE),
        (b"GET /", b"x" * MEBIBYTE),
        (b"GET /?", b"x" * MEBIBYTE),
        (b"", b"x" * MEBIBYTE),
        (b"", b"\r\n" * MEBIBYTE),
        (head("transfer-encoding: chunked") + b"1;", b"x" * MEBIBYTE),
        (head("transfer-encoding: chunked") + b"0\r\nx-trailer: ", b"x" * MEBIBYTE),
        (head("transfer-encoding: chunked") + b"0\r\n", b"x-trailer: 1\r\n" * 70_000),
    ],
    ids=[
        "headers",
        "a value",
        "a name",
        "a path",
        "a query",
        "a method",
        "empty lines",
        "a chunk's extension",
        "a trailer",
        "trailers",
    ],
)
def test_what_has_no_end_and_is_no_body_is_refused(
    victim: Victim, first: bytes, again: bytes
) -> None:
    assert statuses(victim.told(first, again, times=64)) in ([], [400], [431])


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([f"x-{number}: 1" for number in range(MOST_HEADERS + 1)], 431),
        ([f"x-{number}: 1" for number in range(20_000)], 431),
        (["x: " + "y" * LARGEST_HEAD], 431),
        (["x: " + "y" * (LARGEST_HEAD - 1000)], 200),
        ([f"x-{number}: 1" for number in range(MOST_HEADERS - 10)], 200),
        (["content-length: 1"], 400),
        (["transfer-encoding: chunked"], 400),
        (["transfer-encoding: gzip"], 400),
        (["x: \0"], 400),
        ([" x: 1"], 400),
        (["x y: 1"], 400),
        (["host: other"], 200),
        (["cookie: " + "a=b; " * 10_000], 200),
    ],
    ids=[
        "a few too many",
        "very many",
        "too long",
        "long",
        "many",
        "two lengths",
        "length and chunks",
        "another coding",
        "a zero byte",
        "a folded line",
        "a space",
        "two hosts",
        "cookies",
    ],
)
def test_a_head_is_refused_or_taken_as_a_whole(
    victim: Victim, fields: list[str], status: int, google: Google
) -> None:
    received = victim.told(request(BODY, "connection: close", *fields))
    assert statuses(received) == [status]
    assert len(google.calls("generate")) == (status == 200)


# --- clients that take their time


def drip(connection: socket.socket, first: bytes, again: bytes) -> float:
    """Say something every tenth of a second; return after how long the other side hung up."""
    began = time.monotonic()
    connection.settimeout(0.1)
    try:
        connection.sendall(first)
        while time.monotonic() - began < 5 * STALL:
            try:
                if not connection.recv(65536):
                    break
            except TimeoutError:
                connection.sendall(again)
    except ConnectionError:
        pass
    return time.monotonic() - began


DRIPS = {
    "nothing": (b"", b""),
    "empty lines": (b"", b"\r\n"),
    "a path": (b"POST /v1/chat", b"x"),
    "headers": (START, b"x: 1\r\n"),
    "a body": (head("content-length: 1000000"), b" "),
    "chunks": (head("transfer-encoding: chunked"), b"1\r\n \r\n"),
    "an extension": (head("transfer-encoding: chunked") + b"1", b";x"),
    "trailers": (head("transfer-encoding: chunked") + b"1\r\n \r\n0\r\n", b"x: 1\r\n"),
    "a body after a refusal": (head("content-length: 1000000", key="sk-wrong"), b" "),
    "empty lines after an answer": (b"GET /health HTTP/1.1\r\n\r\n", b"\r\n"),
}


def test_who_drips_is_hung_up_on(victim: Victim) -> None:
    def dripped(what: str) -> float:
        with victim.connected() as connection:
            return drip(connection, *DRIPS[what])

    with ThreadPoolExecutor(len(DRIPS)) as threads:
        seconds = dict(zip(DRIPS, threads.map(dripped, DRIPS), strict=True))
    wrong = {what: took for what, took in seconds.items() if not STALL - 0.5 < took < STALL + 2.5}
    assert not wrong


def test_what_a_dripping_body_held_is_given_back(victim: Victim) -> None:
    """All there is: four times 30 MiB, and one that is refused for it."""
    largest = 30 * MEBIBYTE
    before = len(victim.lines(status=503))
    connections = [socket.create_connection(victim.address, timeout=20) for _ in range(4)]
    for connection in connections:
        connection.sendall(head(f"content-length: {largest}", "expect: 100-continue"))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    began = time.monotonic()
    refusal = head(f"content-length: {largest}", "connection: close")
    assert statuses(victim.told(refusal)) == [503]
    for connection in connections:
        drip(connection, b"", b" ")
        connection.close()
    assert time.monotonic() - began < STALL + 3
    assert statuses(victim.told(request(BODY.ljust(largest), "connection: close"))) == [200]
    assert len(victim.lines(status=503)) - before == 1


def test_a_slow_body_that_moves_on_is_read(victim: Victim) -> None:
    with victim.connected() as connection:
        connection.sendall(head(f"content-length: {40 * 5000}", "connection: close"))
        for piece in [BODY.ljust(5000), *[b" " * 5000] * 39]:
            connection.sendall(piece)
            time.sleep(STALL / 20)
        assert statuses(connection.recv(100)) == [200]


def test_who_waits_for_an_answer_is_not_hung_up_on(victim: Victim, google: Google) -> None:
    """Also if an empty line came after the body, as some clients send it."""
    gate = Gate()
    google.script(answer("Hel", Hold(gate), "lo"))
    with victim.connected() as connection:
        connection.sendall(request(BODY, "connection: close"))
        google.wait_for("generate")
        connection.sendall(b"\r\n")
        time.sleep(2 * STALL)
        gate.open()
        assert statuses(connection.recv(100)) == [200]


# --- more than was announced, and all at once


def test_what_comes_after_a_body_spoils_no_answer(victim: Victim, google: Google) -> None:
    gate = Gate()
    google.script(answer("Hel", Hold(gate), "lo"))
    with victim.connected() as connection:
        connection.sendall(request(BODY) + b"more than was announced" + b"x" * MEBIBYTE)
        google.wait_for("generate")
        gate.open()
        received = b"".join(all_of(connection))
    assert statuses(received) == [200]
    assert received.endswith(b"}")


def test_only_so_many_requests_wait_on_one_connection(victim: Victim, google: Google) -> None:
    gate = Gate()
    google.script(answer("Hel", Hold(gate), "lo"))
    with victim.connected() as connection:
        connection.sendall(request(BODY) + b"GET /health HTTP/1.1\r\n\r\n" * 9000)
        google.wait_for("generate")
        gate.open()
        received = b"".join(all_of(connection))
    assert statuses(received) == [200] * (1 + MOST_PIPELINED)


def test_thousands_of_connections_that_say_nothing_end(victim: Victim) -> None:
    connections = [socket.create_connection(victim.address) for _ in range(400)]
    for connection in connections:
        connection.sendall(START * (connection.fileno() % 2))
    for connection in connections:
        connection.settimeout(STALL + 3)
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        connection.close()


def all_of(connection: socket.socket) -> Iterator[bytes]:
    try:
        while data := connection.recv(65536):
            yield data
    except ConnectionError:
        pass
