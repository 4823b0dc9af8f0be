"""The decoder of server-sent events, against bytes that nobody meant to send."""

import re
from itertools import pairwise
from unittest.mock import patch

import hypothesis.strategies as st
from hypothesis import given

from service import sse
from tests.fuzz.attempts import UNHURRIED

#: Pieces of which good streams and nearly good ones are made.
WORDS = st.sampled_from(
    [
        *(b"data:", b"data: ", b"data", b"dat", b":", b" ", b"event: x", b"id", b"retry:1"),
        *(b"\r", b"\n", b"\r\n", b"\n\n", b"\r\r", b"\xef\xbb\xbf", b"\xef\xbb", b"\x00"),
        *(b"{}", b'{"a":1}', b"[DONE]", "\u2028\u0085".encode(), b"\x85", b"\x0b\x0c\x1c", b"\xff"),
    ]
)
WIRES = st.one_of(
    st.lists(st.one_of(WORDS, WORDS, WORDS, st.binary(max_size=4)), max_size=25).map(b"".join),
    st.binary(max_size=60),
)
_LIMIT = 40


def pieces(wire: bytes, cuts: set[int]) -> list[bytes]:
    return [wire[start:end] for start, end in pairwise([0, *sorted(cuts), len(wire)])]


def decoded(parts: list[bytes]) -> tuple[list[bytes], bytes]:
    decoder = sse.Decoder()
    events = [event for part in parts for event in decoder.feed(part)]
    return [*events, *decoder.feed(sse.END)], decoder.stray


def by_the_standard(wire: bytes) -> tuple[list[bytes], bytes]:
    """Read a whole stream as its grammar says, in the plainest way there is."""
    events: list[bytes] = []
    data: list[bytes] = []
    stray: list[bytes] = []
    lines = re.split(rb"\r\n|\n|\r", wire)
    lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
    for line in [*lines, b"", b""]:
        name, colon, value = line.partition(b":")
        if not line:
            events += [event] if (event := b"\n".join(data)) else []
            data = []
        elif name == b"data" and colon:
            data.append(value.removeprefix(b" "))
        elif name not in (b"", b"event", b"id", b"retry"):
            stray.append(line)
    return events, b"\n".join(stray)


@UNHURRIED
@given(data=st.data(), wire=WIRES)
def test_events_do_not_depend_on_the_cuts(data: st.DataObject, wire: bytes) -> None:
    cuts = data.draw(st.sets(st.integers(0, len(wire))))
    expected = by_the_standard(wire)
    assert decoded([wire]) == expected
    assert decoded(pieces(wire, cuts)) == expected
    assert decoded([bytes([byte]) for byte in wire]) == expected


@UNHURRIED
@given(data=st.data(), wire=WIRES)
def test_what_is_kept_stays_below_the_limit(data: st.DataObject, wire: bytes) -> None:
    cuts = data.draw(st.sets(st.integers(0, len(wire))))
    decoder = sse.Decoder()
    with patch.object(sse, "MAX_EVENT_BYTES", _LIMIT):
        try:
            for part in pieces(wire, cuts):
                decoder.feed(part)
                kept = [*decoder._pieces, *decoder._data, *decoder._stray]
                assert sum(map(len, kept)) <= _LIMIT
        except sse.EventTooLargeError:
            assert len(wire) > _LIMIT


@UNHURRIED
@given(st.lists(st.binary(max_size=20).filter(lambda data: not re.search(rb"[\r\n]", data))))
def test_what_was_encoded_is_decoded(events: list[bytes]) -> None:
    wire = b"".join(map(sse.encode, events))
    assert decoded([wire, sse.KEEPALIVE])[0] == [event for event in events if event]
