"""What Google says in one go and what it says word by word becomes the same stream.

In mid-answer words that come alone take a shorter way than all else: they are written by the event
loop's own callback, without a task's turn.
"""

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
import uvloop
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from service.connections import Client
from tests.conftest import StartGateway
from tests.gateway import HELLO, AccessLog, Gateway, events, send, text_of
from tests.simulators.google import Google
from tests.simulators.replies import (
    Gate,
    Hold,
    Pause,
    Play,
    answer,
    chunks,
    function_call,
    paced,
    rewritten,
    thought,
)
from tests.simulators.scenarios.table import says, usage
from tests.simulators.wire import Step

PATH = "/v1/chat/completions"
STREAM = HELLO | {"stream": True, "stream_options": {"include_usage": True}}

SAYINGS: dict[str, Play] = {
    "words": answer(*(f"word {number} " for number in range(20))),
    "counts": chunks(
        [
            says("a", usageMetadata=usage(5)),
            says("b", usageMetadata={"candidatesTokenCount": 1}),
            says("c", usageMetadata={"candidatesTokenCount": 2, "trafficType": "ON_DEMAND_FLEX"}),
            says("d", modelVersion="another"),
            says("", finish="STOP", usageMetadata=usage(5, 3, 4)),
        ]
    ),
    "thoughts between": answer("a", "b", [thought("hm")], "c", "d", [thought("oh")], "e"),
    "a call between": answer("a", "b", [function_call("look", {"at": 1}, id="call-1")], "c"),
    "nothing between": answer("a", "", "b", "", "c"),
    "half characters": answer("a", "b\ud83d", "\ude00c", "d"),
    "a failure": chunks([says("a"), says("b"), says("c", finish="MALFORMED_FUNCTION_CALL")]),
    "no end": chunks([says("a"), says("b"), says("c")]),
    "two candidates": chunks(
        [
            says("a"),
            {"candidates": [*says("b")["candidates"], {"index": 1, **says("x")["candidates"][0]}]},
            says("c", finish="STOP"),
        ]
    ),
}


def slowly(play: Play) -> Play:
    return paced(play, 0.003)


def shredded(play: Play) -> Play:
    """Cut every write in three, in the middle of words."""

    def cut(steps: Sequence[Step]) -> list[Step]:
        cut_up: list[Step] = []
        for step in steps:
            if isinstance(step, bytes):
                third = len(step) // 3 + 1
                cut_up += [step[at : at + third] for at in range(0, len(step), third)]
            else:
                cut_up.append(step)
        return cut_up

    return slowly(rewritten(play, cut))


def joined(play: Play) -> Play:
    """Write all of it in one go."""

    def join(steps: Sequence[Step]) -> list[Step]:
        if not all(isinstance(step, bytes) for step in steps):
            return list(steps)
        return [b"".join(step for step in steps if isinstance(step, bytes))]

    return rewritten(play, join)


def heard(gateway: Gateway, google: Google, play: Play) -> list[Any]:
    google.reset()
    google.script(play)
    with gateway.client() as client:
        found = events(client.post(PATH, json=STREAM))
    for event in found:
        if isinstance(event, dict):
            event.pop("id", None)
            event.pop("created", None)
    return found


def said_in(body: bytes) -> str:
    chunk: dict[str, Any] = msgspec.json.decode(body.removeprefix(b"data: "))
    return text_of([chunk])


@pytest.mark.parametrize("rhythm", [slowly, shredded], ids=lambda rhythm: rhythm.__name__)
@pytest.mark.parametrize("play", SAYINGS.values(), ids=list(SAYINGS))
def test_how_it_comes_changes_nothing(
    play: Play, rhythm: Callable[[Play], Play], gateway: Gateway, google: Google
) -> None:
    at_once = heard(gateway, google, joined(play))
    assert len(at_once) > 3
    assert heard(gateway, google, rhythm(play)) == at_once


