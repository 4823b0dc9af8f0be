"""A request with the bypass value, where Google refuses a thought signature.

Clients lose signatures, mix them up and cut them off, and a conversation in which that has happened
would be refused for ever.
"""

import logging

from msgspec import structs

from service.errors import SignatureRefusedError
from service.interfaces import GeminiRequest
from service.schemas.gemini import BYPASS_SIGNATURE, Content, GenerateContentRequest, Part
from service.schemas.gemini_native import NativeRequest

logger = logging.getLogger(__name__)


def bypassing(request: GeminiRequest, refused: SignatureRefusedError) -> GenerateContentRequest:
    """Return what to ask instead; raise the refusal where nothing can be changed."""
    if isinstance(request, NativeRequest):
        raise refused  # Google's own clients keep signatures
    instead = without_signatures(request)
    if instead == request:
        raise refused
    logger.warning("google refused a thought signature: asking again with the bypass value")
    return instead


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
