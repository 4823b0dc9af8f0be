"""What not every upstream takes: left out for the one that would refuse it, and named.

A field that one of them refuses is a line in `_REFUSED`.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from msgspec import structs

from service.errors import UnreadableFileError
from service.file_uris import NOT_HERE, READ_BY, kind_of
from service.interfaces import GeminiRequest
from service.schemas.gemini import NOTHING, GenerateContentRequest
from service.schemas.gemini_native import NativeRequest
from service.upstream.native import Fields, fitted_fields

#: Fields of the request, as Google's JSON names them, and who does not know them.
_REFUSED = {
    "cachedContent": ("code_assist",),
    "safetySettings.method": ("gemini_api",),
    "serviceTier": ("code_assist",),
    "generationConfig.imageConfig": ("code_assist",),
    "generationConfig.responseLogprobs": ("code_assist", "gemini_api"),
    "generationConfig.logprobs": ("code_assist", "gemini_api"),
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
    if isinstance(request, NativeRequest):
        return Fitted(*fitted_fields(request.fields, upstream))
    kept: GenerateContentRequest = request
    left_out = []
    for path, refusing in _REFUSED.items():
        if upstream in refusing:
            kept, found = _without(kept, path.split("."))
            if found:
                left_out.append(path)
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
    if node is None:
        return node, False
    name = next(one.name for one in structs.fields(node) if one.encode_name == path[0])
    inner = getattr(node, name)
    if inner is None:
        return node, False
    if len(path) == 1:
        return structs.replace(node, **{name: None}), True
    inner, found = _without(inner, path[1:])
    return (structs.replace(node, **{name: inner}) if found else node), found
