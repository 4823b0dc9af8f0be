"""Gemini's objects as bytes: Google's spelling of JSON, the envelope, and three framings."""

import json  # noqa: TID251  msgspec can neither put a space after the colon only nor write lone surrogates
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulators.calls import Call
from tests.simulators.wire import Cut, Headers, Reply, Reset, Step

Inner = dict[str, Any]

JSON = "application/json; charset=UTF-8"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SECURITY: Headers = (
    ("Vary", "Origin, X-Origin, Referer"),
    ("Server", "ESF"),
    ("Server-Timing", "gfet4t7; dur=7"),
    ("X-XSS-Protection", "0"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-Content-Type-Options", "nosniff"),
)


def compact(value: object) -> bytes:
    """One line, as in Google's streams: a space after each colon, none after commas."""
    return _encode(json.dumps(value, ensure_ascii=False, separators=(",", ": ")))


def pretty(value: object) -> bytes:
    """Two spaces of indent, as in Google's unary answers and errors."""
    return _encode(json.dumps(value, ensure_ascii=False, indent=2)) + b"\n"


def _encode(text: str) -> bytes:
    """A lone surrogate has no UTF-8; it can only be in JSON as an escape."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def event(value: object) -> bytes:
    return b"data: " + compact(value) + b"\r\n\r\n"


def headers(call: Call, content_type: str) -> Headers:
    traced: Headers = ()
    if call.recorded.upstream == "code_assist":
        traced = (("X-Cloudaicompanion-Trace-Id", call.trace_id),)
    return (("Content-Type", content_type), *_SECURITY, *traced)


def json_reply(call: Call, value: object, status: int = 200) -> Reply:
    return Reply(status, headers(call, JSON), (pretty(value),))


def enveloped(call: Call, inner: Inner | None, extra: Mapping[str, Any] | None = None) -> Inner:
    """Wrap for Code Assist; `None` is an envelope without a response."""
    if call.recorded.upstream != "code_assist":
        return inner or {}
    response = {} if inner is None else {"response": inner}
    return {**response, "traceId": call.trace_id, **(extra or {})}


def server_sent_events(call: Call, steps: Sequence[Step]) -> Reply:
    fields = (*headers(call, "text/event-stream"), ("Content-Disposition", "attachment"))
    return Reply(200, fields, tuple(steps), "chunked")


def json_array(call: Call, items: Sequence[Any]) -> Reply:
    """What a stream is when nobody asked for server-sent events."""
    steps: list[Step] = []
    opening = b"["
    for item in items:
        if isinstance(item, dict | list):
            steps.append(opening + compact(item))
            opening = b"\r\n,\r\n"
        else:
            steps.append(item)
    closing = () if any(isinstance(step, Reset | Cut) for step in steps) else (b"]",)
    return Reply(200, headers(call, JSON), (*steps, *closing), "chunked")


def merged(objects: Sequence[Inner]) -> Inner:
    """Add up what a stream says, as the unary method says it at once."""
    whole: Inner = {}
    candidates: dict[int, Inner] = {}
    for inner in objects:
        for key, value in inner.items():
            if key == "candidates":
                whole.setdefault(key, [])
                for candidate in value:
                    _add(candidates.setdefault(candidate.get("index", 0), {}), candidate)
            else:
                whole[key] = value
    if candidates:
        whole["candidates"] = [candidates[index] for index in sorted(candidates)]
    return whole


def _add(whole: Inner, candidate: Inner) -> None:
    for key, value in candidate.items():
        if key == "content" and isinstance(value, dict) and isinstance(whole.get(key), dict):
            parts = [*whole[key].get("parts", ())]
            for part in value.get("parts", ()):
                _append(parts, part)
            whole[key] = {**whole[key], **value} | ({"parts": parts} if parts else {})
        else:
            whole[key] = value


def _append(parts: list[Inner], part: Inner) -> None:
    """Join text to the text before it, unless one of the two is signed or otherwise marked."""
    last = parts[-1] if parts else {}
    joinable = {"text"}, {"text", "thought"}
    if (
        set(last) == set(part)
        and set(part) in joinable
        and last.get("thought") == part.get("thought")
    ):
        parts[-1] = {**last, "text": last["text"] + part["text"]}
    else:
        parts.append(part)
