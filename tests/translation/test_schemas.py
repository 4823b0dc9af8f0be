"""The sanitiser of schemas: whatever goes in, what comes out is one that Google takes."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from service.errors import InvalidRequestError
from service.translation.schemas import to_json_schema

KNOWN = {
    *("type", "format", "title", "description", "enum", "items", "prefixItems", "minItems"),
    *("maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties"),
    *("required", "propertyOrdering", "$ref", "$defs"),
}
KEYWORDS = (
    *sorted(KNOWN),
    *("definitions", "allOf", "const", "$schema", "not", "if", "pattern", "nullable", "default"),
)
NAMES = st.sampled_from(["a", "b", "const", "$ref", "type", "required"])
REFERENCES = st.sampled_from(
    ["#", "#/$defs/a", "#/$defs/b", "#/definitions/a", "#/properties/a", "#/allOf/0", "x.json", ""]
)
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["string", "array", "object", "null", "STRING", "", "x"]),
    REFERENCES,
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=4),
        st.dictionaries(NAMES, inner, max_size=3),
        st.builds(
            lambda properties, required: {"properties": properties, "required": required},
            st.dictionaries(NAMES, inner, max_size=3),
            st.lists(NAMES, max_size=3),
        ),
    )


ANYTHING = st.recursive(LEAVES, containers, max_leaves=25)
SCHEMAS = st.dictionaries(st.sampled_from(KEYWORDS), ANYTHING, max_size=6)


def check(schema: Any, definitions: dict[str, Any]) -> None:
    assert isinstance(schema, dict)
    assert set(schema) <= KNOWN
    if "$ref" in schema:
        assert all(key.startswith("$") for key in schema)
        assert schema["$ref"].removeprefix("#/$defs/") in definitions
    properties = schema.get("properties", {})
    assert set(schema.get("required", [])) <= set(properties)
    assert "" not in schema.get("enum", [])
    if "array" in schema.get("type", ()):
        assert "items" in schema or "prefixItems" in schema
    others = schema.get("additionalProperties", True)
    inner = [
        *properties.values(),
        *schema.get("anyOf", []),
        *schema.get("oneOf", []),
        *schema.get("prefixItems", []),
        *([schema["items"]] if "items" in schema else []),
        *([] if isinstance(others, bool) else [others]),
        *schema.get("$defs", {}).values(),
    ]
    for one in inner:
        check(one, definitions)


@given(SCHEMAS)
@settings(max_examples=300, deadline=None)
def test_what_comes_out_is_what_google_takes(schema: dict[str, Any]) -> None:
    cleaned = to_json_schema(schema)
    if cleaned is not None:
        check(cleaned, cleaned.get("$defs", {}))


def test_a_schema_of_a_thousand_levels_ends() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"a": {}}}
    for _ in range(1000):
        schema = {"type": "object", "properties": {"a": schema}}
    assert to_json_schema(schema)


@pytest.mark.parametrize("keyword", ["allOf", "anyOf"])
def test_a_schema_that_grows_without_end_is_refused(keyword: str) -> None:
    steps = {
        str(step): {keyword: [{"$ref": f"#/steps/{step + 1}"}, {"$ref": f"#/steps/{step + 1}"}]}
        for step in range(30)
    }
    with pytest.raises(InvalidRequestError, match="too large"):
        to_json_schema({"steps": steps, "properties": {"a": {"$ref": "#/steps/0"}}})
