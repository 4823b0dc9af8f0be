"""The gateway on a real socket, in a thread of its own."""

import logging
import socket
import threading
import time
from typing import Any, Self

import httpx
import msgspec
from msgspec import structs

from service.app import create_app
from service.server import server
from service.settings import Secret, Settings
from tests.leaks import LEAKS
from tests.simulators.google import Google

API_KEY = "sk-test"
HELLO: dict[str, Any] = {
    "model": "gemini-2.5-flash",
    "messages": [{"role": "user", "content": "Hello!"}],
}


def settings_for(google: Google, **differs: Any) -> Settings:
    """Return settings that use the simulated Google as a licensed user of Code Assist."""
    settings = Settings(
        openai_api_key=Secret(API_KEY),
        gcp_service_account=Secret(credential(google)),
        code_assist_endpoint=google.url,
        oauth_token_url=f"{google.url}/token",
    )
    return structs.replace(settings, **differs)


def credential(google: Google) -> str:
    document = {
        "refresh_token": "1//sim-refresh",
        "client_id": google.client_id,
        "client_secret": google.client_secret,
    }
    return msgspec.json.encode(document).decode()


class Gateway:
    """`with Gateway(settings) as gateway`: serves until the end of the block."""

    def __init__(self, settings: Settings) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = ("127.0.0.1", int(self._socket.getsockname()[1]))
        self.url = f"http://127.0.0.1:{self.address[1]}"
        LEAKS.learn_settings(settings)
        self._server = server(LEAKS.watched(create_app(settings)), settings)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def client(self, key: str | None = API_KEY) -> httpx.Client:
        """Return a client, with the right key unless another is given; the caller closes it."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        # Loading certificates that nobody needs here takes longer than a test.
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, verify=False)  # noqa: S501


def send(connection: socket.socket, body: dict[str, Any]) -> None:
    """Ask for a chat completion on a bare connection, and wait for nothing."""
    content = msgspec.json.encode(body)
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\n"
        f"authorization: Bearer {API_KEY}\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    connection.sendall(head.encode() + content)


class AccessLog(logging.Handler):
    """Collects the lines of requests from now on; `wait_for` waits for the end of one."""

    def __init__(self) -> None:
        super().__init__()
        self._since = time.time()
        self._arrival = threading.Condition()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = record.__dict__["fields"]
        if record.created - fields["total_ms"] / 1000 < self._since:
            return  # of the test before: a line follows the answer
        with self._arrival:
            self.lines.append(fields | {"path": fields["httpRequest"]["requestUrl"]})
            self._arrival.notify_all()

    def wait_for(self, **fields: Any) -> dict[str, Any]:
        """Return the first line with these fields; fail if none comes within five seconds."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self.lines if fields.items() <= line.items()), None)

        with self._arrival:
            line = self._arrival.wait_for(found, timeout=5)
        assert line, f"no line with {fields} in {self.lines}"
        return line


def events(response: httpx.Response) -> list[Any]:
    """Decode a stream's events; what is not JSON, such as [DONE], stays bytes."""
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    found: list[Any] = []
    for block in response.content.split(b"\n\n")[:-1]:
        if block.startswith(b":"):
            continue
        assert block.startswith(b"data: "), block
        data = block.removeprefix(b"data: ")
        found.append(msgspec.json.decode(data) if data.startswith(b"{") else data)
    return found


def text_of(chunks: list[Any]) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks
        if isinstance(chunk, dict)
        for choice in chunk.get("choices", [])
    )
