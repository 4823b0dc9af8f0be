"""What a JSON Schema says of plain values: their type, the ones that are allowed, numbers."""

from typing import Any

Schema = dict[str, Any]

_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})


def type_of(node: Schema) -> str | list[str] | None:
    given = node.get("type")
    named = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    lower = [name.lower() for name in named if isinstance(name, str)]
    types = [name for name in dict.fromkeys(lower) if name in _TYPES]
    if types and node.get("nullable") is True and "null" not in types:
        types.append("null")
    if not types:
        types = _types_of(_allowed(node))
    return types[0] if len(types) == 1 else types or None


def _types_of(values: list[Any]) -> list[str]:
    """Name the types of values that cannot be told in an enum: true, false and null."""
    if values and all(isinstance(value, bool) for value in values):
        return ["boolean"]
    if None not in values:
        return []
    others = [value for value in values if value is not None]
    if all(isinstance(value, str) for value in others):
        return ["string", "null"] if others else ["null"]
    return ["number", "null"] if all(map(is_number, others)) else []


def _allowed(node: Schema) -> list[Any]:
    """Return the values that are allowed, if they are listed."""
    given = node.get("enum", [node["const"]] if "const" in node else [])
    return given if isinstance(given, list) else []


def values_of(node: Schema) -> list[str | int | float]:
    """Return the members of an enum, texts and numbers; none if there are others that are lost.

    Gemini refuses empty texts, and null goes with the type.
    """
    values = [value for value in _allowed(node) if value is not None]
    told = [value for value in values if isinstance(value, str) or is_number(value)]
    return [value for value in told if value != ""] if told == values else []


def is_count(value: Any) -> bool:
    return is_number(value) and isinstance(value, int) and value >= 0


def is_number(value: Any) -> bool:
    """Whether it is a number that JSON's readers can hold; an integer of 30 digits is not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or -(2**63) <= value < 2**63
