"""Requests to the simulated Google for its own tests, down to the bytes."""

import http.client
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from tests.simulators.google import Google

Json = dict[str, Any]

UPSTREAMS = ("code_assist", "gemini_api", "vertex")
_PATHS = {
    "code_assist": "/v1internal:{method}",
    "gemini_api": "/v1beta/models/{model}:{method}",
    "vertex": "/v1/projects/p/locations/global/publishers/google/models/{model}:{method}",
}


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.content)

    @property
    def error(self) -> Any:
        body = self.json
        return (body[0] if isinstance(body, list) else body)["error"]

    @property
    def reason(self) -> str:
        return str(self.error["details"][0]["reason"])


def user(*parts: str | Json) -> Json:
    return _content("user", parts)


def model(*parts: str | Json) -> Json:
    return _content("model", parts)


def _content(role: str, parts: tuple[str | Json, ...]) -> Json:
    return {
        "role": role,
        "parts": [{"text": part} if isinstance(part, str) else part for part in parts],
    }


def fetch(
    google: Google,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> Got:
    connection = http.client.HTTPConnection(urlsplit(google.url).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Got(response.status, fields, response.read())
    finally:
        connection.close()


def post_form(google: Google, path: str, **form: str) -> Got:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return fetch(google, "POST", path, urlencode(form).encode(), headers)


def credentials(google: Google, upstream: str) -> dict[str, str]:
    if upstream == "gemini_api":
        return {"x-goog-api-key": "sim-api-key"}
    return {"authorization": f"Bearer {google.tokens.issue()}"}


def ask(
    google: Google,
    request: object = None,
    *,
    upstream: str = "gemini_api",
    model_id: str = "gemini-2.5-flash",
    method: str = "generateContent",
    headers: dict[str, str] | None = None,
) -> Got:
    """Ask any of the three upstreams; the request goes into an envelope where one is wanted."""
    body = request if request is not None else {"contents": [user("hi")]}
    if upstream == "code_assist":
        body = {"model": model_id, "project": "p", "request": body}
    path = _PATHS[upstream].format(model=model_id, method=method)
    allowed = credentials(google, upstream) if headers is None else headers
    return fetch(google, "POST", path, msgspec.json.encode(body), allowed)


def stream(google: Google, model_id: str, upstream: str = "code_assist") -> bytes:
    """Ask for a stream and return every byte of the answer, up to the end of the connection.

    What was received before a reset is returned with `!RST` after it.
    """
    with begin_stream(google, model_id, upstream) as connection:
        return read_all(connection)


def begin_stream(google: Google, model_id: str, upstream: str = "code_assist") -> socket.socket:
    path = _PATHS[upstream].format(model=model_id, method="streamGenerateContent?alt=sse")
    body: Json = {"contents": [user("hi")]}
    if upstream == "code_assist":
        body = {"model": model_id, "project": "p", "request": body}
    content = msgspec.json.encode(body)
    fields = credentials(google, upstream) | {
        "host": "sim",
        "connection": "close",
        "content-length": str(len(content)),
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    connection = connect(google)
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + content)
    return connection


def connect(google: Google) -> socket.socket:
    address = urlsplit(google.url)
    return socket.create_connection((address.hostname, address.port), timeout=10)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while True:
        try:
            data = connection.recv(65536)
        except ConnectionResetError:
            return received + b"!RST"
        if not data:
            return received
        received += data


def dechunked(response: bytes) -> tuple[str, list[bytes], bytes]:
    """Take a response apart: its head, its chunks, and what is not a whole chunk."""
    head, _, rest = response.partition(b"\r\n\r\n")
    chunks = []
    while b"\r\n" in rest:
        line, _, after = rest.partition(b"\r\n")
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            break
        chunks.append(after[:size])
        rest = after[size:].removeprefix(b"\r\n")
    return head.decode(), chunks, rest
