"""One more try where Google refuses a signature, and one where its answer says nothing."""

from service.errors import SignatureRefusedError
from service.interfaces import Answer, AnswerStream, GeminiRequest, Upstream
from service.upstream.answers import says_something
from service.upstream.empty import may_be_empty
from service.upstream.unsigned import bypassing


class AskAgain:
    """An `Upstream` around another. What is no better the second time is told."""

    # Both in one: each coroutine that an answer comes back through costs every request.

    def __init__(self, inner: Upstream) -> None:
        self._inner = inner

    async def generate(self, model: str, request: GeminiRequest) -> Answer:
        try:
            answer = await self._inner.generate(model, request)
        except SignatureRefusedError as refused:
            request = bypassing(request, refused)
            answer = await self._inner.generate(model, request)
        if says_something(answer.response) or may_be_empty(request):
            return answer
        return await self._inner.generate(model, request)

    async def stream(self, model: str, request: GeminiRequest) -> AnswerStream:
        try:
            answer = await self._inner.stream(model, request)
        except SignatureRefusedError as refused:
            request = bypassing(request, refused)
            answer = await self._inner.stream(model, request)
        if not answer.is_empty or may_be_empty(request):
            return answer
        await answer.aclose()
        return await self._inner.stream(model, request)