class ShortWay:
    """Notes what takes it, and how much lay unsent before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has_met_a_slow_client = threading.Event()
        self.bodies: list[bytes] = []
        self.unsent: list[int] = []

        def noting(client: Client, body: bytes) -> None:
            self.bodies.append(body)
            self.unsent.append(client._transport.get_write_buffer_size())
            write_more(client, body)
            if client.is_slow:
                self.has_met_a_slow_client.set()

        write_more = Client.write_more
        monkeypatch.setattr(Client, "write_more", noting)


@pytest.fixture
def short_way(monkeypatch: pytest.MonkeyPatch) -> ShortWay:
    return ShortWay(monkeypatch)


def test_words_that_come_alone_take_the_short_way_and_are_counted(
    gateway: Gateway, google: Google, access_log: AccessLog, short_way: ShortWay
) -> None:
    google.script(slowly(answer("Hello", " out", " there", [thought("hm")], "!")))
    with gateway.client() as client:
        content = client.post(PATH, json=STREAM).content
    assert [said_in(body) for body in short_way.bodies] == [" out", " there"]
    line = access_log.wait_for(event="request")
    assert line["httpRequest"]["responseSize"] == str(len(content))
    assert line["completion_tokens"] > 0


def test_nothing_takes_the_short_way_to_a_client_that_does_not_read(
    gateway: Gateway, google: Google, short_way: ShortWay
) -> None:
    words = ["go", *["x" * 16_000] * 400]
    google.script(paced(answer(*words), 0.0005), answer("meanwhile"))
    with gateway.client() as client, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(gateway.address)
        connection.settimeout(10)
        send(connection, STREAM)
        assert short_way.has_met_a_slow_client.wait(10)
        client.post(PATH, json=HELLO)  # so that more words come meanwhile
        taken = len(short_way.bodies)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(1 << 20)
    assert received.count(b"x" * 16_000) == 400
    assert max(short_way.unsent) <= HIGH_WATER_LIMIT
    assert len(short_way.bodies) > taken, "once it reads again, they do"


def test_a_failure_that_comes_with_words_is_told_at_once(
    start_gateway: StartGateway, google: Google
) -> None:
    """Words alone would be taken on the short way, where nobody is woken."""
    never = Gate()

    def broken(steps: Sequence[Step]) -> list[Step]:
        first, second, *_ = steps
        assert isinstance(second, bytes)
        return [first, Pause(0.01), second + b"data: {\r\n\r\n", Hold(never)]

    google.script(rewritten(answer("Hel", "lo", "!"), broken))
    with start_gateway(upstream_idle_seconds=5).client() as client:
        *said, error, _ = events(client.post(PATH, json=STREAM))
    assert (text_of(said), error["error"]["code"]) == ("Hello", "upstream_invalid_response")


def test_a_stream_of_words_is_neither_silent_nor_given_up(
    start_gateway: StartGateway, google: Google
) -> None:
    google.script(paced(answer(*"abcdefghij"), 0.1))
    gateway = start_gateway(upstream_idle_seconds=0.5, sse_keepalive_seconds=0.5)
    with gateway.client() as client:
        response = client.post(PATH, json=STREAM)
    assert text_of(events(response)) == "abcdefghij"
    assert b": keepalive" not in response.content


def after_the_first(play: Play) -> Play:
    """Write the first event alone, and later all others in one go, but the last."""

    def join(steps: Sequence[Step]) -> list[Step]:
        first, *others, last = [step for step in steps if isinstance(step, bytes)]
        return [first, Pause(0.02), b"".join(others), Pause(0.02), last]

    return rewritten(play, join)


@pytest.mark.parametrize("kilobytes", [70, 120, 240])
def test_of_a_large_read_that_nobody_takes_at_once_nothing_comes_twice(
    kilobytes: int, gateway: Gateway, google: Google
) -> None:
    """A reader gets it in smaller pieces than it was offered in."""
    words = [f"{number:05d} {'y' * 994}" for number in range(kilobytes)]
    end = says("", finish="STOP", usageMetadata=usage(5, 3))
    google.script(
        after_the_first(chunks([says("a"), *map(says, words), says(thought("hm")), says("!"), end]))
    )
    with gateway.client() as client:
        assert text_of(events(client.post(PATH, json=STREAM))[:-1]) == "".join(["a", *words, "!"])


def test_a_client_that_reads_slowly_gets_each_word_once(gateway: Gateway, google: Google) -> None:
    words = [f"<{number:05d}>{'y' * 2000}" for number in range(2000)]
    google.script(after_the_first(chunks([says("a"), *map(says, words), says("b", finish="STOP")])))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(gateway.address)
        connection.settimeout(10)
        send(connection, STREAM)
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(1 << 14)
    assert re.findall(rb"<(\d{5})>", received) == [b"%05d" % number for number in range(2000)]


@pytest.mark.parametrize("last", [says("", finish="STOP"), says(".", finish="STOP")])
def test_counts_that_words_brought_are_the_answers_if_its_end_brings_none(
    last: Any, gateway: Gateway, google: Google, access_log: AccessLog
) -> None:
    words = [says(f"{number} ", usageMetadata=usage(5, number)) for number in range(1, 21)]
    google.script(slowly(chunks([*words, last])))
    with gateway.client() as client:
        *_, counts, _ = events(client.post(PATH, json=STREAM))
    assert counts["usage"]["completion_tokens"] == 20
    assert access_log.wait_for(event="request")["completion_tokens"] == 20


def test_words_for_a_client_that_has_just_left_are_no_error() -> None:
    """Its connection is closed in one turn of the event loop, and says so in the next."""

    async def write() -> Client:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        transport, _ = await loop.create_connection(asyncio.Protocol, *address)
        transport.abort()
        for _ in range(10):
            await asyncio.sleep(0)
        client = Client(transport)
        client.write_more(b"word")
        server.close()
        return client

    assert uvloop.run(write()).is_slow, "nobody waits for it"
