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
_numbers = msgspec.json.Decoder(float, strict=False)  # Google takes them as strings, too
_responses = msgspec.json.Decoder(NativeResponse)
_replies = msgspec.json.Decoder(NativeReply)

Fields = dict[str, Raw]

#: What Google takes for a field that was not sent.
ABSENT = (b"", b"null")


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
        is_there = bytes(fields.get(key, NOTHING)) not in ABSENT
        return fields if is_there else {**fields, key: Raw(_encoder.encode(value))}
    there = fields.get(key, NOTHING)
    inner = {} if bytes(there) in ABSENT else children(there)
    return {**fields, key: Raw(_encoder.encode(with_default(inner, path[1:], value)))}


def without(raw: Raw, path: list[str]) -> tuple[Raw, bool]:
    """Return an object, or a list of them, without a field; and whether it was there.

    An item that had nothing else goes with it. What is neither is for Google to refuse.
    """
    data = bytes(raw).lstrip()
    if data.startswith(b"["):
        items = [without(item, path) for item in _lists.decode(data)]
        found = any(one for _, one in items)
        left = [item for item, changed in items if not (changed and bytes(item) == b"{}")]
        return (Raw(_encoder.encode(left)) if found else raw), found
    if not data.startswith(b"{"):
        return raw, False
    fields = _objects.decode(data)
    key = key_of(fields, path[0])
    if key not in fields:
        return raw, False
    if len(path) == 1:
        del fields[key]
        return Raw(_encoder.encode(fields)), True
    fields[key], found = without(fields[key], path[1:])
    return (Raw(_encoder.encode(fields)) if found else raw), found


def with_most(raw: Raw, name: str, most: int) -> Raw:
    """Return an object in which a number is no greater. What is no number is Google's to refuse."""
    if not bytes(raw).lstrip().startswith(b"{"):
        return raw
    fields = _objects.decode(raw)
    greater = [key for key in fields if camel(key) == name and _is_greater(fields[key], most)]
    if not greater:
        return raw
    return Raw(_encoder.encode({**fields, **dict.fromkeys(greater, Raw(b"%d" % most))}))


def _is_greater(raw: Raw, most: int) -> bool:
    try:
        return _numbers.decode(raw) > most
    except msgspec.DecodeError:
        return False


_UNDERSCORE = re.compile(r"_([a-z])")


def camel(name: str) -> str:
    """Return a name as Google's documentation spells it."""
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
    if bytes(reply.error) not in ABSENT:
        raise refusal(200, data)
    response = bytes(reply.response)
    return read(b"{}" if response in ABSENT else response)
