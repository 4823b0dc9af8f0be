"""When an answer that says nothing is the right one."""

import msgspec
from msgspec import Raw

from service.errors import InvalidRequestError
from service.interfaces import GeminiRequest
from service.schemas.gemini import NOTHING
from service.schemas.gemini_native import NativeRequest
from service.upstream.native import children, key_of

_lists = msgspec.json.Decoder(list[Raw])


def may_be_empty(request: GeminiRequest) -> bool:
    """Whether nothing is an answer: to a tool's results, or cut off by a stop sequence."""
    if isinstance(request, NativeRequest):
        return _native_may_be_empty(request)
    if request.generation_config is not None and request.generation_config.stop_sequences:
        return True
    last = request.contents[-1].parts if request.contents else None
    return bool(last) and all(part.function_response for part in last or [])


def _native_may_be_empty(request: NativeRequest) -> bool:
    fields = request.fields
    try:
        contents = _lists.decode(fields.get(key_of(fields, "contents"), NOTHING))
        config = children(fields.get(key_of(fields, "generationConfig"), b"{}"))
    except (msgspec.DecodeError, InvalidRequestError):
        return False
    last = bytes(contents[-1]) if contents else b""
    is_result = b'"functionResponse"' in last or b'"function_response"' in last
    return is_result or key_of(config, "stopSequences") in config
