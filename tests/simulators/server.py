"""The server below the simulator: it reads requests and plays replies, and knows no Google.

h11 only reads. What is answered is written byte by byte, because a server library
would mend the very faults that the tests are about.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import h11

from tests.certificate import server_context
from tests.simulators.wire import Cut, Hold, Pause, Reply, Reset, Step

LARGEST_READ = 2**18
LARGEST_HEAD = 2**16
NOT_HTTP = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Message:
    """A complete request, as it was read."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    keep_alive: bool


@dataclass(frozen=True)
class Exchange:
    """The reply to one request, and what became of it: one of the two events gets set."""

    reply: Reply
    done: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)


class Server:
    """Serves one port of 127.0.0.1 from a thread and an event loop of its own.

    With a certificate (a file that has its key, too) there is another port, for TLS.
    """

    def __init__(
        self,
        begin: Callable[[Message], Exchange],
        *,
        port: int,
        scale: Callable[[], float],
        certificate: Path | None = None,
    ) -> None:
        self.port = port
        self.tls_port: int | None = None
        self._certificate = certificate
        self.open_replies = 0
        self._begin = begin
        self._scale = scale
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated Google", daemon=True)
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Break whatever is still open, and wait until nothing of the server is left."""
        with suppress(RuntimeError):  # the loop is closed: stopped before
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:  # the port is taken
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        conversations: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._converse(reader, writer))
            conversations.add(task)
            task.add_done_callback(conversations.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", self.port, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        servers = [server]
        if self._certificate is not None:
            context = server_context(self._certificate)
            servers.append(
                await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024, ssl=context)
            )
            self.tls_port = servers[-1].sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        for server in servers:
            server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        gone = asyncio.Event()
        receiving = self._loop.create_task(_receive(reader, writer, inbox, gone))
        try:
            while (message := await inbox.get()) is not None:
                if not await self._answer(message, writer, gone):
                    break
        finally:
            receiving.cancel()
            writer.close()

    async def _answer(
        self, message: Message, writer: asyncio.StreamWriter, gone: asyncio.Event
    ) -> bool:
        """Play the reply, unless the client leaves first; return whether to go on."""
        self.open_replies += 1
        exchange = self._begin(message)
        playing = self._loop.create_task(self._play(exchange.reply, writer, message.keep_alive))
        leaving = self._loop.create_task(gone.wait())
        try:
            await asyncio.wait({playing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.open_replies -= 1
            leaving.cancel()
            finished = playing.done() and not isinstance(playing.exception(), OSError)
            (exchange.done if finished else exchange.left).set()
            playing.cancel()
        return finished and playing.result()

    async def _play(self, reply: Reply, writer: asyncio.StreamWriter, keep_alive: bool) -> bool:  # noqa: FBT001
        for step in reply.before:
            if not await self._take(step, writer):
                return False
        head = reply.head(keep_alive=keep_alive)
        if reply.framing == "content-length" and reply.steps and isinstance(reply.steps[0], bytes):
            writer.write(head)  # goes out with the body, as it does from most servers
        elif head:
            await self._take(head, writer)
        for step in reply.steps:
            piece = reply.frame(step) if isinstance(step, bytes) else step
            if not await self._take(piece, writer):
                return False
        await self._take(reply.terminator, writer)
        return keep_alive and not reply.ends_the_connection

    async def _take(self, step: Step, writer: asyncio.StreamWriter) -> bool:
        """Take one step; return whether the connection lives on."""
        match step:
            case bytes():
                writer.write(step)
                await writer.drain()
                await asyncio.sleep(0)  # lets the next write be a packet of its own
            case Pause(seconds):
                await asyncio.sleep(seconds * self._scale())
            case Hold(gate):
                await gate.wait()
            case Cut():
                return False
            case Reset():
                await asyncio.sleep(0)
                connection: socket.socket = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return False
        return True


async def _receive(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    inbox: asyncio.Queue[Message | None],
    gone: asyncio.Event,
) -> None:
    """Read until the client is gone, also while a reply is being written: that is how we notice."""
    parser = _Parser()
    with suppress(ConnectionError):
        while data := await reader.read(LARGEST_READ):
            try:
                messages = parser.feed(data)
            except h11.RemoteProtocolError:
                writer.write(NOT_HTTP)
                break
            if parser.expects_100_continue:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            for message in messages:
                inbox.put_nowait(message)
    gone.set()
    inbox.put_nowait(None)


class _Parser:
    """Bytes in, requests out. Each gets a fresh h11 connection, whose answering half stays idle."""

    def __init__(self) -> None:
        self._start(b"")

    def _start(self, already_received: bytes) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
        self._request: h11.Request | None = None
        self._body = bytearray()
        if already_received:
            self._connection.receive_data(already_received)

    @property
    def expects_100_continue(self) -> bool:
        return self._connection.they_are_waiting_for_100_continue

    def feed(self, data: bytes) -> list[Message]:
        self._connection.receive_data(data)
        messages = []
        while (event := self._connection.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Request):
                self._request = event
            elif isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage):
                messages.append(self._message())
                self._start(self._connection.trailing_data[0])
        return messages

    def _message(self) -> Message:
        assert self._request is not None
        headers: dict[str, str] = {}
        for name, value in self._request.headers:
            headers[name.decode()] = value.decode("latin-1")
        return Message(
            method=self._request.method.decode(),
            target=self._request.target.decode("latin-1"),
            headers=headers,
            body=bytes(self._body),
            keep_alive=self._request.http_version >= b"1.1"
            and headers.get("connection", "").lower() != "close",
        )
