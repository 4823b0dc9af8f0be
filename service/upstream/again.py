"""One more try where Google refuses a signature, and one where its answer says nothing."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from service.errors import SignatureRefusedError
from service.interfaces import Answer, AnswerStream, GeminiRequest, Upstream
from service.upstream.answers import says_something
from service.upstream.empty import may_be_empty
from service.upstream.unsigned import bypassing

A = TypeVar("A", Answer, AnswerStream)


class AskAgain:
    """An `Upstream` around another. What is no better the second time is told."""

    def __init__(self, inner: Upstream) -> None:
        self._inner = inner

    def generate(self, model: str, request: GeminiRequest) -> Coroutine[Any, Any, Answer]:
        return _again(self._inner.generate, model, request)

    def stream(self, model: str, request: GeminiRequest) -> Coroutine[Any, Any, AnswerStream]:
        return _again(self._inner.stream, model, request)


async def _again(
    ask: Callable[[str, GeminiRequest], Awaitable[A]], model: str, request: GeminiRequest
) -> A:
    # For both reasons in one: each coroutine that an answer comes back through costs every request.
    may_repeat = True
    while True:
        try:
            answer = await ask(model, request)
        except SignatureRefusedError as refused:
            request = bypassing(request, refused)
            continue
        if not (may_repeat and _is_empty(answer)) or may_be_empty(request):
            return answer
        may_repeat = False
        if not isinstance(answer, Answer):
            await answer.aclose()


def _is_empty(answer: Answer | AnswerStream) -> bool:
    if isinstance(answer, Answer):
        return not says_something(answer.response)
    return answer.is_empty
