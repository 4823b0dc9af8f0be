"""What not every upstream takes: left out for the one that would refuse it, and named.

A field that one of them refuses is a line in `_REFUSED`.
"""

import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from msgspec import Struct, structs

from service.errors import UnreadableFileError
from service.file_uris import NOT_HERE, READ_BY, kind_of
from service.interfaces import GeminiRequest
from service.models import OUTPUT_LIMIT
from service.schemas.gemini import NOTHING, GenerateContentRequest
from service.schemas.gemini_native import NativeRequest
from service.upstream.native import Fields, camel, fields_without, key_of, with_limit

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
    "generationConfig.imageConfig.personGeneration": ("gemini_api",),
    "generationConfig.imageConfig.prominentPeople": ("gemini_api",),
    "generationConfig.imageConfig.outputMimeType": ("gemini_api",),
    "toolConfig.functionCallingConfig.streamFunctionCallArguments": ("gemini_api",),
    "tools.retrieval": ("gemini_api",),
    "tools.enterpriseWebSearch": ("gemini_api",),
    "tools.parallelAiSearch": ("gemini_api",),
    "tools.exaAiSearch": ("gemini_api",),
    "tools.googleSearch.excludeDomains": ("gemini_api",),
    "tools.googleSearch.blockingConfidence": ("gemini_api",),
    "tools.fileSearch": ("vertex",),
    "contents.parts.partMetadata": ("vertex",),
    "contents.parts.functionCall.partialArgs": ("gemini_api",),
    "contents.parts.functionCall.willContinue": ("gemini_api",),
    "contents.parts.functionResponse.willContinue": ("vertex",),
}
#: What a client of Google's says twice: the address has it, too.
_NOT_NAMED = ("model",)


class _Refused(NamedTuple):
    """A field that an upstream does not take."""

    name: str
    path: list[str]
    #: Finds a body that may have it: to look inside of every one costs more than all the rest.
    spelled: re.Pattern[bytes]


def _refused_by(upstream: str) -> dict[str, list[_Refused]]:
    """Return them by the request's own field that they stand in."""
    found: defaultdict[str, list[_Refused]] = defaultdict(list)
    for name, refusing in _REFUSED.items():
        if upstream in refusing:
            path = name.split(".")
            snake = re.sub("[A-Z]", lambda letter: f"_?{letter[0]}", path[-1])
            spelled = re.compile(f'"{snake}"'.encode(), re.IGNORECASE)
            found[path[0]].append(_Refused(name, path, spelled))
    return dict(found)


_BY_UPSTREAM = {name: _refused_by(name) for name in ("code_assist", "vertex", "gemini_api")}
#: The Developer API takes one token more.
_LIMITED = ("code_assist", "vertex")
_OUTPUT_LIMIT = ["generationConfig", "maxOutputTokens"]


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
        return _native(request.fields, upstream)
    left_out = []
    kept: Any = request
    for first, refused in _BY_UPSTREAM[upstream].items():
        # What is refused in contents, the translation never says.
        if first != "contents" and getattr(request, _names(type(request)).get(first, ""), None):
            for name, path, _ in refused:
                kept, found = _without(kept, path)
                if found and name not in _NOT_NAMED:
                    left_out.append(name)
    return Fitted(kept, left_out)


def _native(fields: Fields, upstream: str) -> Fitted:
    left_out = []
    for first, refused in _BY_UPSTREAM[upstream].items():
        value = fields.get(key_of(fields, first))
        if value is None:
            continue
        for name, path, spelled in refused:
            if len(path) > 1 and not spelled.search(value):
                continue
            fields, found = fields_without(fields, path)
            if found and name not in _NOT_NAMED:
                left_out.append(name)
    if upstream in _LIMITED:
        fields = with_limit(fields, _OUTPUT_LIMIT, OUTPUT_LIMIT)
    return Fitted(fields, left_out)


def _refuse_unreadable(uris: Iterable[str], upstream: str) -> None:
    for uri in uris:
        kind = kind_of(uri)
        if kind is not None and kind not in READ_BY[upstream]:
            why = NOT_HERE[kind]
            raise UnreadableFileError(f"{why[0].upper()}{why[1:]}.")


#: In JSON; a quotation mark inside of a text has a backslash before it.
_URI = re.compile(rb'"file_?[uU]ri"\s*:\s*"((?:[^"\\]|\\/)*)"')


def _uris(request: GeminiRequest) -> Iterator[str]:
    if isinstance(request, NativeRequest):
        contents = bytes(request.fields.get("contents", NOTHING))
        found = (uri.replace(b"\\/", b"/") for uri in _URI.findall(contents))
        yield from (uri.decode(errors="replace") for uri in found)
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
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if camel(key) != path[0]}
        return (kept if len(path) == 1 else node), len(path) == 1 and kept != node
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
