"""A, second half: silence, broken connections, and streams that only seem complete."""

from collections.abc import Sequence

from tests.simulators.calls import Call, Play
from tests.simulators.gate import Gate
from tests.simulators.generation import echo
from tests.simulators.rendering import JSON
from tests.simulators.replies import answer, by_method, drop, late, paced, rewritten
from tests.simulators.scenarios.a_framing import HELLO
from tests.simulators.scenarios.table import generating
from tests.simulators.wire import LETS_THE_OTHER_SIDE_READ, Cut, Hold, Pause, Reply, Reset, Step

_NEVER = Hold(Gate())
_MEGABYTE = b"x" * 2**20
_EVENTS = (("Content-Type", "text/event-stream"),)


def _line_without_end(_: Call) -> Reply:
    steps = (b'data: {"', *[_MEGABYTE] * 64)
    return Reply(200, _EVENTS, steps, "chunked")


def _silent_after_the_head(steps: tuple[Step, ...]) -> Sequence[Step]:
    return [Pause(45), *steps]


def _empty(call: Call) -> Reply:
    content_type = "text/event-stream" if call.recorded.server_sent_events else JSON
    return Reply(200, (("Content-Type", content_type),))


_RESET: Play = Reply(200, _EVENTS, (LETS_THE_OTHER_SIDE_READ, Reset()), "chunked")

SCENARIOS = (
    generating("A22", "64 MB without a line end", by_method(stream=_line_without_end, unary=HELLO)),
    generating(
        "A23", "an event every two seconds, for a minute", paced(answer(*["tick "] * 30), 2)
    ),
    generating(
        "A24",
        "headers at once, then 45 s of silence",
        by_method(stream=rewritten(HELLO, _silent_after_the_head), unary=late(HELLO, 45)),
    ),
    generating("A25", "45 s of silence before the status line", late(HELLO, 45)),
    generating(
        "A26", "two events, then silence for ever", answer("one ", "two ", _NEVER, finish=None)
    ),
    generating("A33", "200 and nothing else", _empty),
    generating("A35", "a reset right after the headers", _RESET),
    generating(
        "A36",
        "three events, then a reset",
        answer("one ", "two ", "three ", finish=None, then=[LETS_THE_OTHER_SIDE_READ, Reset()]),
    ),
    generating(
        "A37", "a chunked body without its last chunk", answer("Hel", "lo", finish=None, then=Cut())
    ),
    generating("A38", "an orderly end without a finish reason", answer("Hel", "lo", finish=None)),
    generating(
        "A39", "a stream that goes on until the client leaves", paced(answer(*["tick "] * 600), 1)
    ),
    generating(
        "A41",
        "the second request on a kept connection is dropped without a byte",
        echo,
        drop(),
        echo,
    ),
)
