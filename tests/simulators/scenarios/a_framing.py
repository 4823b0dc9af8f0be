"""A, first half: the same answer, cut, framed and spelled in every way that may arrive."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.simulators.calls import Call, Play
from tests.simulators.rendering import JSON
from tests.simulators.replies import answer, function_call, rewritten
from tests.simulators.scenarios.table import generating
from tests.simulators.wire import Pause, Reply, Step

Change = Callable[[tuple[Step, ...]], Sequence[Step]]

HELLO = answer("Hel", "lo")
_APART = Pause(0.02)  # long enough for the two halves to be read apart
_EMOJI = "\N{GRINNING FACE}"


def _texts(steps: Sequence[Step]) -> list[bytes]:
    return [step for step in steps if isinstance(step, bytes)]


def _replacing(*pairs: tuple[bytes, bytes]) -> Change:
    """Replace bytes in every event."""

    def change(steps: tuple[Step, ...]) -> list[bytes]:
        events = _texts(steps)
        for old, new in pairs:
            events = [event.replace(old, new) for event in events]
        return events

    return change


def _split_after(*marks: bytes) -> Change:
    """Cut the whole after each mark in turn, and let time pass between the pieces."""

    def change(steps: tuple[Step, ...]) -> list[Step]:
        rest, pieces = b"".join(_texts(steps)), []
        for mark in marks:
            before, found, rest = rest.partition(mark)
            pieces.append(before + found)
        return [*(step for piece in pieces for step in (piece, _APART)), rest]

    return change


def _mixed_ends(steps: tuple[Step, ...]) -> list[bytes]:
    first, *others = _texts(steps)
    return [first, *(event.replace(b"\r\n", b"\n") for event in others)]


def _extras(steps: tuple[Step, ...]) -> list[bytes]:
    fields = b"id: 7\r\nevent: message\r\nretry: 3000\r\n"
    return [b": keepalive\r\n\r\n", *(fields + event for event in _texts(steps))]


def _ending_with(end: bytes) -> Change:
    def change(steps: tuple[Step, ...]) -> list[bytes]:
        *others, last = _texts(steps)
        return [*others, last.removesuffix(b"\r\n\r\n") + end]

    return change


def _in_odd_pieces(steps: tuple[Step, ...]) -> list[Step]:
    pieces: list[Step] = []
    for event in _texts(steps):
        odd = [event[:2], event[2:4], event[4:12], event[12:-4], b"\r", b"\n\r", b"\n"]
        pieces += [step for piece in odd for step in (piece, Pause(0.002))]
    return pieces


def _one_byte_each(steps: tuple[Step, ...]) -> list[bytes]:
    return [bytes([byte]) for byte in b"".join(_texts(steps))]


def _at_once(steps: tuple[Step, ...]) -> list[bytes]:
    return [b"".join(_texts(steps))]


def _growing(steps: tuple[Step, ...]) -> list[bytes]:
    whole = b"".join(_texts(steps))
    return [whole[:1], whole[1:8], *(whole[at : at + 4096] for at in range(8, len(whole), 4096))]


def _with_extensions(play: Play) -> Play:
    return lambda call: replace(play(call), chunk_extension=b";sim=1")


def _array_instead(call: Call) -> Reply:
    """Ignore `alt=sse`."""
    reply = HELLO(call)
    if not call.recorded.server_sent_events:
        return reply
    objects = [event.removeprefix(b"data: ").strip() for event in _texts(reply.steps)]
    headers = (("Content-Type", JSON),)
    return replace(reply, headers=headers, steps=(b"[" + b"\r\n,\r\n".join(objects) + b"]",))


def _unary_instead(call: Call) -> Reply:
    return HELLO(replace(call, recorded=replace(call.recorded, stream=False)))


def _malformed(call: Call) -> Reply:
    reply = HELLO(call)
    if call.recorded.server_sent_events:
        return replace(reply, steps=(b'data: {"response": {"cand\r\n\r\n', *reply.steps[1:]))
    return replace(reply, steps=(reply.body.replace(b"candidates", b'cand"idates'),))


def gzipped(play: Play, *, cut: bool = False) -> Play:
    """Compress, flushing after every write; `cut` leaves the trailer out."""

    def compressed(call: Call) -> Reply:
        reply = play(call)
        packer = zlib.compressobj(wbits=31)
        steps: list[Step] = [
            packer.compress(step) + packer.flush(zlib.Z_SYNC_FLUSH)
            if isinstance(step, bytes)
            else step
            for step in reply.steps
        ]
        headers = (*reply.headers, ("Content-Encoding", "gzip"))
        return replace(reply, headers=headers, steps=(*steps, *(() if cut else (packer.flush(),))))

    return compressed


def _large_image(call: Call) -> Reply:
    image = {"mimeType": "image/png", "data": "iVBORw0KGgoA" + "A" * 8 * 2**20}
    return answer({"inlineData": image}, usage={})(call)


def _large_arguments(call: Call) -> Reply:
    return answer(function_call("save", {"text": "x" * 30 * 2**20}), usage={})(call)


_CONTROLS = answer("a\0b\x1fc\u2028d<e>&f='g'")
_ESCAPED = _replacing(
    ("\u2028".encode(), rb"\u2028"),
    (b"<", rb"\u003c"),
    (b">", rb"\u003e"),
    (b"&", rb"\u0026"),
    (b"'", rb"\u0027"),
)

SCENARIOS = (
    generating("A1", "two events, CRLF CRLF after each", HELLO),
    generating("A2", "LF instead of CRLF", rewritten(HELLO, _replacing((b"\r\n", b"\n")))),
    generating("A3", "CR instead of CRLF", rewritten(HELLO, _replacing((b"\r\n", b"\r")))),
    generating(
        "A4", "the first event ends with CRLF, the second with LF", rewritten(HELLO, _mixed_ends)
    ),
    generating("A5", "no space after `data:`", rewritten(HELLO, _replacing((b"data: ", b"data:")))),
    generating(
        "A6",
        "an event of two `data:` lines",
        rewritten(answer("Hi"), _replacing((b'"parts"', b'\r\ndata: "parts"'))),
    ),
    generating("A7", "comments, ids, event names and retry times", rewritten(HELLO, _extras)),
    generating("A8", "the last event has no blank line", rewritten(HELLO, _ending_with(b"\r\n"))),
    generating("A9", "the last event has no line end", rewritten(HELLO, _ending_with(b""))),
    generating(
        "A10",
        "a byte order mark first",
        rewritten(HELLO, lambda steps: [b"\xef\xbb\xbf" + steps[0], *steps[1:]]),  # type: ignore[operator]
    ),
    generating(
        "A11",
        "a character of two bytes, cut in the middle",
        rewritten(answer("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "!"), _split_after(b"\xc3")),
    ),
    generating(
        "A12",
        "a character of three bytes, in three writes",
        rewritten(answer("\u4e16", "!"), _split_after(b"\xe4", b"\xb8")),
    ),
    generating(
        "A13",
        "a character of four bytes, cut in the middle",
        rewritten(answer(_EMOJI, "!"), _split_after(b"\xf0\x9f")),
    ),
    generating(
        "A14",
        "an escaped surrogate pair, cut between its halves",
        rewritten(
            rewritten(answer(_EMOJI, "!"), _replacing((_EMOJI.encode(), rb"\ud83d\ude00"))),
            _split_after(rb"\ud83d"),
        ),
    ),
    generating("A15", "the halves of a surrogate pair in two events", answer("\ud83d", "\ude00")),
    generating(
        "A16", "cuts inside `data:`, inside a key, inside CRLF", rewritten(HELLO, _in_odd_pieces)
    ),
    generating("A17", "every byte a write of its own", rewritten(HELLO, _one_byte_each)),
    generating(
        "A18",
        "fifty events in one write",
        rewritten(answer(*(f"{number} " for number in range(50))), _at_once),
    ),
    generating("A19", "U+2028, U+2029 and U+0085 unescaped", answer("a\u2028b\u2029c\x85d")),
    generating("A20", "control characters and HTML escaped", rewritten(_CONTROLS, _ESCAPED)),
    generating("A21", "an event of 8 MB", _large_image),
    generating("A21-args", "an event of 30 MB", _large_arguments),
    generating("A27", "gzip, flushed after each event", gzipped(HELLO)),
    generating(
        "A27-cut",
        "gzip without its trailer, and no end",
        gzipped(answer("Hel", finish=None), cut=True),
    ),
    generating("A28", "gzip of the unary answer", gzipped(HELLO)),
    generating(
        "A29",
        "chunks of 1, 7 and 4096 bytes with extensions",
        _with_extensions(rewritten(HELLO, _growing)),
    ),
    generating("A30", "a JSON array although alt=sse was asked for", _array_instead),
    generating("A31", "one JSON object instead of a stream", _unary_instead),
    generating("A32", "an event of broken JSON, then a good one", _malformed),
    generating(
        "A34",
        "a [DONE] that Google does not send",
        rewritten(HELLO, lambda steps: [*steps, b"data: [DONE]\r\n\r\n"]),
    ),
)
