"""JSON Schema as Google takes it in `parametersJsonSchema` and `responseJsonSchema`.

Some of Google's servers ignore what others refuse. This one refuses all of it.
"""

from collections.abc import Iterator
from typing import Any

from tests.simulators.rules.ask import Json

_TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}
_DEEPEST = 100
_TEXTS = ("$id", "$anchor", "$ref", "format", "title", "description")
_KNOWN = {
    *_TEXTS,
    *("type", "enum", "minimum", "maximum", "minItems", "maxItems"),
    *("properties", "required", "additionalProperties", "propertyOrdering"),
    *("items", "prefixItems", "anyOf", "oneOf", "$defs"),
}


def json_schema_fault(schema: Any) -> str | None:
    """Return what is wrong with a root schema, after the path to it."""
    if not isinstance(schema, dict):
        return ": a JSON schema must be an object."
    definitions = schema.get("$defs", {})
    for path, inner in _schemas("", schema, 0):
        fault = _fault(inner, definitions) if isinstance(inner, dict) else ": must be a schema."
        if fault is not None:
            return path + fault
        if path.count("/") > _DEEPEST:
            return ": maximum schema depth exceeded."
    return _endless(definitions)


def _schemas(path: str, schema: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Give a schema and every schema inside it; what is no schema is given too."""
    yield path, schema
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return
    for step, inner in _inside(schema):
        yield from _schemas(f"{path}/{step}", inner, depth + 1)


def _inside(schema: Json) -> Iterator[tuple[str, Any]]:
    for key in ("properties", "$defs"):
        if isinstance(schema.get(key), dict):
            for name, inner in schema[key].items():
                yield f"{key}/{name}", inner
    for key in ("anyOf", "oneOf", "prefixItems"):
        if isinstance(schema.get(key), list):
            for at, inner in enumerate(schema[key]):
                yield f"{key}/{at}", inner
    if "items" in schema:
        yield "items", schema["items"]
    if not isinstance(schema.get("additionalProperties", True), bool):
        yield "additionalProperties", schema["additionalProperties"]


def _fault(schema: Json, definitions: Json) -> str | None:
    if unknown := sorted(set(schema) - _KNOWN):
        return f': Unknown keyword "{unknown[0]}".'
    if "$ref" in schema and not all(key.startswith("$") for key in schema):
        return ": Only keywords that begin with $ may stand beside $ref."
    kinds = {**dict.fromkeys(_TEXTS, str), **_KINDS}
    for key in schema:
        if key in kinds and (
            isinstance(schema[key], bool) or not isinstance(schema[key], kinds[key])
        ):
            return f".{key}: has the wrong type."
    if (reference := schema.get("$ref")) is not None and not _leads(reference, definitions):
        return f".$ref: {reference} leads nowhere."
    return _type_fault(schema) or _size_fault(schema) or _members_fault(schema)


_KINDS: dict[str, type | tuple[type, ...]] = {
    "type": (str, list),
    "minItems": int,
    "maxItems": int,
    "minimum": (int, float),
    "maximum": (int, float),
    **dict.fromkeys(("properties", "$defs"), dict),
    **dict.fromkeys(("enum", "required", "propertyOrdering"), list),
    **dict.fromkeys(("prefixItems", "anyOf", "oneOf"), list),
}


def _leads(reference: str, definitions: Json) -> bool:
    return reference == "#" or reference.removeprefix("#/$defs/") in definitions


def _type_fault(schema: Json) -> str | None:
    given = schema.get("type", [])
    types = [given] if isinstance(given, str) else given
    if given == [] and "type" in schema:
        return ".type: must not be empty."
    if not all(isinstance(one, str) for one in types) or len(set(types)) < len(types):
        return ".type: must be different names of types."
    if unknown := set(types) - _TYPES:
        return f".type: unknown type {min(unknown)}."
    if "array" in types and not {"items", "prefixItems"} & set(schema):
        return ".items: missing field."
    return None


def _size_fault(schema: Json) -> str | None:
    for key in ("minItems", "maxItems"):
        if schema.get(key, 0) < 0:
            return f".{key}: must not be negative."
    for key in ("enum", "anyOf", "oneOf", "prefixItems"):
        if schema.get(key) == []:
            return f".{key}: must not be empty."
    return None


def _members_fault(schema: Json) -> str | None:
    for at, value in enumerate(schema.get("enum", ["x"])):
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return f".enum[{at}]: must be a string or a number."
        if value == "":
            return f".enum[{at}]: cannot be empty"
    for key in ("required", "propertyOrdering"):
        for at, name in enumerate(schema.get(key, [])):
            if name not in schema.get("properties", {}):
                return f".{key}[{at}]: property is not defined"
    return None


def _endless(definitions: Json) -> str | None:
    """Find a definition that contains itself in a place that must be there."""
    needs = {f"#/$defs/{name}": set(_forced(inner)) for name, inner in definitions.items()}
    for name in list(needs):
        reached: set[str] = set()
        queue = list(needs[name])
        while queue:
            one = queue.pop()
            if one not in reached:
                reached.add(one)
                queue += needs.get(one, ())
        if name in reached:
            return f".{name.removeprefix('#/')}: recursion is allowed in optional properties only."
    return None


def _forced(schema: Json) -> Iterator[str]:
    """Give the references that must be followed to know what fits a schema."""
    if "$ref" in schema:
        yield schema["$ref"]
    required = {f"properties/{name}" for name in schema.get("required", [])}
    for step, inner in _inside(schema):
        is_optional = step == "additionalProperties" or step.startswith(("properties/", "$defs/"))
        if step in required or not is_optional:
            yield from _forced(inner)
