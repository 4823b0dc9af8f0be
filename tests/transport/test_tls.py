"""TLS of the own transport: whom it trusts, and what the end of a connection means."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.transport import Pool, open_transport
from tests.certificate import make_certificate, server_context
from tests.transport.server import CHUNKED, OK, UNTIL_CLOSED, Server, ask

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"


@pytest.fixture
async def pool(tls: ssl.SSLContext) -> AsyncIterator[Pool]:
    del tls  # it is trusted from here on
    pool = open_transport("httptools")
    yield pool
    await pool.aclose()


@pytest.mark.parametrize("named", ["other.example", "127.0.0.2"])
async def test_a_certificate_of_another_name_is_not_trusted(
    named: str, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path / "other.pem", named)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = server_context(certificate)
    monkeypatch.setattr(Server, "context", context)
    await _is_refused(open_transport("httptools"))
    await _is_refused(pool)


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del tls
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate(tmp_path / "other.pem")))
    await _is_refused(open_transport("httptools"))


async def _is_refused(pool: Pool) -> None:
    server = Server([OK])
    async with server.running() as url:
        with pytest.raises(httpx.ConnectError, match="SSLCertVerificationError"):
            await ask(pool, url)
    assert (server.requests, pool.in_use) == ([], 0)
    await pool.aclose()


@asynccontextmanager
async def listening(
    speak: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Let something speak to whoever connects, below TLS; return its address."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                await speak(reader, writer)
        finally:
            writer.close()

    speaking: list[asyncio.Task[None]] = []
    server = await asyncio.start_server(
        lambda *both: speaking.append(asyncio.create_task(connected(*both))), "127.0.0.1", 0
    )
    async with server, asyncio.timeout(10):
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/path"
    for task in speaking:
        task.cancel()
    await asyncio.gather(*speaking, return_exceptions=True)


async def test_a_handshake_that_stands_still_is_given_up_and_its_connection_ended(
    pool: Pool,
) -> None:
    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            pass
        left.set()

    async with listening(say_nothing) as url:
        with pytest.raises(httpx.ConnectTimeout):
            await ask(pool, url, connect=0.05)
        await left.wait()


async def test_leaving_in_a_handshake_ends_its_connection(pool: Pool) -> None:
    came, left = asyncio.Event(), asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            came.set()
        left.set()

    async with listening(say_nothing) as url:
        asking = asyncio.ensure_future(ask(pool, url))
        await came.wait()
        asking.cancel()
        await left.wait()
        with pytest.raises(asyncio.CancelledError):
            await asking


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (b"", "ConnectionResetError"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "SSLError"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "SSLError"),
        (b"\x16\x03\x03", "ConnectionResetError"),
    ],
    ids=["nothing", "no TLS", "an alert", "half a record"],
)
async def test_a_handshake_that_fails_is_no_connection(says: bytes, error: str, pool: Pool) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(says)

    async with listening(hang_up) as url:
        with pytest.raises(httpx.ConnectError, match=f"^{error}$"):
            await ask(pool, url)


@contextmanager
def saying(
    answer: bytes, end: Callable[[ssl.SSLSocket], object], context: ssl.SSLContext
) -> Iterator[str]:
    """Answer one request, then end the connection in some way; return the address."""

    def serve() -> None:
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True) as tls:
            while not tls.recv(1 << 16).endswith(b"{}"):
                pass
            tls.sendall(answer)
            end(tls)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/path"
        thread.join()


def cut(tls: ssl.SSLSocket) -> None:
    """Do as somebody between would, who can end the connection, but cannot encrypt."""
    tls.shutdown(socket.SHUT_RDWR)


def say_goodbye(tls: ssl.SSLSocket) -> None:
    """Let the client hang up first."""
    with tls.unwrap() as below:
        assert below.recv(1) == b""


def garble(tls: ssl.SSLSocket) -> None:
    with socket.socket(fileno=os.dup(tls.fileno())) as below:
        below.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)


@pytest.mark.parametrize(
    ("answer", "end", "error"),
    [
        (UNTIL_CLOSED, cut, httpx.ReadError),
        (UNTIL_CLOSED, garble, httpx.ReadError),
        (HEAD + b"hell", cut, httpx.TransportError),
        (HEAD + b"hell", garble, httpx.TransportError),
        (HEAD + b"hell", say_goodbye, httpx.RemoteProtocolError),
        (b"", cut, httpx.ReadError),
        (b"", say_goodbye, httpx.ReadError),
        (UNTIL_CLOSED, say_goodbye, None),
        (HEAD + b"hello", cut, None),
    ],
)
async def test_an_answer_ends_where_the_server_says_so_and_nobody_else(
    answer: bytes,
    end: Callable[[ssl.SSLSocket], object],
    error: type[Exception] | None,
    pool: Pool,
    tls: ssl.SSLContext,
) -> None:
    with saying(answer, end, tls) as url:
        async with asyncio.timeout(10):
            if error is None:
                assert await ask(pool, url) == b"hello"
            else:
                with pytest.raises(error):
                    await ask(pool, url)
    assert pool.in_use == 0


async def test_what_comes_with_the_end_of_a_handshake_is_heard(
    pool: Pool, tls: ssl.SSLContext
) -> None:
    """In TLS 1.2 the server ends the handshake; here it says goodbye in the same breath."""
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    left = asyncio.Event()

    async def greet_and_leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        ending = tls.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                ending.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(1 << 16))
        with suppress(ssl.SSLWantReadError):
            ending.unwrap()
        writer.write(outgoing.read())
        while await reader.read(1 << 16):
            pass
        left.set()

    async with listening(greet_and_leave) as url:
        with pytest.raises(httpx.ReadError):
            await ask(pool, url)
        await left.wait()


class Change(NamedTuple):
    """What somebody between does to what a server says, in its encrypted form."""

    at: int
    removed: int
    put: bytes
    cut: int | None

    async def pass_on(self, there: asyncio.StreamReader, here: asyncio.StreamWriter) -> None:
        before = 0
        while (self.cut is None or before < self.cut) and (data := await there.read(1 << 16)):
            left = bytearray(data[: None if self.cut is None else self.cut - before])
            if before <= self.at < before + len(left):
                left[self.at - before : self.at - before + self.removed] = self.put
            before += len(data)
            here.write(left)


CHANGES = st.builds(
    Change,
    at=st.integers(0, 3_000),
    removed=st.integers(0, 4),
    put=st.binary(max_size=4),
    cut=st.none() | st.integers(0, 3_000),
)
UNCHANGED = Change(0, 0, b"", None)


@pytest.mark.parametrize(
    "said", [OK, CHUNKED, UNTIL_CLOSED], ids=["sized", "chunked", "to the end"]
)
@given(change=CHANGES)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nobody_between_can_change_an_answer(
    said: bytes, change: Change, tls: ssl.SSLContext
) -> None:
    del tls
    asyncio.run(_answer_through(said, change))


async def _answer_through(said: bytes, change: Change) -> None:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
        asking = asyncio.ensure_future(UNCHANGED.pass_on(reader, here))
        try:
            await change.pass_on(there, writer)
        finally:
            asking.cancel()
            here.close()

    pool = open_transport("httptools")
    async with (
        Server([said], hang_up=said is UNTIL_CLOSED).running() as url,
        listening(pass_on) as changed,
    ):
        with suppress(httpx.TransportError):
            assert await ask(pool, changed, connect=1, read=1) == b"hello"
        assert pool.in_use == 0
        await pool.aclose()


async def test_large_bodies_come_whole_both_ways(pool: Pool) -> None:
    body = os.urandom(3_000_000)
    server = Server([b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body), body])
    async with server.running() as url:
        for _ in range(2):
            assert await ask(pool, url, body) == body
    assert [request.endswith(body) for request in server.requests] == [True, True]
    assert server.connections == 1
