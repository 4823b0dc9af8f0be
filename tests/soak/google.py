"""The simulated Google of a soak: each prompt says what is to become of it."""

import re
import threading
from collections import Counter
from pathlib import Path

from tests.simulators.calls import Call, Play
from tests.simulators.errors import error, page, quota_failure
from tests.simulators.gate import Gate
from tests.simulators.google import Google
from tests.simulators.replies import (
    Hold,
    Pause,
    Reset,
    answer,
    chunks,
    drop,
    function_call,
    hold,
    hung,
)
from tests.simulators.scenarios import scenario
from tests.simulators.scenarios.table import says
from tests.simulators.server import Exchange, Message

_MARK = re.compile(rb"#(\d+) (\w+)#")
_WORDS = "and so on, " * 200
_BEGUN = [says("Hello "), says("wor")]
_NEVER = Gate()

#: What goes wrong once, for the first who asks; whoever asks again gets the answer.
ONCE: dict[str, Play] = {
    "busy_once": error(429),
    "quota_once": error(429, details=[quota_failure(quotaId="GenerateRequestsPerDayPerProject")]),
    "overloaded_once": error(503),
    "broken_once": error(500),
    "dropped_once": drop(),
    "reset_once": scenario("A35").scripts["generate"][0],
    "page_once": page(200),
}
#: What goes wrong however often one asks.
ALWAYS: dict[str, Play] = {
    "busy": error(429),
    "quota": ONCE["quota_once"],
    "overloaded": error(503),
    "broken": error(500),
    "wrong": error(400),
    "denied": error(403),
    "page": page(200),
    "reset_in_the_middle": chunks(_BEGUN, then=Reset()),
    "truncated": chunks(_BEGUN),
    "error_in_the_middle": scenario("E42").scripts["generate"][0],
    "silence": hung(),
    "silence_in_the_middle": answer("Hello ", "wor", Hold(_NEVER), "ld"),
    "malformed": chunks([{"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}]),
}
_GOOD: dict[str, Play] = {
    "slowly": answer(*[beat for _ in range(20) for beat in (Pause(0.03), "word ")]),
    "long": answer(*[_WORDS] * 100),
    "calls": answer(parts=[function_call("get_weather", {"city": "Oslo"}, id="a1b2")]),
    "waits": hold(_NEVER, answer("late")),
    "stays": answer("Quok", Hold(_NEVER), "kas"),
}


class FaultyGoogle(Google):
    """Plays what `prompt` names, and remembers no request: there are too many."""

    def __init__(self, certificate: Path) -> None:
        super().__init__(certificate=certificate)
        self._asked: Counter[bytes] = Counter()
        self._counting = threading.Lock()
        #: How often each fault was played.
        self.played: Counter[str] = Counter()

    def _begin(self, message: Message) -> Exchange:
        exchange = super()._begin(message)
        with self._lock:
            self._requests.clear()
        return exchange

    def _next(self, call: Call) -> Play:
        match = _MARK.search(call.recorded.raw)
        if call.recorded.operation != "generate" or match is None:
            return super()._next(call)
        number, name = match[1], match[2].decode()
        with self._counting:
            self._asked[number] += 1
            first = self._asked[number] == 1
        play = _GOOD.get(name) or ALWAYS.get(name) or (ONCE.get(name) if first else None)
        if play is None:
            return super()._next(call)
        with self._counting:
            self.played[name] += name not in _GOOD
        return play


def prompt(number: int, play: str) -> str:
    """Return what to ask, so that this is played."""
    return f"Tell me of wombats. #{number} {play}#"
