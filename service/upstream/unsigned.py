"""One more try with the bypass value, where Google refuses a thought signature.

Clients lose signatures, mix them up and cut them off, and a conversation in which that has happened
would be refused for ever.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from msgspec import structs

from service.errors import SignatureRefusedError
from service.interfaces import Answer, AnswerStream, GeminiRequest, Upstream
from service.schemas.gemini import BYPASS_SIGNATURE, Content, GenerateContentRequest, Part
from service.schemas.gemini_native import NativeRequest

T = TypeVar("T")

logger = logging.getLogger(__name__)


class BypassRefusedSignatures:
    """An `Upstream` around another one."""

    def __init__(self, inner: Upstream) -> None:
        self._inner = inner

    def generate(self, model: str, request: GeminiRequest) -> Coroutine[Any, Any, Answer]:
        return _twice(lambda body: self._inner.generate(model, body), request)

    def stream(self, model: str, request: GeminiRequest) -> Coroutine[Any, Any, AnswerStream]:
        return _twice(lambda body: self._inner.stream(model, body), request)


async def _twice(ask: Callable[[GeminiRequest], Awaitable[T]], request: GeminiRequest) -> T:
    try:
        return await ask(request)
    except SignatureRefusedError:
        if isinstance(request, NativeRequest):
            raise  # Google's own clients keep signatures
        bypassing = without_signatures(request)
        if bypassing == request:
            raise
    logger.warning("google refused a thought signature: asking again with the bypass value")
    return await ask(bypassing)


def without_signatures(request: GenerateContentRequest) -> GenerateContentRequest:
    """Return the request with the bypass value for every signature, and on every step's call.

    A text needs none.
    """
    contents = [
        structs.replace(content, parts=_bypassing(content)) if content.parts else content
        for content in request.contents
    ]
    return structs.replace(request, contents=contents)


def _bypassing(content: Content) -> list[Part]:
    parts = list(content.parts or [])
    calls = [index for index, part in enumerate(parts) if part.function_call is not None]
    for index, part in enumerate(parts):
        if part.thought_signature is not None or index in calls[:1]:
            signature = BYPASS_SIGNATURE if part.text is None else None
            parts[index] = structs.replace(part, thought_signature=signature)
    return parts
