"""A request to the simulated Google, once it is known what it asks for."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.simulators.wire import Reply
from tests.simulators.world import World

Upstream = Literal["code_assist", "gemini_api", "vertex"]


@dataclass
class Recorded:
    """What arrived, for tests to look at."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    raw: bytes
    body: Any  # decoded JSON; a form as a dict; None if it is neither
    operation: str
    upstream: Upstream | None
    model: str | None  # without `models/`
    stream: bool
    at: float  # monotonic
    left: threading.Event = field(default_factory=threading.Event)  # hung up before the end
    done: threading.Event = field(default_factory=threading.Event)  # answered in full

    @property
    def request(self) -> dict[str, Any]:
        """Gemini's own request, without the envelope."""
        body = self.body if isinstance(self.body, dict) else {}
        inner = body.get("request", {}) if self.upstream == "code_assist" else body
        return inner if isinstance(inner, dict) else {}

    @property
    def server_sent_events(self) -> bool:
        """Without `alt=sse` a stream is one JSON array."""
        return self.stream and self.query.get("alt") == "sse"

    @property
    def bearer(self) -> str | None:
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind.lower() == "bearer" else None


@dataclass(frozen=True)
class Call:
    """A request and the Google that it came to: all that an answer may depend on."""

    recorded: Recorded
    world: World
    number: int  # counts from 1

    @property
    def trace_id(self) -> str:
        return f"{self.number:016x}"


Play = Callable[[Call], Reply]
