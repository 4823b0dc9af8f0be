"""What not every upstream takes: left out for the one that would refuse it, and named.

A field that one of them refuses is a line in `_REFUSED`.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, get_args, get_origin

import msgspec
from msgspec import Raw, Struct, structs

from service.errors import UnreadableFileError
from service.file_uris import NOT_HERE, READ_BY, kind_of
from service.interfaces import GeminiRequest
from service.models import OUTPUT_LIMIT
from service.schemas.gemini import GenerateContentRequest
from service.schemas.gemini_native import NativeRequest
from service.upstream.native import Fields, camel, key_of, with_most, without

#: Who refuses what only one of them takes.
_BUT_CODE_ASSIST = ("vertex", "gemini_api")
_BUT_VERTEX = ("code_assist", "gemini_api")
_BUT_GEMINI_API = ("code_assist", "vertex")
#: Fields of the request, as Google's JSON names them, and who refuses them. A list is no step.
_REFUSED = {
    "model": _BUT_GEMINI_API,
    "labels": ("gemini_api",),
    "cachedContent": ("code_assist",),
    "store": _BUT_GEMINI_API,
    "serviceTier": ("code_assist",),
    "continuationToken": ("code_assist",),
    "sessionId": _BUT_CODE_ASSIST,
    "modelArmorConfig": _BUT_VERTEX,
    "safetySettings.method": _BUT_VERTEX,
    "contents.parts.partMetadata": _BUT_GEMINI_API,
    "contents.parts.functionCall.partialArgs": _BUT_VERTEX,
    "contents.parts.functionCall.willContinue": _BUT_VERTEX,
    "contents.parts.functionResponse.willContinue": _BUT_GEMINI_API,
    "tools.fileSearch": _BUT_GEMINI_API,
    "tools.retrieval": _BUT_VERTEX,
    "tools.enterpriseWebSearch": _BUT_VERTEX,
    "tools.parallelAiSearch": _BUT_VERTEX,
    "tools.exaAiSearch": _BUT_VERTEX,
    "tools.googleSearch.excludeDomains": _BUT_VERTEX,
    "tools.googleSearch.blockingConfidence": _BUT_VERTEX,
    "toolConfig.functionCallingConfig.streamFunctionCallArguments": _BUT_VERTEX,
    "toolConfig.includeServerSideToolInvocations": _BUT_GEMINI_API,
    "generationConfig.imageConfig": ("code_assist",),
    "generationConfig.imageConfig.personGeneration": ("gemini_api",),
    "generationConfig.imageConfig.prominentPeople": ("gemini_api",),
    "generationConfig.imageConfig.outputMimeType": ("gemini_api",),
    "generationConfig.imageConfig.outputCompressionQuality": ("gemini_api",),
    "generationConfig.imageConfig.imageOutputOptions": ("gemini_api",),
    "generationConfig.responseLogprobs": _BUT_VERTEX,
    "generationConfig.logprobs": _BUT_VERTEX,
    "generationConfig.routingConfig": ("gemini_api",),
    "generationConfig.modelSelectionConfig": ("gemini_api",),
    "generationConfig.audioTimestamp": ("gemini_api",),
    "generationConfig.enableEnhancedCivicAnswers": _BUT_GEMINI_API,
    "generationConfig.enableAffectiveDialog": ("code_assist",),
}
#: The Developer API takes one token more.
_LIMITED = ("code_assist", "vertex")
#: What a client of Google's says twice: the address has it, too.
_NOT_NAMED = ("model",)


class _Refused(NamedTuple):
    """What an upstream does not take of one field of the request."""

    #: In full: the field itself, or what is inside of it.
    names: list[str]
    #: Finds, in JSON, the keys of those that may be there, many times faster than decoding does;
    #: and in contents the URIs of files, as its only group.
    clues: re.Pattern[bytes]


def _refused_by(upstream: str) -> dict[str, _Refused]:
    names = [name for name, refusing in _REFUSED.items() if upstream in refusing]
    groups = itertools.groupby(sorted(names), key=lambda name: name.partition(".")[0])
    return {first: _refused(first, list(group)) for first, group in groups}


def _refused(first: str, names: list[str]) -> _Refused:
    paths = [(name, name.split(".")[1:]) for name in names if name != first]
    keys = {path[-1] for _, path in paths}
    patterns = [f'{_either_spelling(key)}"' for key in sorted(keys)]
    if first == "contents":
        patterns.append(_FILE_URI)
    clues = f'"(?:{"|".join(patterns)})'
    return _Refused(names, re.compile(clues.encode()))


#: A quotation mark inside of a text has a backslash before it, so that this finds no text.
_FILE_URI = r'file_?[uU]ri"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"'


def _either_spelling(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_?[{letter[0]}{letter[0].lower()}]", name)


_BY_UPSTREAM = {upstream: _refused_by(upstream) for upstream in READ_BY}


class Fitted(NamedTuple):
    """A request that an upstream takes, and the fields that it had to lose."""

    request: GenerateContentRequest | Fields
    left_out: list[str]


def fitted(request: GeminiRequest, upstream: str) -> Fitted:
    """Return what is left of a request for one upstream.

    Raise `UnreadableFileError` for a file that this upstream cannot read.
    """
    if isinstance(request, NativeRequest):
        return Fitted(*fitted_fields(request.fields, upstream))
    _refuse_unreadable(_uris(request), upstream)
    kept: Any = request
    left_out = []
    for first, second, name, path in _of_structs(upstream):
        value = getattr(request, first)
        if value is None or (second and getattr(value, second) is None):
            continue
        kept, found = _without(kept, path)
        if found:
            left_out.append(name)
    return Fitted(kept, left_out)


def fitted_fields(fields: Fields, upstream: str) -> tuple[Fields, list[str]]:
    """Do the same for a body of Google's own API."""
    kept: Fields = {}
    left_out: list[str] = []
    for key, value in fields.items():
        name = camel(key)
        refused = _BY_UPSTREAM[upstream].get(name)
        if refused is None:
            kept[key] = value
        elif refused.names == [name]:
            left_out += refused.names
        else:
            kept[key], names = _fitted_field(value, refused, upstream)
            left_out += names
            if name == "generationConfig" and upstream in _LIMITED:
                kept[key] = with_most(kept[key], "maxOutputTokens", OUTPUT_LIMIT)
    return kept, [name for name in left_out if name not in _NOT_NAMED]


