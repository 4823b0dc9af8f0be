"""The person in front of the browser, and a login that waits for them."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode

import httpx

from service.commands.login import Answered, ask_for_consent
from tests.simulators.google import Google


class Page:
    """The consent page, as a person has it open."""

    def __init__(self, google: Google, url: str) -> None:
        self.address, _, query = url.partition("?")
        self.query = dict(parse_qsl(query))
        self.redirect_uri = self.query["redirect_uri"]
        self._google = google

    def agree(self, **differs: str) -> str:
        """Return the address that the browser is sent to."""
        code = self._google.authorize(
            self.redirect_uri, challenge=self.query["code_challenge"] or None
        )
        return self.redirect(code=code, scope=self.query["scope"], **differs)

    def redirect(self, **query: str) -> str:
        return f"{self.redirect_uri}?{urlencode({'state': self.query['state']} | query)}"


def get(url: str, method: str = "GET") -> httpx.Response:
    with httpx.Client(verify=False) as client:  # noqa: S501  (plain HTTP)
        return client.request(method, url)


class Asked:
    """A login that waits for its answer."""

    def __init__(self, google: Google, answer: "asyncio.Task[Answered]", said: list[str]) -> None:
        self._google = google
        self.answer = answer
        self.said = said
        self.page: Page
        self.pasted: int

    async def get(self, url: str, method: str = "GET") -> httpx.Response:
        return await asyncio.to_thread(get, url, method)

    async def paste(self, text: str) -> None:
        await asyncio.to_thread(os.write, self.pasted, text.encode())


@asynccontextmanager
async def asking(google: Google, patience: float = 20) -> AsyncGenerator[Asked]:
    """Open a consent page in a browser that only notes its address."""
    opened: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    said: list[str] = []
    reading, writing = os.pipe()
    answer = asyncio.create_task(
        ask_for_consent(
            google.client_id,
            open_browser=lambda url: loop.call_soon_threadsafe(opened.put_nowait, url),
            pasted=reading,
            say=said.append,
            patience=patience,
        )
    )
    asked = Asked(google, answer, said)
    asked.pasted = writing
    try:
        asked.page = Page(google, await opened.get())
        yield asked
    finally:
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)
        for descriptor in (reading, writing):
            os.close(descriptor)
