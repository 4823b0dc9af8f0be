"""Gemini's older dialect of schemas, for the models that came before `parametersJsonSchema`.

It is a subset of OpenAPI's: one type to a schema, `nullable` instead of null, no references, and a
400 for every keyword that it does not know. https://ai.google.dev/api/caching#Schema
"""

from typing import Any

from service.errors import InvalidRequestError
from service.translation.schemas import to_json_schema

Schema = dict[str, Any]

_NODES_MAX = 20_000
_REFERENCES_MAX = 16  # one inside the other
_ANYTHING: Schema = {"type": "string"}  # a schema without a type is refused
_TEXTS = ("title", "description")
_FORMATS = {
    "string": ("enum", "date-time"),
    "integer": ("int32", "int64"),
    "number": ("float", "double"),
}


def to_openapi_schema(schema: Schema | None, *, parameters: bool) -> Schema | None:
    """Return the schema for Gemini, or None for one that says nothing.

    `parameters` of a function must be an object: options at their root become the properties that
    any of them has. Raise `InvalidRequestError` for a schema that becomes too large.
    """
    cleaned = to_json_schema(schema)
    if cleaned is None:
        return None
    writer = _Writer(cleaned.get("$defs", {}))
    if not parameters:
        return writer.write(cleaned)
    written = writer.write(_as_object(cleaned))
    return written if written.get("properties") else None


def _as_object(schema: Schema) -> Schema:
    options = schema.get("anyOf") or schema.get("oneOf")
    if not isinstance(options, list):
        return schema
    properties = dict(schema.get("properties", {}))
    for option in options:
        properties = option.get("properties", {}) | properties
    kept: Schema = {key: schema[key] for key in ("description", "required") if key in schema}
    return {"type": "object", "properties": properties, **kept}


class _Writer:
    """Rewrites what `to_json_schema` has left, which is all that has to be looked at."""

    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions
        self._inside: list[str] = []
        self._nodes = 0

    def write(self, node: Schema) -> Schema:
        self._nodes += 1
        if self._nodes > _NODES_MAX:
            raise InvalidRequestError("The schema of a tool is too large.", param="tools")
        if isinstance(reference := node.get("$ref"), str):
            return self._followed(reference)
        options, nullable = _options(node)
        if len(options) == 1:
            written = self._one(options[0])
        else:
            written = {"anyOf": [self.write(option) for option in options]}
        written = _texts(node) | written
        return written | {"nullable": True} if nullable else written

    def _followed(self, reference: str) -> Schema:
        if reference in self._inside or len(self._inside) >= _REFERENCES_MAX:
            return {"type": "object"}
        self._inside.append(reference)
        written = self.write(self._definitions.get(reference.removeprefix("#/$defs/"), {}))
        self._inside.pop()
        return written

    def _one(self, node: Schema) -> Schema:
        if (
            "$ref" in node
            or "anyOf" in node
            or "oneOf" in node
            or isinstance(node.get("type"), list)
        ):
            return self.write(node)
        type_ = node.get("type") or _guess(node)
        written = {"type": type_} | _texts(node)
        if node.get("format") in _FORMATS.get(type_, ()):
            written["format"] = node["format"]
        if type_ in ("integer", "number"):
            written |= {key: node[key] for key in ("minimum", "maximum") if key in node}
        if values := node.get("enum"):
            _enumerate(written, values)
        if type_ == "array":
            written |= {key: node[key] for key in ("minItems", "maxItems") if key in node}
            written["items"] = self.write(node.get("items") or _ANYTHING)
        if type_ == "object" and node.get("properties"):
            written["properties"] = {
                name: self.write(value) for name, value in node["properties"].items()
            }
            written |= {key: node[key] for key in ("required", "propertyOrdering") if key in node}
        return written


def _options(node: Schema) -> tuple[list[Schema], bool]:
    """Return what a value may be, null apart."""
    given = node.get("anyOf") or node.get("oneOf")
    types = node.get("type")
    if given:
        options = given
    elif isinstance(types, list):
        rest = {key: value for key, value in node.items() if key not in _TEXTS}
        options = [{**rest, "type": type_} for type_ in types]
    else:
        options = [node]
    real = [option for option in options if option.get("type") != "null"]
    return real or [_ANYTHING], len(real) < len(options)


def _texts(node: Schema) -> Schema:
    return {key: node[key] for key in _TEXTS if key in node}


def _guess(node: Schema) -> str:
    if "properties" in node or "additionalProperties" in node:
        return "object"
    return "array" if "items" in node or "prefixItems" in node else "string"


def _enumerate(written: Schema, values: list[Any]) -> None:
    """Keep the values: only texts may be enumerated, so others are named in the description."""
    if written["type"] == "string":
        written["enum"] = [str(value) for value in values]
        return
    said = "One of: " + ", ".join(map(str, values)) + "."
    written["description"] = (
        f"{written['description']} {said}" if "description" in written else said
    )
