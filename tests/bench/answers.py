"""Reads answers in OpenAI's form to their last byte, and says what is wrong with them."""

import re
from collections.abc import Iterator

import msgspec

from tests.bench.cases import Case

_STAMPS = re.compile(r"~\d{19}~")


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message = _Message()
    delta: _Message = _Message()
    finish_reason: str | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice] = []
    error: msgspec.Raw | None = None


_answers = msgspec.json.Decoder(_Answer)


class WrongAnswerError(Exception):
    pass


def check(case: Case, head: bytes, body: bytes) -> int:
    """Return how many chunks the answer has.

    Raise `WrongAnswerError` if it is not to the letter what was asked for.
    """
    text, chunks = read(head, body, streamed=case.streamed)
    if case.wanted.pause:
        text = _STAMPS.sub("", text)
    if text != case.expected:
        raise WrongAnswerError(f"{len(text)} characters, not {len(case.expected)}: {text[:60]!r}")
    return chunks


def read(head: bytes, body: bytes, *, streamed: bool) -> tuple[str, int]:
    """Return text and number of chunks; raise `WrongAnswerError` if it is no whole answer."""
    if not head.startswith(b"HTTP/1.1 200 "):
        raise WrongAnswerError(
            (head.split(b"\r\n")[0] + b" " + body[:300]).decode(errors="replace")
        )
    try:
        if not streamed:
            return _whole(body)
        return _stream(body)
    except (msgspec.MsgspecError, ValueError, IndexError) as error:
        raise WrongAnswerError(f"{type(error).__name__}: {error}") from error


def _whole(body: bytes) -> tuple[str, int]:
    (choice,) = _answers.decode(body).choices
    if choice.finish_reason != "stop":
        raise WrongAnswerError(f"finish_reason is {choice.finish_reason}")
    return choice.message.content or "", 1


def _stream(body: bytes) -> tuple[str, int]:
    texts: list[str] = []
    reason, done = None, False
    for event in b"".join(unframed(body)).replace(b"\r\n", b"\n").split(b"\n\n"):
        if not event.startswith(b"data:"):
            continue
        data = event[5:].strip()
        if data == b"[DONE]":
            done = True
            continue
        answer = _answers.decode(data)
        if answer.error is not None or done:
            raise WrongAnswerError(data[:300].decode(errors="replace"))
        for choice in answer.choices:
            texts += [choice.delta.content] if choice.delta.content else []
            reason = choice.finish_reason or reason
    if not done or reason != "stop":
        raise WrongAnswerError(f"finish_reason is {reason}, [DONE] is {done}")
    return "".join(texts), len(texts)


def unframed(body: bytes) -> Iterator[bytes]:
    """Take the frames of HTTP's chunked coding off; raise `ValueError` if they are broken."""
    at = 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end], 16)
        at = end + 2 + size
        if body[at : at + 2] != b"\r\n":
            raise ValueError("A chunk does not end where it should.")
        if not size:
            return
        yield body[end + 2 : at]
        at += 2
