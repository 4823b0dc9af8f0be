"""The sanitiser of schemas: whatever goes in, what comes out is one that Google takes."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, reject, settings

from service.errors import InvalidRequestError
from service.translation.schemas import to_json_schema
from tests.gateway import HELLO, Gateway
from tests.simulators.rules.json_schema import json_schema_fault

KEYWORDS = (
    *("$id", "$anchor", "$schema", "$ref", "$defs", "definitions", "strict", "examples"),
    *("title", "description", "format", "default", "example", "deprecated", "readOnly"),
    *("type", "nullable", "enum", "const", "anyOf", "oneOf", "allOf", "not", "if", "then", "else"),
    *("properties", "required", "additionalProperties", "propertyOrdering", "patternProperties"),
    *("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "multipleOf"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "minLength"),
    *("dependentRequired", "unevaluatedProperties"),
)
NAMES = st.sampled_from(["a", "b", "const", "$ref", "type", "required", "$id", "format", "é/~"])
REFERENCES = st.sampled_from(
    [
        *("#", "#/$defs/a", "#/$defs/b", "#/$defs/%C3%A9", "#/definitions/a", "#/properties/a"),
        *("#/allOf/0", "#/$defs/a/properties/b", "#/$defs/a/items", "#a", "x.json", ""),
    ]
)
TYPES = st.sampled_from(
    ["string", "number", "integer", "boolean", "array", "object", "null", "STRING", "any", ""]
)
NUMBERS = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.just(10**40)
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=3), TYPES)
NONSENSE = st.recursive(
    st.one_of(SCALARS, REFERENCES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=3),
        st.dictionaries(NAMES, inner, max_size=3),
    ),
    max_leaves=8,
)


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Make schemas, most of whose keywords have a value of the right kind."""
    named = st.dictionaries(NAMES, inner, max_size=3)
    several = st.lists(inner, max_size=3)
    right: dict[str, st.SearchStrategy[Any]] = {
        "$ref": REFERENCES,
        "type": st.one_of(TYPES, st.lists(TYPES, max_size=3)),
        "enum": st.lists(SCALARS, max_size=4),
        "const": SCALARS,
        "required": st.lists(NAMES, max_size=4),
        "propertyOrdering": st.lists(NAMES, max_size=4),
        "additionalProperties": st.one_of(st.booleans(), inner),
        "items": st.one_of(inner, several),
        **dict.fromkeys(("$defs", "definitions", "properties", "patternProperties"), named),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), several),
        **dict.fromkeys(("not", "if", "then", "else", "contains"), inner),
        **dict.fromkeys(("minItems", "maxItems", "minimum", "maximum", "multipleOf"), NUMBERS),
        **dict.fromkeys(("title", "description", "format", "pattern"), st.text(max_size=3)),
    }
    pairs = st.sampled_from(KEYWORDS).flatmap(
        lambda key: st.tuples(st.just(key), st.one_of(right.get(key, NONSENSE), NONSENSE))
    )
    return st.lists(pairs, max_size=5).map(dict)


INNER = st.recursive(
    st.one_of(st.booleans(), keywords(st.just({"type": "string"}))), keywords, max_leaves=6
)
SCHEMAS = st.builds(
    lambda root, definitions: root | definitions,
    keywords(INNER),
    st.dictionaries(
        st.sampled_from(["$defs", "definitions"]),
        st.dictionaries(NAMES, INNER, max_size=3),
        max_size=1,
    ),
)


def cleaned(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Take a schema through; those that become too large are not taken."""
    try:
        return to_json_schema(schema)
    except InvalidRequestError:
        reject()


@given(SCHEMAS)
@settings(max_examples=200, deadline=None)
def test_what_comes_out_is_what_google_takes(schema: dict[str, Any]) -> None:
    result = cleaned(schema)
    if result is not None:
        assert json_schema_fault(result) is None, result


@given(SCHEMAS)
@settings(max_examples=100, deadline=None)
def test_what_is_clean_stays_as_it_is(schema: dict[str, Any]) -> None:
    once = cleaned(schema)
    assert to_json_schema(once) == once


@given(st.dictionaries(st.sampled_from(KEYWORDS), keywords(st.just({})), min_size=1))
@settings(max_examples=50, deadline=None)
def test_a_property_may_be_named_like_any_keyword(properties: dict[str, Any]) -> None:
    required = sorted(properties)
    result = cleaned({"type": "object", "properties": properties, "required": required})
    assert result
    assert list(result["properties"]) == list(properties)
    assert sorted(result["required"]) == required


@given(SCHEMAS)
@settings(max_examples=25, deadline=None)
def test_what_a_tool_declares_reaches_google(one_gateway: Gateway, schema: dict[str, Any]) -> None:
    cleaned(schema)
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    with one_gateway.client() as client:
        response = client.post("/v1/chat/completions", json=HELLO | {"tools": [tool]})
    assert response.status_code == 200, response.text


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
