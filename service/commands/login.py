"""`credentials login`: a consent page in the browser, and the redirect that answers it.

The redirect leads to a port of this machine (RFC 8252 section 7.3). Where the browser runs on
another one it leads nowhere, and the person pastes its address instead.
"""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import click

from service.credentials.authorization_code import Consent, consent_url, new_consent

PATH = "/oauth2callback"
#: Seconds that the person may take.
PATIENCE = 300.0


class Answered(NamedTuple):
    """What came of a consent page."""

    consent: Consent
    code: str

    def __repr__(self) -> str:
        return "Answered(…)"


class NotOursError(Exception):
    """A redirect that answers no question of ours. The message is for whoever sent it."""


async def ask_for_consent(
    client_id: str,
    *,
    open_browser: Callable[[str], object] | None,
    pasted: int | None,
    say: Callable[[str], None],
    patience: float = PATIENCE,
) -> Answered:
    """Send the person to the consent page, and wait for what they answer.

    Args:
        client_id: whom they let in.
        open_browser: shows a page; None leaves that to the person.
        pasted: file descriptor from which the redirect's address may come, too.
        say: tells the person something.
        patience: seconds to wait.

    Raises:
        click.ClickException: they refused, or took too long.

    """
    waiting = _Waiting(say)
    async with _listening(waiting) as port:
        waiting.consent = new_consent(f"http://127.0.0.1:{port}{PATH}")
        url = consent_url(waiting.consent, client_id)
        if open_browser is None:
            say(f"Open this page in a browser, and agree:\n\n{url}\n")
            say("If the page after that does not load, paste its address here:")
        else:
            say(f"A browser opens for you to agree. If it does not, open this page:\n\n{url}\n")
            # beside the wait: a browser in the terminal returns when it is closed
            threading.Thread(target=open_browser, args=(url,), daemon=True).start()
        with _reading_lines(pasted, waiting.paste):
            try:
                async with asyncio.timeout(patience):
                    code = await waiting.code
            except TimeoutError:
                minutes = f"{patience / 60:g} minutes"
                raise click.ClickException(f"Nobody agreed within {minutes}.") from None
        return Answered(waiting.consent, code)


class _Waiting:
    """Waits for the one redirect that answers its consent page."""

    consent: Consent

    def __init__(self, say: Callable[[str], None]) -> None:
        self.code: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._say = say

    def take(self, address: str) -> None:
        """Take a redirect's address; raise `NotOursError` if it is a stranger's."""
        query = parse_qs(urlsplit(address).query)
        (state, *_) = query.get("state", [""])
        (code, *_) = query.get("code", [""])
        (error, *_) = query.get("error", [""])
        if state != self.consent.state:
            raise NotOursError(
                "This is no answer to the page that is open now: its state is another one."
            )
        if not (code or error):
            raise NotOursError("This answer holds neither a code nor an error.")
        if self.code.done():
            return
        if error:
            self.code.set_exception(click.ClickException(_refusal(error)))
        else:
            self.code.set_result(code)

    def paste(self, line: str) -> None:
        """Take a line that the person pasted."""
        if not line.strip():
            return
        try:
            self.take(line.strip())
        except (NotOursError, ValueError) as error:
            self._say(f"{error} Paste the whole address of the page that did not load:")


def _refusal(error: str) -> str:
    if error == "access_denied":
        return "Google says access_denied: the request was not agreed to. Nothing was written."
    name = error if error.replace("_", "").isalnum() else "error"
    return f"Google refused the login ({name}). Nothing was written."


@asynccontextmanager
async def _listening(waiting: _Waiting) -> AsyncGenerator[int]:
    """Listen on a free port of this machine until the end of the block."""
    visits: set[asyncio.Task[None]] = set()

    def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.create_task(_answer(waiting, reader, writer))
        visits.add(visit)
        visit.add_done_callback(visits.discard)

    server = await asyncio.start_server(visited, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        # the browser's page is on its way; connections that it only holds open are not waited for
        if visits:
            await asyncio.wait(visits, timeout=0.2)
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


async def _answer(
    waiting: _Waiting, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            status, text = _page(waiting, head)
            body = _PAGE.format(text=text).encode()
            writer.write(
                _HEAD.format(status=status, phrase=status.phrase, length=len(body)).encode()
            )
            writer.write(body)
            await writer.drain()
    finally:
        writer.close()


def _page(waiting: _Waiting, head: bytes) -> tuple[HTTPStatus, str]:
    method, target, *_ = [*head.decode("latin-1").split("\r\n")[0].split(" "), "", ""]
    # A browser asks for its icon, too; that is no reason to give up.
    if method != "GET" or urlsplit(target).path != PATH:
        return HTTPStatus.NOT_FOUND, "There is nothing here."
    try:
        waiting.take(target)
    except NotOursError as error:
        return HTTPStatus.BAD_REQUEST, str(error)
    return HTTPStatus.OK, "Google has answered. Close this page and go back to the terminal."


_HEAD = (
    "HTTP/1.1 {status:d} {phrase}\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: {length}\r\n"
    "Cache-Control: no-store\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Connection: close\r\n\r\n"
)
_PAGE = "<!DOCTYPE html><title>Login</title><p>{text}</p>\n"


@contextmanager
def _reading_lines(source: int | None, take: Callable[[str], None]) -> Generator[None]:
    """Hand over each line that arrives on a file descriptor, until the end of the block.

    Not in a thread, which would go on waiting for a line when nobody wants one any more.
    """
    loop = asyncio.get_running_loop()
    buffer = bytearray()

    def readable(descriptor: int) -> None:
        data = os.read(descriptor, 65536)
        buffer.extend(data)
        *lines, rest = bytes(buffer).split(b"\n")
        if not data:
            loop.remove_reader(descriptor)
            lines, rest = [*lines, rest], b""
        buffer[:] = rest
        for line in lines:
            take(line.decode("utf-8", "replace"))

    if source is None:
        yield
        return
    try:
        loop.add_reader(source, readable, source)
    except OSError:  # a file, which is always readable
        data = None
        while data != b"":
            data = os.read(source, 65536)
            buffer.extend(data)
        for line in bytes(buffer).split(b"\n"):
            take(line.decode("utf-8", "replace"))
        yield
        return
    try:
        yield
    finally:
        loop.remove_reader(source)
