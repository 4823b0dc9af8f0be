"""What can be scripted, in words that read well in a test.

    google.script(answer("Hel", "lo"))
    google.script(error(503), answer("at last"))
    google.script(answer("Hel", Hold(gate), "lo"))

Everything here is a `Play`: given the call it makes the `Reply`, so that the same
answer is a stream or one object, in an envelope or bare, as it was asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.simulators.calls import Call, Play
from tests.simulators.errors import error, page
from tests.simulators.gate import Gate
from tests.simulators.objects import Answer, Beat, Chunks, Item, Part
from tests.simulators.rendering import Inner, json_reply
from tests.simulators.wire import Cut, Hold, Pause, Reply, Reset, Step

__all__ = [
    "Cut",
    "Gate",
    "Hold",
    "Pause",
    "Play",
    "Reset",
    "answer",
    "by_method",
    "chunks",
    "document",
    "drop",
    "error",
    "function_call",
    "hold",
    "hung",
    "late",
    "paced",
    "page",
    "plain",
    "raw",
    "rewritten",
    "thought",
]


def answer(
    *beats: Beat,
    finish: str | None = "STOP",
    usage: Mapping[str, Any] | None = None,
    parts: list[Part] | None = None,
    candidate: Mapping[str, Any] | None = None,
    then: Item | Sequence[Item] = (),
) -> Play:
    """A complete generation: each beat is an event, and so are `parts`, after them.

    `usage` replaces the counted one, in the last event only; `{}` leaves it out.
    `candidate` adds to the last event's candidate, `then` to what follows it.
    """
    whole = (*beats, parts) if parts is not None else beats
    following = tuple(then) if isinstance(then, list | tuple) else (then,)
    return Answer(whole, finish, usage, candidate or {}, following)


def chunks(
    objects: Sequence[Item], *, then: Item = None, envelope: Mapping[str, Any] | None = None
) -> Play:
    """Send these objects as they are, `None` being an envelope without a response.

    `then` is an error event, `Reset()`, `Cut()`, or raw bytes; without it the
    stream ends in good order. `envelope` adds keys to Code Assist's last envelope.
    """
    ending = () if then is None else (then,)
    return Chunks((*objects, *ending), envelope or {})


def document(value: object, status: int = 200) -> Play:
    """A JSON body as it is, for the calls that do not generate."""
    return lambda call: json_reply(call, value, status)


def plain(
    status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> Play:
    """Any body at all, whatever was asked for."""
    fields = (("Content-Type", content_type), *(headers or {}).items())
    return Reply(status, fields, (body,))


def raw(*steps: Step) -> Play:
    """The whole response, status line included; the connection ends after it."""
    return Reply(steps=steps, framing="raw")


def drop() -> Play:
    """Close the connection without a byte, as when a pooled one went stale."""
    return raw()


def hung() -> Play:
    """Say nothing, until the client goes away."""
    return Reply(before=(Hold(Gate()),))


def hold(until: Gate, then: Play) -> Play:
    """Say nothing before the test opens the gate; then play the reply."""
    return _after(Hold(until), then)


def late(play: Play, seconds: float) -> Play:
    """Let the status line wait."""
    return _after(Pause(seconds), play)


def _after(wait: Step, play: Play) -> Play:
    def waiting(call: Call) -> Reply:
        reply = play(call)
        return replace(reply, before=(wait, *reply.before))

    return waiting


def paced(play: Play, seconds: float) -> Play:
    """Wait between the writes of a reply."""

    def slowly(call: Call) -> Reply:
        reply = play(call)
        spaced: list[Step] = []
        for step in reply.steps:
            spaced += [Pause(seconds), step] if spaced else [step]
        return replace(reply, steps=tuple(spaced))

    return slowly


def rewritten(play: Play, change: Callable[[tuple[Step, ...]], Sequence[Step]]) -> Play:
    """Change the writes of a server-sent stream; what is not one stays as it is."""

    def changed(call: Call) -> Reply:
        reply = play(call)
        if not call.recorded.server_sent_events:
            return reply
        return replace(reply, steps=tuple(change(reply.steps)))

    return changed


def by_method(*, stream: Play, unary: Play) -> Play:
    """One reply for the streaming method and another for the unary one."""
    return lambda call: (stream if call.recorded.stream else unary)(call)


def thought(text: str) -> Part:
    return {"text": text, "thought": True}


def function_call(
    name: str,
    args: Mapping[str, Any] | None = None,
    *,
    id: str | None = None,  # noqa: A002
    signature: str = "",
) -> Part:
    """A call as the model makes it; `args`, `id` and the signature are absent unless given."""
    call: Inner = {"name": name}
    if args is not None:
        call["args"] = dict(args)
    if id is not None:
        call["id"] = id
    return {"functionCall": call} | ({"thoughtSignature": signature} if signature else {})
