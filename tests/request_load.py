"""Requests of every kind, good and bad, each with the log line that it must leave."""

import hashlib
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from tests.simulators.calls import Call, Play
from tests.simulators.errors import error, quota_failure
from tests.simulators.generation import DOT
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, answer, chunks, hold
from tests.simulators.wire import Reply

KEYS = ("sk-first-key", "sk-second-key")
#: Words that no log line may hold.
PROMPT, ANSWER = "wombats", "quokkas"
PROJECT = "log-project"
TRACE = "4bf92f3577b34da6a3ce929d0e{:06x}"
SPAN = "00f067aa0ba902b7"
AGENT = "load/1.0"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(range(256))

Fields = dict[str, Any]


def usage_of(number: int) -> dict[str, int]:
    """What the simulated Google counts for one answer to the request of this number."""
    prompt, said, thought = 1000 + number, 10 + number, number % 7
    return {
        "promptTokenCount": prompt,
        "candidatesTokenCount": said,
        "thoughtsTokenCount": thought,
        "cachedContentTokenCount": number % 5,
        "totalTokenCount": prompt + said + thought,
    }


class Script:
    """What the simulated Google answers: each prompt says it, and has its request's number in it.

    `counted` has what was counted for each request, answers that were heard to their end only.
    """

    def __init__(self) -> None:
        self.never = Gate()
        self.counted: dict[int, list[dict[str, int]]] = {}
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Reply:
        match = re.search(rb"#(\d+) (\w+)#", call.recorded.raw)
        assert match, call.recorded.raw
        number, play = int(match[1]), match[2].decode()
        return self._plays(number, call.recorded.upstream)[play](call)

    def _plays(self, number: int, upstream: str | None) -> Mapping[str, Play]:
        usage = usage_of(number)
        part = {"text": f"{ANSWER} "}
        begun = {"candidates": [{"content": {"role": "model", "parts": [part]}}]}
        quota = error(429, details=[quota_failure(quotaId="GenerateRequestsPerDayPerProject")])
        not_first = error(429) if upstream == "code_assist" else self._counting(number)
        return {
            "say": self._counting(number),
            "draw": self._counting(number, {"inlineData": {"mimeType": "image/png", "data": DOT}}),
            "elsewhere": not_first,
            "wrong": error(400),
            "overloaded": error(503),
            "quota": quota,
            "breaks": self._counting_as([begun | {"usageMetadata": usage}], number, error(503)),
            "stays": answer("Quok", Hold(self.never), "kas", usage={}),
            "waits": hold(self.never, answer("late")),
        }

    def _counting(self, number: int, *parts: dict[str, Any]) -> Play:
        usage = usage_of(number)
        beats = parts or (f"{ANSWER}, ", "and ", f"{ANSWER}.")

        def counting(call: Call) -> Reply:
            self._count(number, usage)
            return answer(*beats, usage=usage)(call)

        return counting

    def _counting_as(self, objects: list[Any], number: int, then: Any) -> Play:
        def counting(call: Call) -> Reply:
            self._count(number, usage_of(number))
            return chunks(objects, then=then)(call)

        return counting

    def _count(self, number: int, usage: dict[str, int]) -> None:
        with self._lock:
            self.counted.setdefault(number, []).append(usage)


def id_of(number: int) -> str:
    return f"load-{number}"


def digest(key: str | None) -> str | None:
    return None if key is None else hashlib.sha256(key.encode()).hexdigest()[:8]


