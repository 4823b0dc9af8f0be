"""What is said before Gemini says anything."""

from typing import Any

import msgspec
import pytest

from service.interfaces import Answer, AnswerStream
from service.schemas.gemini import GenerateContentRequest
from service.upstream.fake_thinking import FakeThinking, thoughts

RESULT: dict[str, Any] = {"functionResponse": {"name": "f", "response": {}}}


def first(*contents: dict[str, Any]) -> str:
    body = msgspec.json.encode({"contents": contents})
    return next(thoughts(msgspec.json.decode(body, type=GenerateContentRequest)))


def user(*texts: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text} for text in texts]}


MODEL = {"role": "model", "parts": [{"text": "Hello!"}]}


@pytest.mark.parametrize(
    ("contents", "quoted"),
    [
        ([user("Hi!")], "“Hi!”"),
        ([user("Hi!"), MODEL, user("And now?")], "“And now?”"),
        ([user("Look:", "a cat")], "“Look: a cat”"),
        ([user("Hi!"), MODEL, {"role": "user", "parts": [RESULT]}], "“Hi!”"),
        ([user("ø" * 100)], f"“{'ø' * 100}”"),
        ([user("ø" * 101)], f"“{'ø' * 100}…”"),
    ],
    ids=["one", "the last", "several parts", "results are no words", "short", "long"],
)
def test_the_first_quotes_what_the_user_said_last(
    contents: list[dict[str, Any]], quoted: str
) -> None:
    assert quoted in first(*contents)


@pytest.mark.parametrize("contents", [[user(" ")], []], ids=["blank", "nothing"])
def test_without_words_there_is_no_quotation(contents: list[dict[str, Any]]) -> None:
    assert "“" not in first(*contents)


def test_there_are_five_and_a_blank_line_ends_them() -> None:
    texts = list(thoughts(GenerateContentRequest(contents=[])))
    assert len(texts) == 5
    assert texts[-1].endswith("\n\n")
    assert all(text.endswith(" ") for text in texts[:-1])


class Inner:
    """An `Upstream` that gives back what it was given."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def generate(self, *_: object) -> Answer:
        raise NotImplementedError

    async def stream(self, *_: object) -> AnswerStream:
        answer: AnswerStream = self._stream
        return answer


async def test_a_model_that_does_not_think_says_nothing_before_its_answer() -> None:
    inner = object()
    request = GenerateContentRequest(contents=[])
    upstream = FakeThinking(Inner(inner), name="code_assist")
    assert await upstream.stream("gemini-2.5-flash-image", request) is inner
