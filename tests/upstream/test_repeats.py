"""Which events repeat another: what is cut out of them is written to clients unread."""

import pytest

from service.upstream.repeats import Repeats

EVENT = (
    b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"%b"}]},"index":0}],'
    b'"usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":%d},"responseId":"aBc"}\r\n\r\n'
)
FIRST = EVENT % (b"one", 9)
SECOND = EVENT % (b" two", 10)


def learned(event: bytes = FIRST, words: str = "one") -> Repeats:
    repeats = Repeats()
    repeats.learn(event, words)
    return repeats


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (SECOND, [b'" two"']),
        (EVENT % (b'\\n\\u00e9\\"}]},', 123_456), [b'"\\n\\u00e9\\"}]},"']),
        (EVENT % ("é".encode(), 1), ['"é"'.encode()]),
        (SECOND + EVENT % (b"3", 100) + SECOND, [b'" two"', b'"3"', b'" two"']),
        (EVENT % (b"data: \\ndata: ", 1), [b'"data: \\ndata: "']),
        # Its words are none, no whole characters, or half a string.
        (EVENT % (b"", 1), []),
        (EVENT % ("é".encode()[:1], 1), []),
        (EVENT % (b"\\ud83d", 1), []),
        (EVENT % (b"a\\", 1), []),
        (EVENT % (b"a\nb", 1), []),
        # Something else is said in it, or behind it.
        (SECOND.replace(b'"index":0', b'"index":1'), []),
        (SECOND.replace(b'"index":0', b'"index":0,"finishReason":"STOP"'), []),
        (SECOND.replace(b'"}]', b'"},{"text":"more"}]'), []),
        (SECOND.replace(b'"}]', b'","thought":true}]'), []),
        (SECOND.replace(b'"promptTokenCount":12,', b""), []),
        (SECOND.replace(b"aBc", b"aBd"), []),
        (SECOND + b": comment\r\n\r\n", []),
        (SECOND + b"data: {\r\n\r\n", []),
        (SECOND + SECOND[:-2], []),
        (SECOND[:-1], []),
        (SECOND.replace(b"\r\n", b"\n"), []),
        (b"", []),
    ],
)
def test_what_repeats_and_what_does_not(data: bytes, words: list[bytes]) -> None:
    assert [*learned().words_in(data)] == words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (FIRST, "another"),
        (FIRST.replace(b"data: ", b"data:"), "one"),
        (FIRST.replace(b'"index":0', b'"text":"one"'), "one"),
        (b"data: {}\n\n", "one"),
    ],
)
def test_what_cannot_be_told_is_not_learned(event: bytes, words: str) -> None:
    assert not learned(event, words).words_in(event)


def test_of_several_events_the_last_is_learned() -> None:
    assert learned(b": comment\n\n" + b"data: {}\r\n\r\n" + FIRST).words_in(SECOND)


def test_what_was_forgotten_repeats_nothing() -> None:
    repeats = learned()
    repeats.forget()
    assert not repeats.words_in(SECOND)
