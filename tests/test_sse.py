"""Framing: the events come out whole, however the bytes were cut and the lines ended."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import sse

EVENTS = [b'{"a": 1}', '{"text": "a\u2028b\u2029c\u0085d é 世 😀"}'.encode(), b"{}"]


def decode(wire: bytes, cuts: list[int]) -> list[bytes]:
    decoder = sse.Decoder()
    pieces = [wire[start:end] for start, end in pairwise([0, *cuts, len(wire)])]
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.feed(sse.END)


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"], ids=["CRLF", "LF", "CR"])
@given(data=st.data())
def test_events_survive_any_cut(end: bytes, data: st.DataObject) -> None:
    wire = b"".join(b"data: " + event + end + end for event in EVENTS)
    wire += b"data: {" + end + b"data: }" + end + end
    cuts = sorted(data.draw(st.sets(st.integers(0, len(wire)))))
    assert decode(wire, cuts) == [*EVENTS, b"{\n}"]


@pytest.mark.parametrize(
    ("wire", "events"),
    [
        (b"data:{}\r\n\r\n", [b"{}"]),
        (b"data:  x\n\n", [b" x"]),
        (b"data: {\r\ndata: }\r\n\r\n", [b"{\n}"]),
        (b": hello\r\n\r\nid: 7\r\nevent: message\r\nretry: 1\r\ndata: {}\r\n\r\n", [b"{}"]),
        (b"data: 1\r\n\r\ndata: 2\n\n", [b"1", b"2"]),
        (b"data: 1\r\n\r\ndata: 2\r\n", [b"1", b"2"]),
        (b"data: 1\n\ndata: 2", [b"1", b"2"]),
        (b"data: 1\n\ndata: \n\ndata: 2\n\n", [b"1", b"2"]),
        (b"\xef\xbb\xbfdata: 1\n\n", [b"1"]),
        (b"\n\n\n", []),
        (b"", []),
    ],
    ids=[
        "no space after the colon",
        "only one space goes",
        "several data lines make one event",
        "comments and other fields are skipped",
        "line ends may differ",
        "no blank line at the end",
        "no line end at the end",
        "one of them is empty",
        "byte order mark",
        "blank lines alone",
        "nothing",
    ],
)
def test_grammar(wire: bytes, events: list[bytes]) -> None:
    assert decode(wire, []) == events


FRAGMENTS = [b"data: ", b"data:", b"{}", b": ", b"x", b"\n", b"\n\n", b"\r\n", b"\r\n\r\n", b"\r"]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=20).map(b"".join))
def test_one_read_says_what_many_say(wire: bytes) -> None:
    assert decode(wire, []) == decode(wire, list(range(1, len(wire))))


def test_what_is_no_event_is_kept_apart() -> None:
    decoder = sse.Decoder()
    assert decoder.feed(b'data: 1\r\n\r\n{\r\n  "error": 5\r\n}\r\n') == [b"1"]
    assert decoder.feed(sse.END) == []
    assert decoder.stray == b'{\n  "error": 5\n}'


@pytest.mark.parametrize("piece", [b"x", b"data: x\n", b"stray\n"], ids=["line", "data", "stray"])
def test_what_never_ends_is_refused_before_it_fills_the_memory(
    piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    decoder = sse.Decoder()
    for _ in range(100 // len(piece)):
        assert decoder.feed(piece) == []
    with pytest.raises(sse.EventTooLargeError):
        decoder.feed(piece)


def test_comments_do_not_add_up_to_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    decoder = sse.Decoder()
    for _ in range(101):
        assert decoder.feed(b": still here\n\n") == []
    assert decoder.feed(b"data: 1\n\n") == [b"1"]


def test_encoding_is_one_line_with_lf_only() -> None:
    assert sse.encode(b"{}") == b"data: {}\n\n"
