"""With STRICT_PARAMS: a way that would have to leave something out of a request is not asked."""

from service.errors import UnsupportedFieldError
from service.interfaces import Answer, AnswerStream, GeminiRequest, Upstream
from service.upstream.fields import fitted


class Strict:
    """An `Upstream` around another; raises `UnsupportedFieldError` before it is asked.

    Args:
        inner: who is asked.
        name: of the way, as a setting names it.

    """

    def __init__(self, inner: Upstream, name: str) -> None:
        self._inner = inner
        self._name = name

    async def generate(self, model: str, request: GeminiRequest) -> Answer:
        self._check(request)
        return await self._inner.generate(model, request)

    async def stream(self, model: str, request: GeminiRequest) -> AnswerStream:
        self._check(request)
        return await self._inner.stream(model, request)

    def _check(self, request: GeminiRequest) -> None:
        if left_out := fitted(request, self._name).left_out:
            raise UnsupportedFieldError(self._name, left_out)
