"""What a client of Google's own API sends, made to fit an upstream; and what came back, as it came.

Only what has to change is decoded. The rest keeps its spelling, its order and its numbers.
"""

import re
from typing import Any

import msgspec
from msgspec import Raw

from service.errors import InvalidRequestError
from service.schemas.gemini import NOTHING
from service.schemas.gemini_native import NativeReply, NativeResponse
from service.upstream.answers import parse
from service.upstream.failures import refusal

_encoder = msgspec.json.Encoder()
_objects = msgspec.json.Decoder(dict[str, Raw])
_lists = msgspec.json.Decoder(list[Raw])
_responses = msgspec.json.Decoder(NativeResponse)
_replies = msgspec.json.Decoder(NativeReply)

Fields = dict[str, Raw]

_ABSENT = (b"", b"null")
_DIGITS = 20  # as many as say that a number is too large


def key_of(fields: Fields, name: str) -> str:
    """Return how a body spells a field; as it stands here, if it has none."""
    return next((key for key in fields if camel(key) == name), name)


def children(raw: Raw | bytes) -> Fields:
    """Decode one level of an object; raise `InvalidRequestError`."""
    try:
        return _objects.decode(raw)
    except msgspec.DecodeError as error:
        raise InvalidRequestError(f"Invalid JSON payload received. {error}.") from None


def with_default(fields: Fields, path: list[str], value: Any) -> Fields:
    """Return the fields with a value where they have none."""
    key = key_of(fields, path[0])
    if len(path) == 1:
        is_there = bytes(fields.get(key, NOTHING)) not in _ABSENT
        return fields if is_there else {**fields, key: Raw(_encoder.encode(value))}
    there = fields.get(key, NOTHING)
    inner = {} if bytes(there) in _ABSENT else children(there)
    return {**fields, key: Raw(_encoder.encode(with_default(inner, path[1:], value)))}


def with_limit(fields: Fields, path: list[str], limit: int) -> Fields:
    """Return the fields with a number that is no larger than this."""
    key = key_of(fields, path[0])
    there = bytes(fields.get(key, NOTHING)).strip()
    if len(path) == 1:
        above = there.isdigit() and int(there[:_DIGITS]) > limit
        return {**fields, key: Raw(_encoder.encode(limit))} if above else fields
    if not there.startswith(b"{"):
        return fields  # for Google to refuse
    inner = children(there)
    limited = with_limit(inner, path[1:], limit)
    return fields if limited is inner else {**fields, key: Raw(_encoder.encode(limited))}


def without(raw: Raw, path: list[str]) -> Raw:
    """Return an object, or a list of them, without a field."""
    return _without_in(raw, path)[0]


def fields_without(fields: Fields, path: list[str]) -> tuple[Fields, bool]:
    """Return the fields without one, which may be further down; and whether it was there."""
    key = key_of(fields, path[0])
    if key not in fields:
        return fields, False
    if len(path) == 1:
        return {name: value for name, value in fields.items() if name != key}, True
    value, found = _without_in(fields[key], path[1:])
    return ({**fields, key: value} if found else fields), found


def _without_in(raw: Raw, path: list[str]) -> tuple[Raw, bool]:
    """Leave anything that is neither an object nor a list for Google to refuse."""
    data = bytes(raw).lstrip()
    if data.startswith(b"["):
        items = [_without_in(item, path) for item in _lists.decode(data)]
        found = any(one for _, one in items)
        # A tool that had nothing else is none any longer.
        kept = [item for item, one in items if not (one and bytes(item) == b"{}")]
        return (Raw(_encoder.encode(kept)) if found else raw), found
    if data.startswith(b"{"):
        fields, found = fields_without(_objects.decode(data), path)
        return (Raw(_encoder.encode(fields)) if found else raw), found
    return raw, False


_UNDERSCORE = re.compile(r"_([a-z])")


def camel(name: str) -> str:
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name)


def read(data: bytes) -> NativeResponse:
    """Read a bare response; raise what an error in its place says."""
    response = parse(_responses, data)
    if response.error is not None:
        raise refusal(200, data)
    response.wire = data
    return response


def read_enveloped(data: bytes) -> NativeResponse:
    """Read one of Code Assist's."""
    reply = parse(_replies, data)
    if bytes(reply.error) not in _ABSENT:
        raise refusal(200, data)
    response = bytes(reply.response)
    return read(b"{}" if response in _ABSENT else response)