@dataclass
class Load:
    """Sends requests; `expected` has the fields of each one's line, by its id."""

    google: Google
    address: tuple[str, int]
    ways: tuple[str, ...]
    client: httpx.Client
    expected: dict[str, Fields] = field(default_factory=dict)

    def send(
        self,
        number: int,
        method: str,
        path: str,
        *,
        route: str | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> tuple[httpx.Response, Fields]:
        """Send one; return what came, and the fields that follow from it."""
        sent = self.headers(number, key) | dict(headers or {})
        response = self.client.request(method, path, headers=sent, **options)
        upstream = response.headers.get("x-upstream")
        size = 0 if method == "HEAD" else len(response.content)
        fields = {
            **self.common(number, method, path.partition("?")[0], response.status_code, size),
            "route": route,
            "key": digest(key),
            "upstream": upstream,
            "fallback": None if upstream is None else upstream != self.ways[0],
            "code": None if response.is_success else _code(response),
        }
        self.expected[id_of(number)] = fields
        return response, fields

    def headers(self, number: int, key: str | None) -> dict[str, str]:
        """Return them with the key now here, now there; every second request has a trace."""
        given: dict[str, str] = {"x-request-id": id_of(number), "user-agent": AGENT}
        if key is not None:
            given |= {"x-api-key": key} if number % 3 else {"authorization": f"Bearer {key}"}
        if number % 2:
            given["traceparent"] = f"00-{TRACE.format(number)}-{SPAN}-01"
        return given

    def common(self, number: int, method: str, path: str, status: int, size: int) -> Fields:
        severity = "INFO" if status < 400 else "WARNING" if status < 500 else "ERROR"
        traced = {
            "logging.googleapis.com/trace": f"projects/{PROJECT}/traces/{TRACE.format(number)}",
            "logging.googleapis.com/spanId": SPAN,
            "logging.googleapis.com/trace_sampled": True,
        }
        return {
            "severity": severity,
            "message": f"{method} {path} {status}",
            "event": "request",
            "logger": "service.access",
            "request_id": id_of(number),
            "method": method,
            "status": status,
            "model": None,
            "stream": False,
            "client_gone": False,
            "httpRequest": {
                "requestMethod": method,
                "requestUrl": path,
                "status": status,
                "userAgent": AGENT,
                "responseSize": str(size),
                "protocol": "HTTP/1.1",
            },
            **({} if number % 2 == 0 else traced),
            **counts(None),
        }

    def leave(
        self, number: int, play: str, *, stream: bool, reads: bytes = b"", key: str = KEYS[0]
    ) -> None:
        """Ask for a chat completion, and hang up when Google has been asked or has begun."""
        body = chat(number, play, stream=stream)
        with self.open(number, "/v1/chat/completions", body, key) as connection:
            self.wait_for(number)
            received = b""
            while reads and reads not in received:
                received += connection.recv(65536)
        fields = self.common(number, "POST", "/v1/chat/completions", 499, 0)
        found = re.search(rb"\r\nx-upstream: (\w+)\r\n", received)
        upstream = found[1].decode() if found else None
        began = {
            "model": body["model"],
            "upstream": upstream,
            "fallback": upstream != self.ways[0],
        }
        self.expected[id_of(number)] = fields | {
            "route": "/v1/chat/completions",
            "key": digest(key),
            "code": "client_disconnected",
            "client_gone": True,
            "stream": stream,
            **(began if reads else {"upstream": None, "fallback": None}),
        }
        del fields["httpRequest"]["responseSize"]  # how much was on its way is a race

    def open(
        self, number: int, path: str, body: Fields, key: str, *, cut: int = 0
    ) -> socket.socket:
        """Send a request on a bare connection, the last bytes of its body left out."""
        content = msgspec.json.encode(body)
        headers = {**self.headers(number, key), "host": "gateway"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\n{lines}content-length: {len(content)}\r\n\r\n"
        connection = socket.create_connection(self.address, timeout=30)
        connection.sendall(head.encode() + content[: len(content) - cut])
        return connection

    def wait_for(self, number: int) -> None:
        wanted = b"#%d " % number
        for _ in range(1000):
            calls = self.google.calls("generate")
            if any(wanted in call.raw for call in calls):
                return
            self.google.wait_for("generate", len(calls) + 1, timeout=30)


def _code(response: httpx.Response) -> str:
    """Read OpenAI's code; what Google's own clients get has none of it."""
    told = response.json()["error"]
    return str(told.get("code") or told.get("type"))


def counts(usages: list[dict[str, int]] | None) -> Fields:
    """Return the tokens of a line for what Google counted."""
    if not usages:
        return dict.fromkeys(
            ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
        )
    return {
        "prompt_tokens": sum(usage["promptTokenCount"] for usage in usages),
        "completion_tokens": sum(
            usage["candidatesTokenCount"] + usage["thoughtsTokenCount"] for usage in usages
        ),
        "reasoning_tokens": sum(usage["thoughtsTokenCount"] for usage in usages),
        "cached_tokens": sum(usage["cachedContentTokenCount"] for usage in usages),
    }


def prompt(number: int, play: str) -> str:
    return f"Tell me of {PROMPT}. #{number} {play}#"


def chat(number: int, play: str, *, model: str = "gemini-2.5-flash", **more: Any) -> Fields:
    messages = [{"role": "user", "content": prompt(number, play)}]
    return {"model": model, "messages": messages, **more}


#: One request of some kind: of this number, with this key.
Kind = Callable[[Load, int, str], None]


def completion(play: str, path: str = "/v1/chat/completions", **more: Any) -> Kind:
    """A chat completion, whole or streamed."""

    def ask(load: Load, number: int, key: str) -> None:
        body = chat(number, play, **more)
        response, fields = load.send(number, "POST", path, route=path, key=key, json=body)
        fields["stream"] = bool(more.get("stream"))
        _answered(fields, body["model"])
        if response.is_success and (failure := _failure_in(response)):
            fields |= {"code": failure, "severity": "WARNING"}

    return ask


def _failure_in(response: httpx.Response) -> str | None:
    """Return the code of a stream's error event."""
    for line in response.text.splitlines():
        if line.startswith('data: {"error"'):
            return str(msgspec.json.decode(line.removeprefix("data: "))["error"]["code"])
    return None


def _answered(fields: Fields, model: object) -> None:
    if fields["upstream"] is not None:
        fields["model"] = model


def old_completion(**more: Any) -> Kind:
    def ask(load: Load, number: int, key: str) -> None:
        body = {"model": "gemini-2.5-pro", "prompt": prompt(number, "say"), **more}
        path = "/v1/completions"
        _, fields = load.send(number, "POST", path, route=path, key=key, json=body)
        fields["stream"] = bool(more.get("stream"))
        _answered(fields, body["model"])

    return ask


def transcription(load: Load, number: int, key: str) -> None:
    path = "/v1/audio/transcriptions"
    data = {"model": "gemini-2.5-flash", "prompt": prompt(number, "say")}
    files = {"file": ("speech.wav", WAV)}
    _, fields = load.send(number, "POST", path, route=path, key=key, data=data, files=files)
    _answered(fields, "gemini-2.5-flash")


def images(load: Load, number: int, key: str) -> None:
    path = "/v1/images/generations"
    body = {"model": "gemini-2.5-flash-image", "prompt": prompt(number, "draw"), "n": 2}
    _, fields = load.send(number, "POST", path, route=path, key=key, json=body)
    _answered(fields, body["model"])


def embeddings(load: Load, number: int, key: str) -> None:
    path = "/v1/embeddings"
    body = {"model": "gemini-embedding-2", "input": [PROMPT, f"More of {PROMPT}"]}
    response, fields = load.send(number, "POST", path, route=path, key=key, json=body)
    _answered(fields, body["model"])
    # Code Assist, the first of the ways, makes none.
    fields["fallback"] = fields["upstream"] != load.ways[1]
    tokens = response.json()["usage"]["prompt_tokens"]
    fields |= {**counts(None), "prompt_tokens": tokens, "completion_tokens": 0}
    fields |= {"reasoning_tokens": 0, "cached_tokens": 0}


def native(method: str, query: str = "") -> Kind:
    """Google's own API."""

    def ask(load: Load, number: int, key: str) -> None:
        body = {"contents": [{"role": "user", "parts": [{"text": prompt(number, "say")}]}]}
        path = f"/v1beta/models/gemini-2.5-flash:{method}{query}"
        route = "/v1beta/models/{target}"
        response, fields = load.send(number, "POST", path, route=route, key=key, json=body)
        fields["stream"] = method == "streamGenerateContent"
        if fields["stream"]:
            fields["upstream"] = response.headers["x-upstream"]
        _answered(fields, "gemini-2.5-flash")

    return ask


def plain(method: str, path: str, route: str | None) -> Kind:
    """What needs no upstream, or does not exist."""

    def ask(load: Load, number: int, key: str) -> None:
        response, fields = load.send(number, method, path, route=route, key=key)
        if "v1beta" in path and not response.is_success:
            fields["code"] = "unknown_url"

    return ask


def with_key(key: str | None) -> Kind:
    def ask(load: Load, number: int, _: str) -> None:
        path = "/v1/chat/completions"
        body = chat(number, "say")
        load.send(number, "POST", path, route=path, key=key, json=body)

    return ask


def leaving(play: str, *, stream: bool, reads: bytes = b"") -> Kind:
    def ask(load: Load, number: int, key: str) -> None:
        load.leave(number, play, stream=stream, reads=reads, key=key)

    return ask


def leaving_in_mid_request(load: Load, number: int, key: str) -> None:
    path = "/v1/chat/completions"
    load.open(number, path, chat(number, "say"), key, cut=5).close()
    fields = load.common(number, "POST", path, 499, 0)
    del fields["httpRequest"]["responseSize"]
    load.expected[id_of(number)] = fields | {
        "route": path,
        "key": digest(key),
        "code": "client_disconnected",
        "client_gone": True,
        "upstream": None,
        "fallback": None,
    }


KINDS: dict[str, Kind] = {
    "chat": completion("say"),
    "chat of another model": completion("say", model="gemini-2.5-pro"),
    "chat without the prefix": completion("say", "/chat/completions"),
    "stream": completion("say", stream=True),
    "stream with usage": completion("say", stream=True, stream_options={"include_usage": True}),
    "two choices": completion("say", n=2),
    "two choices, streamed": completion("say", n=2, stream=True),
    "stand-in": completion("elsewhere", model="gemini-2.5-flash-lite"),
    "stand-in, streamed": completion("elsewhere", model="gemini-2.5-flash-lite", stream=True),
    "refused by google": completion("wrong"),
    "refused by google, streamed": completion("wrong", stream=True),
    "out of quota": completion("quota", model="gemini-3-flash-preview"),
    "overloaded": completion("overloaded", model="gemini-3.8-flash"),
    "overloaded, streamed": completion("overloaded", model="gemini-3.8-flash", stream=True),
    "broken off": completion("breaks", stream=True),
    "no such model": completion("say", model="gpt-nonsense"),
    "no messages": completion("say", messages=[]),
    "completion": old_completion(),
    "completion, streamed": old_completion(stream=True),
    "transcription": transcription,
    "images": images,
    "embeddings": embeddings,
    "native": native("generateContent"),
    "native events": native("streamGenerateContent", "?alt=sse"),
    "native list": native("streamGenerateContent"),
    "native count": native("countTokens"),
    "models": plain("GET", "/v1/models", "/v1/models"),
    "head": plain("HEAD", "/v1/models", "/v1/models"),
    "model": plain("GET", "/v1/models/gemini-2.5-flash", "/v1/models/{model_id}"),
    "no such model to describe": plain("GET", "/v1/models/x", "/v1/models/{model_id}"),
    "unknown": plain("GET", "/v1/nothing", None),
    "unknown, to google's clients": plain("GET", "/v1beta/nothing", None),
    "wrong method": plain("GET", "/v1/chat/completions", None),
    "responses": plain("GET", "/v1/responses/resp_1", "/v1/responses/{response_id}"),
    "debug": plain("GET", "/v1/debug/cache", "/v1/debug/cache"),
    "index": plain("GET", "/", "/"),
    "wrong key": with_key("sk-of-nobody"),
    "no key": with_key(None),
    "left before the answer": leaving("waits", stream=False),
    "left before the stream": leaving("waits", stream=True),
    "left in mid-stream": leaving("stays", stream=True, reads=b"Quok"),
    "left in mid-request": leaving_in_mid_request,
}
