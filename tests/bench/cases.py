"""What is asked for, and how: one load after the other."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import msgspec

from tests.bench.asking import KEY, MODEL, Wanted

#: As long as a data URL of a picture of 1 MiB is in base64.
IMAGE = ("iVBORw0KGgoAAAANSUhEUgAABAAAAAQACAIAAADwf7zU" * 25000)[: 1 << 20]
_HISTORY = 300
_SENTENCE = "This is what was said before, and it is neither short nor of any great length. "


@dataclass(frozen=True)
class Case:
    """A closed loop of some connections; or, with `streams`, so many answers at the same time."""

    name: str
    wanted: Wanted
    streamed: bool = False
    asks: Literal["words", "image", "history"] = "words"
    connections: int = 16
    streams: int = 0

    @property
    def expected(self) -> str:
        return "".join(self.wanted.texts())

    def messages(self, mark: str) -> list[dict[str, Any]]:
        system = {"role": "system", "content": "You are brief."}
        if self.asks == "image":
            picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}}
            text = {"type": "text", "text": f"What does it show? {mark}"}
            return [system, {"role": "user", "content": [text, picture]}]
        turns = [
            {"role": "assistant" if number % 2 else "user", "content": f"{number}: {_SENTENCE * 3}"}
            for number in range(_HISTORY - 2 if self.asks == "history" else 0)
        ]
        return [system, *turns, {"role": "user", "content": f"Tell me of foxes. {mark}"}]

    def body(self, mark: str | None = None) -> bytes:
        return msgspec.json.encode(
            {
                "model": MODEL,
                "messages": self.messages(mark or self.wanted.mark()),
                "stream": self.streamed and mark is None,
                "temperature": 0.7,
                "max_tokens": 4096,
            }
        )


@cache
def request(case: Case, path: str, mark: str | None = None) -> bytes:
    """Return the bytes to send."""
    body = case.body(mark)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


CASES = {
    case.name: case
    for case in [
        Case("first", Wanted(10), streamed=True, connections=1),
        Case("small", Wanted(10)),
        Case("burst10", Wanted(10), streamed=True),
        Case("burst200", Wanted(200), streamed=True),
        Case("paced", Wanted(40, pause=50), streamed=True, streams=100),
        Case("image", Wanted(10), asks="image", connections=4),
        Case("history", Wanted(10), asks="history", connections=8),
        Case("streams100", Wanted(100, pause=50), streamed=True, streams=100),
        Case("streams500", Wanted(120, pause=50), streamed=True, streams=500),
        Case("streams1000", Wanted(160, pause=50), streamed=True, streams=1000),
    ]
}
