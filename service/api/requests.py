"""Request bodies: JSON to structs, and what is wrong with them in OpenAI's words."""

import itertools
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from litestar.dto import AbstractDTO
from litestar.typing import FieldDefinition
from msgspec import inspect

from service.errors import InvalidRequestError, UnsupportedMediaTypeError
from service.surrogates import replace_lone_surrogates

T = TypeVar("T")


class StrictJSON(AbstractDTO[T]):
    """Decodes a request's body straight to the handler's struct.

    Litestar would decode to dictionaries first and then convert leniently, so that `"true"` became
    `true`; and its words for a fault are not OpenAI's.
    """

    def decode_bytes(self, value: bytes | bytearray) -> Any:
        """Return the struct; raise `InvalidRequestError` or `UnsupportedMediaTypeError`."""
        # Litestar's own headers would be parsed for this one alone.
        content_type = _content_type(self.asgi_connection.scope["headers"])
        if content_type.startswith(("multipart/", "application/x-www-form-urlencoded")):
            msg = f"Send JSON (content-type: application/json), not {content_type.split(';')[0]}."
            raise UnsupportedMediaTypeError(msg)
        if not value:
            raise InvalidRequestError("The body of the request must be a JSON object.")
        return decode(value, self.model_type)

    @classmethod
    def create_for_field_definition(cls, *_: Any, **__: Any) -> None:
        """Litestar would build its own transfer model here."""

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Any:
        del handler_id
        return schema_creator.for_field_definition(field_definition)


def _content_type(headers: Iterable[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == b"content-type":
            return value.decode("latin-1").lower()
    return ""


#: In JSON that many can stand for objects and values, each of which takes up to fifty times the
#: room that it had in the body. A text of a million tokens has fewer.
MOST_BRACES, MOST_COMMAS = 500_000, 2_000_000
#: Bytes in which there is no room for more.
_HARMLESS = 3 * MOST_BRACES


_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def decode(body: bytes | bytearray, wanted: type[T]) -> T:
    """Decode a JSON body; raise `InvalidRequestError` with the `param` that is at fault."""
    if len(body) > _HARMLESS and (body.count(b"{") > MOST_BRACES or body.count(b",") > MOST_COMMAS):
        msg = f"The request has more than {MOST_BRACES} braces, or more than {MOST_COMMAS} commas."
        raise InvalidRequestError(msg, code="request_too_large")
    if wanted not in _decoders:
        _decoders[wanted] = msgspec.json.Decoder(wanted)
    try:
        decoded: T = _decoders[wanted].decode(body)
    except msgspec.ValidationError as error:
        raise fault(str(error), wanted) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # A half at the end of a string looks as if the text had been cut there.
        if any(word in str(error) for word in ("surrogate", "truncated")):
            repaired = replace_lone_surrogates(bytes(body))
            if repaired != body:
                return decode(repaired, wanted)
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        msg = f"The body of the request could not be read as JSON: {why}."
        raise InvalidRequestError(msg) from None
    return decoded


_SENTENCE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)


def fault(message: str, wanted: type[Any]) -> InvalidRequestError:
    """Put msgspec's sentence into OpenAI's words: message, `param` and `code`."""
    match = _SENTENCE.fullmatch(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    if what == "Number out of range" and path.startswith("[...]"):  # nobody knows which
        msg = "The body of the request has a number that is out of range."
        return InvalidRequestError(msg, code=_code(what))
    path = path.replace("[...]", "")  # msgspec's word for some key of an object
    missing = re.fullmatch(
        r"Object missing required field `(?P<field>.+)`|Expected .*got `null`", what
    )
    if missing and (missing["field"] or path):
        param = ".".join(filter(None, (path, missing["field"])))
        msg = f"Missing required parameter: '{param}'."
        return InvalidRequestError(msg, param=param, code="missing_required_parameter")
    if not path:
        return InvalidRequestError(f"The body of the request must be a JSON object. {what}.")
    code = _code(what)
    if code == "invalid_value":
        accepted = ", ".join(map(repr, _accepted(wanted, path)))
        what = f"{what.removesuffix('.')}. Accepted are: {accepted}"
    return InvalidRequestError(f"Invalid '{path}': {what}.", param=path, code=code)


_CODES = (
    (r"Invalid (enum )?value", "invalid_value"),
    (r"Expected `array` of length >=", "empty_array"),
    (r"Expected `array` of length <=", "array_above_max_length"),
    (r"Expected `int` >=", "integer_below_min_value"),
    (r"Expected `int` <=", "integer_above_max_value"),
    (r"Expected `float` >=", "decimal_below_min_value"),
    (r"Expected `float` <=|Number out of range", "decimal_above_max_value"),
)


def _code(what: str) -> str:
    return next((code for pattern, code in _CODES if re.match(pattern, what)), "invalid_type")


def _accepted(wanted: type[Any], path: str) -> list[Any]:
    """List what may stand at a path: the tags of a union, or the values of a literal."""
    nodes = [inspect.type_info(wanted)]
    for step in re.findall(r"[^.\[\]]+", path):
        nodes = [child for node in nodes for child in _children(node, step)]
    values = [node.values for node in nodes if isinstance(node, inspect.LiteralType)]
    return list(dict.fromkeys(itertools.chain.from_iterable(values)))


def _children(node: inspect.Type, step: str) -> list[inspect.Type]:
    match node:
        case inspect.ListType() if step.isdigit():
            return _flat(node.item_type)
        case inspect.StructType() if node.tag_field == step:
            return [inspect.LiteralType((node.tag,))]
        case inspect.StructType():
            fields = [field.type for field in node.fields if field.encode_name == step]
            return [option for field in fields for option in _flat(field)]
        case _:
            return []


def _flat(node: inspect.Type) -> list[inspect.Type]:
    if isinstance(node, inspect.Metadata):
        return _flat(node.type)
    if isinstance(node, inspect.UnionType):
        return [option for part in node.types for option in _flat(part)]
    return [node]
