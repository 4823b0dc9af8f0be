"""What not every upstream takes: left out for the one that would refuse it, and named.

A field that one of them refuses is a line in `_REFUSED`.
"""

from typing import Any, NamedTuple

from msgspec import structs

from service.interfaces import GeminiRequest
from service.schemas.gemini import GenerateContentRequest
from service.schemas.gemini_native import NativeRequest
from service.upstream.native import Fields, fitted_fields

#: Fields of the request, as Google's JSON names them, and who does not know them.
_REFUSED = {
    "cachedContent": ("code_assist",),
    "safetySettings.method": ("gemini_api",),
    "generationConfig.imageConfig": ("code_assist",),
}


class Fitted(NamedTuple):
    """A request that an upstream takes, and the fields that it had to lose."""

    request: GenerateContentRequest | Fields
    left_out: list[str]


def fitted(request: GeminiRequest, upstream: str) -> Fitted:
    """Return what is left of a request for one upstream."""
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
