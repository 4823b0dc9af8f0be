"""JSON Schema, cut down to what Gemini takes in `parametersJsonSchema`.

A schema is cleaned by position: a property may be named like a keyword. What Gemini does not know
is left out, which makes a schema wider and never narrower.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from service.errors import InvalidRequestError
from service.translation.schema_values import is_count, is_number, type_of, values_of

Schema = dict[str, Any]

_DEPTH_MAX = 32
_NODES_MAX = 20_000  # a schema of references to references can grow without end
_TEXTS = ("title", "description", "format")
_COUNTS = ("minItems", "maxItems")
_BOUNDS = ("minimum", "maximum")
_DEFINITIONS = ("$defs", "definitions")
_SHAPING = ("properties", "anyOf", "oneOf", "enum", "items", "prefixItems", "$ref")


def to_json_schema(schema: Schema | None) -> Schema | None:
    """Return the schema for Gemini, or None for one that says nothing.

    Raise `InvalidRequestError` for one that becomes too large.
    """
    if not schema:
        return None
    cleaned = _Cleaner(schema).root()
    takes_something = any(cleaned.get(key) for key in _SHAPING)
    if takes_something or isinstance(cleaned.get("additionalProperties"), dict):
        return cleaned
    if cleaned.get("type", "object") != "object":
        return cleaned
    return None


class _Cleaner:
    """Cleans one schema.

    What it keeps: how deep it is and how much it has seen; the references that it is inside of;
    and whether what it looks at may be absent, because only there may a schema contain itself.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._definitions: Schema = {}
        for key in reversed(_DEFINITIONS):
            if isinstance(found := schema.get(key), dict):
                self._definitions |= found
        self._inside: list[str] = []
        self._optional = False
        self._depth = 0
        self._nodes = 0
        self._needed: dict[str, set[str]] = {}  # which definition needs which

    def root(self) -> Schema:
        cleaned = self._inlined(self._schema)
        cleaned.pop("title", None)
        definitions = {}
        for name, definition in self._definitions.items():
            self._optional = False
            with self._entered(f"#/$defs/{name}"):
                definitions[name] = self.clean(definition)
        # What nothing refers to is still harmless, and smaller than looking for it.
        if definitions and _refers(cleaned):
            cleaned["$defs"] = definitions
        return cleaned

    def clean(self, node: Any) -> Schema:
        """Return what Gemini takes of a schema; of one that allows anything, `{}`."""
        self._nodes += 1
        if self._nodes > _NODES_MAX:
            raise InvalidRequestError("The schema of a tool is too large.", param="tools")
        if not isinstance(node, dict) or self._depth >= _DEPTH_MAX:
            return {}
        self._depth += 1
        try:
            if isinstance(reference := node.get("$ref"), str):
                return self._referred(reference)
            return self._keywords(_merged(self._all_of(node)) if "allOf" in node else node)
        finally:
            self._depth -= 1

    def _inlined(self, node: Schema) -> Schema:
        """Clean a root, which must be a schema itself and not a reference to one."""
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return self.clean(node)
        with self._entered(_normal(reference)):
            return self.clean(self._target(reference))

    def _referred(self, reference: str) -> Schema:
        normal = _normal(reference)
        target = self._target(reference)
        if target is None:
            return {}
        name = normal.removeprefix("#/$defs/")
        if name in self._definitions and normal.startswith("#/$defs/"):
            return {"$ref": normal} if self._may_refer(name) else {"type": "object"}
        if normal in self._inside:
            return {"type": "object"}
        with self._entered(normal):
            return self.clean(target)

    def _may_refer(self, name: str) -> bool:
        """Whether a schema would still end if this reference had to be followed."""
        here = next((one for one in reversed(self._inside) if one.startswith("#/$defs/")), None)
        if self._optional or here is None:
            return True
        holder = here.removeprefix("#/$defs/")
        reachable, queue = set(), [name]
        while queue:
            one = queue.pop()
            if one not in reachable:
                reachable.add(one)
                queue += self._needed.get(one, set())
        if holder in reachable:
            return False
        self._needed.setdefault(holder, set()).add(name)
        return True

    def _target(self, reference: str) -> Any:
        """Return what a reference inside of the schema points to, or None."""
        if not reference.startswith("#"):
            return None
        node: Any = self._schema
        for step in reference.removeprefix("#").split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, dict):
                node = node.get(key)
            else:
                return None
        return node

    def _all_of(self, node: Schema) -> list[Schema]:
        """Return a schema and all that it is made of, the schema itself first."""
        rest = {key: value for key, value in node.items() if key not in ("allOf", "$ref")}
        members = [rest]
        given = node["allOf"]
        for member in given if isinstance(given, list) else []:
            members += self._member(member)
        return members

    def _member(self, member: Any) -> list[Schema]:
        self._nodes += 1
        if not isinstance(member, dict) or len(self._inside) >= _DEPTH_MAX:
            return []
        if self._nodes > _NODES_MAX:
            raise InvalidRequestError("The schema of a tool is too large.", param="tools")
        reference = member.get("$ref")
        if isinstance(reference, str):
            normal = _normal(reference)
            if normal in self._inside:
                return []
            with self._entered(normal):
                return self._member(self._target(reference))
        if "allOf" in member:
            with self._entered(""):
                return self._all_of(member)
        return [member]

    def _keywords(self, node: Schema) -> Schema:
        cleaned = {key: node[key] for key in _TEXTS if isinstance(node.get(key), str)}
        if type_ := type_of(node):
            cleaned["type"] = type_
        cleaned |= {key: node[key] for key in _COUNTS if is_count(node.get(key))}
        cleaned |= {key: node[key] for key in _BOUNDS if is_number(node.get(key))}
        if values := values_of(node):
            cleaned["enum"] = values
        cleaned |= self._object(node)
        cleaned |= self._array(node, type_)
        for key in ("anyOf", "oneOf"):
            if isinstance(node.get(key), list) and node[key]:
                cleaned[key] = [self.clean(option) for option in node[key]]
        return cleaned

    def _object(self, node: Schema) -> Schema:
        cleaned: Schema = {}
        properties = node.get("properties")
        if isinstance(properties, dict):
            given = node.get("required")
            wanted = _names(given)
            required = [name for name in properties if name in wanted]
            cleaned["properties"] = {
                name: self._maybe_absent(value, absent=name not in wanted)
                for name, value in properties.items()
            }
            if required:
                cleaned["required"] = required
            order = node.get("propertyOrdering")
            if isinstance(order, list) and all(name in properties for name in map(str, order)):
                cleaned["propertyOrdering"] = order
        others = node.get("additionalProperties")
        if isinstance(others, bool):
            cleaned["additionalProperties"] = others
        elif isinstance(others, dict):
            cleaned["additionalProperties"] = self._maybe_absent(others, absent=True)
        return cleaned

    def _array(self, node: Schema, type_: str | list[str] | None) -> Schema:
        cleaned: Schema = {}
        items, first = node.get("items"), node.get("prefixItems")
        if isinstance(items, list):  # as before 2020
            items, first = None, items
        if isinstance(first, list) and first:
            cleaned["prefixItems"] = [self.clean(item) for item in first]
        if items is not None:
            cleaned["items"] = self.clean(items)
        elif "array" in (type_ or ()) and not cleaned:
            cleaned["items"] = {}
        return cleaned

    def _maybe_absent(self, node: Any, *, absent: bool) -> Schema:
        before = self._optional
        self._optional = before or absent
        try:
            return self.clean(node)
        finally:
            self._optional = before

    @contextmanager
    def _entered(self, reference: str) -> Iterator[None]:
        self._inside.append(reference)
        try:
            yield
        finally:
            self._inside.pop()


def _normal(reference: str) -> str:
    if reference.startswith("#/definitions/"):
        return "#/$defs/" + reference.removeprefix("#/definitions/")
    return reference


def _refers(node: Any) -> bool:
    if isinstance(node, list):
        return any(map(_refers, node))
    if not isinstance(node, dict):
        return False
    return isinstance(node.get("$ref"), str) or any(map(_refers, node.values()))


def _merged(members: list[Schema]) -> Schema:
    """Merge the members of `allOf`: all properties, all that is required, the first of the rest."""
    merged: Schema = {}
    properties: Schema = {}
    required: dict[str, None] = {}
    for member in members:
        if isinstance(given := member.get("properties"), dict):
            for name, value in given.items():
                properties.setdefault(name, value)
        required |= _names(member.get("required"))
        for key, value in member.items():
            merged.setdefault(key, value)
    if properties:
        merged["properties"] = properties
    if required:
        merged["required"] = list(required)
    return merged


def _names(given: Any) -> dict[str, None]:
    """Return the texts of a list, each once and in their order."""
    found = given if isinstance(given, list) else []
    return dict.fromkeys(name for name in found if isinstance(name, str))
