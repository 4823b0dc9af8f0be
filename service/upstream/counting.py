"""`countTokens`, which each upstream wants in a form of its own, from either of Google's two."""

import msgspec
from msgspec import Raw

from service.errors import InvalidRequestError
from service.interfaces import Counted
from service.schemas.gemini_native import NativeRequest
from service.upstream.answers import parse
from service.upstream.failures import refusal, upstream_failures
from service.upstream.fields import fitted_fields
from service.upstream.http import GoogleHttp
from service.upstream.native import ABSENT, Fields, children, key_of, without

_encoder = msgspec.json.Encoder()
_replies = msgspec.json.Decoder(dict[str, Raw])
_lists = msgspec.json.Decoder(list[Raw])

#: What Vertex AI counts.
_COUNTED = ("contents", "systemInstruction", "tools", "generationConfig")


def for_gemini_api(request: NativeRequest, model: str) -> tuple[Fields, list[str]]:
    """Use the form that takes no more than contents, or the one that takes all."""
    fields, left_out = _asked(request, "gemini_api")
    if set(fields) <= {"contents"}:
        return fields, left_out
    whole = {"model": Raw(_encoder.encode(f"models/{model}")), **fields}
    return {"generateContentRequest": Raw(_encoder.encode(whole))}, left_out


def for_vertex(request: NativeRequest) -> tuple[Fields, list[str]]:
    fields, left_out = _asked(request, "vertex")
    keys = {name: key_of(fields, name) for name in _COUNTED}
    kept = {key: fields[key] for key in keys.values() if key in fields}
    return kept, left_out + [key for key in fields if key not in kept]


def for_code_assist(request: NativeRequest, model: str) -> tuple[Fields, list[str]]:
    """Count the system instruction as if it had been said: nothing but contents is taken.

    Parts that are marked as thoughts make the method fail.
    """
    fields, left_out = _asked(request, "code_assist")
    contents = fields.pop(key_of(fields, "contents"), Raw(b"[]"))
    items = _items(without(contents, ["parts", "thought"])[0])
    if system := fields.pop(key_of(fields, "systemInstruction"), None):
        said = {**children(system), "role": Raw(b'"user"')}
        items.insert(0, Raw(_encoder.encode(said)))
    inner = {"model": f"models/{model}", "contents": items}
    return {"request": Raw(_encoder.encode(inner))}, left_out + list(fields)


def _asked(request: NativeRequest, upstream: str) -> tuple[Fields, list[str]]:
    """Return what is to be counted, in one form, and what of it an upstream does not take.

    To Google null is no value. Raise `UnreadableFileError` as `fitted` does.
    """
    fields = _set(request.fields)
    key = key_of(fields, "generateContentRequest")
    if key in fields:
        fields = _set(children(fields[key]))
    kept, left_out = fitted_fields(fields, upstream)
    return {name: value for name, value in kept.items() if name != "model"}, left_out


def _set(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if bytes(value) not in ABSENT}


def _items(contents: Raw) -> list[Raw]:
    try:
        return _lists.decode(contents)
    except msgspec.DecodeError as error:
        msg = f"Invalid value at 'contents': it must be a list. {error}."
        raise InvalidRequestError(msg, param="contents") from None


async def count(
    http: GoogleHttp, url: str, asked: tuple[Fields, list[str]], upstream: str
) -> Counted:
    """POST to `:countTokens`; raise `GatewayError`."""
    fields, left_out = asked
    reply = await http.call(url, _encoder.encode(fields))
    with upstream_failures():
        if "error" in parse(_replies, reply):
            raise refusal(200, reply)
    return Counted(reply, upstream, left_out)