def _fitted_field(value: Raw, refused: _Refused, upstream: str) -> tuple[Raw, list[str]]:
    clues = list(refused.clues.finditer(value))
    uris = [_text(clue[1]) for clue in clues if clue.lastindex]
    _refuse_unreadable(uris, upstream)
    left_out = []
    if len(uris) < len(clues):
        for name in refused.names:
            value, found = without(value, name.split(".")[1:])
            if found:
                left_out.append(name)
    return value, left_out


def _text(escaped: bytes) -> str:
    try:
        return msgspec.json.decode(b'"%b"' % escaped, type=str)
    except msgspec.DecodeError:
        return ""  # half of a surrogate pair: no file has such a name


def _refuse_unreadable(uris: Iterable[str], upstream: str) -> None:
    for uri in uris:
        kind = kind_of(uri)
        if kind is not None and kind not in READ_BY[upstream]:
            why = NOT_HERE[kind]
            raise UnreadableFileError(f"{why[0].upper()}{why[1:]}.")


def _uris(request: GenerateContentRequest) -> Iterator[str]:
    for content in request.contents:
        for part in content.parts or []:
            if part.file_data is not None:
                yield part.file_data.file_uri
            for inside in (part.function_response and part.function_response.parts) or []:
                if inside.file_data is not None:
                    yield inside.file_data.file_uri


def _without(node: Any, path: list[str]) -> tuple[Any, bool]:
    """Return a struct, an object or a list without the field; and whether it was there."""
    if isinstance(node, list):
        items = [_without(item, path) for item in node]
        found = any(one for _, one in items)
        return ([item for item, _ in items] if found else node), found
    if isinstance(node, dict):
        return _without_key(node, path)
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


def _without_key(node: dict[str, Any], path: list[str]) -> tuple[dict[str, Any], bool]:
    """Do the same where the client has chosen the spelling."""
    key = key_of(node, path[0])
    if key not in node:
        return node, False
    kept = {name: value for name, value in node.items() if name != key}
    if len(path) == 1:
        return kept, True
    inner, found = _without(node[key], path[1:])
    return ({**kept, key: inner} if found else node), found


@functools.cache
def _of_structs(upstream: str) -> list[tuple[str, str | None, str, list[str]]]:
    """Return what one refuses that ours can hold: two steps of ours, Google's name, the path.

    The second step is None where the first leads to no struct.
    """
    refused = [name for one in _BY_UPSTREAM[upstream].values() for name in one.names]
    paths = [(name, name.split(".")) for name in refused]
    return [
        (*_beginning(path), name, path)
        for name, path in paths
        if _may_hold(GenerateContentRequest, path)
    ]


def _beginning(path: list[str]) -> tuple[str, str | None]:
    field = next(
        one for one in structs.fields(GenerateContentRequest) if one.encode_name == path[0]
    )
    inside = () if get_origin(field.type) is list else get_args(field.type)
    kinds = [one for one in inside if isinstance(one, type) and issubclass(one, Struct)]
    return field.name, _names(kinds[0])[path[1]] if kinds and len(path) > 1 else None


def _may_hold(kind: Any, path: list[str]) -> bool:
    if get_origin(kind) is not dict and (inside := get_args(kind)):
        return any(_may_hold(one, path) for one in inside)  # of a list, or of what may be None
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        return get_origin(kind) is dict
    found = [field.type for field in structs.fields(kind) if field.encode_name == path[0]]
    return bool(found) and (len(path) == 1 or _may_hold(found[0], path[1:]))


@functools.cache
def _names(kind: type[Struct]) -> dict[str, str]:
    """Return what a struct calls each of Google's names."""
    return {field.encode_name: field.name for field in structs.fields(kind)}
