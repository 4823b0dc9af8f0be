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
        may_repeat = True
        while True:
            try:
                answer = await self._inner.generate(model, request)
            except SignatureRefusedError as refused:
                request = bypassing(request, refused)
                continue
            if not may_repeat or says_something(answer.response) or may_be_empty(request):
                return answer
            may_repeat = False

    async def stream(self, model: str, request: GeminiRequest) -> AnswerStream:
        may_repeat = True
        while True:
            try:
                answer = await self._inner.stream(model, request)
            except SignatureRefusedError as refused:
                request = bypassing(request, refused)
                continue
            if not (may_repeat and answer.is_empty) or may_be_empty(request):
                return answer
            await answer.aclose()
            may_repeat = False
