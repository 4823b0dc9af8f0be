"""What not every upstream takes: left out for the one that would refuse it, and named.

A field that one of them refuses is a line in `_REFUSED`.
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from msgspec import Struct, structs

from service.errors import UnreadableFileError
from service.file_uris import NOT_HERE, READ_BY, kind_of
from service.interfaces import GeminiRequest
from service.schemas.gemini import NOTHING, GenerateContentRequest
from service.schemas.gemini_native import NativeRequest
from service.upstream.native import Fields, fields_without

#: Fields of the request, as Google's JSON names them, and who refuses them.
_REFUSED = {
    "model": ("code_assist", "vertex"),
    "labels": ("gemini_api",),
    "cachedContent": ("code_assist",),
    "store": ("code_assist", "vertex"),
    "serviceTier": ("code_assist",),
    "continuationToken": ("code_assist",),
    "sessionId": ("gemini_api", "vertex"),
    "modelArmorConfig": ("code_assist", "gemini_api"),
    "safetySettings.method": ("code_assist", "gemini_api"),
    "toolConfig.includeServerSideToolInvocations": ("code_assist", "vertex"),
    "generationConfig.imageConfig": ("code_assist",),
    "generationConfig.responseLogprobs": ("code_assist", "gemini_api"),
    "generationConfig.logprobs": ("code_assist", "gemini_api"),
    "generationConfig.routingConfig": ("gemini_api",),
    "generationConfig.modelSelectionConfig": ("gemini_api",),
    "generationConfig.audioTimestamp": ("gemini_api",),
    "generationConfig.enableEnhancedCivicAnswers": ("code_assist", "vertex"),
    "generationConfig.enableAffectiveDialog": ("code_assist",),
}
#: What a client of Google's says twice: the address has it, too.
_NOT_NAMED = ("model",)
_PATHS = {
    upstream: [
        (path, path.split(".")) for path, refusing in _REFUSED.items() if upstream in refusing
    ]
    for upstream in ("code_assist", "vertex", "gemini_api")
}


class Fitted(NamedTuple):
    """A request that an upstream takes, and the fields that it had to lose."""

    request: GenerateContentRequest | Fields
    left_out: list[str]


def fitted(request: GeminiRequest, upstream: str) -> Fitted:
    """Return what is left of a request for one upstream.

    Raise `UnreadableFileError` for a file that this upstream cannot read.
    """
    _refuse_unreadable(_uris(request), upstream)
    kept: Any = request
    take: Callable[[Any, list[str]], tuple[Any, bool]] = _without
    if isinstance(request, NativeRequest):
        kept, take = request.fields, fields_without
    left_out = []
    for name, path in _PATHS[upstream]:
        kept, found = take(kept, path)
        if found and name not in _NOT_NAMED:
            left_out.append(name)
    return Fitted(kept, left_out)


def _refuse_unreadable(uris: Iterable[str], upstream: str) -> None:
    for uri in uris:
        kind = kind_of(uri)
        if kind is not None and kind not in READ_BY[upstream]:
            why = NOT_HERE[kind]
            raise UnreadableFileError(f"{why[0].upper()}{why[1:]}.")


#: In JSON; a quotation mark inside of a text has a backslash before it.
_URI = re.compile(rb'"file_?[uU]ri"\s*:\s*"([^"\\]*)"')


def _uris(request: GeminiRequest) -> Iterator[str]:
    if isinstance(request, NativeRequest):
        contents = bytes(request.fields.get("contents", NOTHING))
        yield from (uri.decode(errors="replace") for uri in _URI.findall(contents))
        return
    parts = [part for content in request.contents for part in content.parts or []]
    inside = [part.function_response.parts or [] for part in parts if part.function_response]
    for part in itertools.chain(parts, *inside):
        if part.file_data is not None:
            yield part.file_data.file_uri


def _without(node: Any, path: list[str]) -> tuple[Any, bool]:
    """Return a struct, or a list of them, without the field; and whether it was there."""
    if isinstance(node, list):
        items = [_without(item, path) for item in node]
        found = any(one for _, one in items)
        return ([item for item, _ in items] if found else node), found
    if not isinstance(node, Struct):
        return node, False
    name = _names(type(node)).get(path[0])
    inner = None if name is None else getattr(node, name)
    if name is None or inner is None:
        return node, False
    if len(path) == 1:
        return structs.replace(node, **{name: None}), True
    inner, found = _without(inner, path[1:])
    return (structs.replace(node, **{name: inner}) if found else node), found


@functools.cache
def _names(kind: type[Struct]) -> dict[str, str]:
    """Return what a struct calls each of Google's names."""
    return {field.encode_name: field.name for field in structs.fields(kind)}
