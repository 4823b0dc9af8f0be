"""Bodies in Google's own API, which are passed on without being understood."""

from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import given
from msgspec import Raw

from service.api.native import _body
from service.errors import GatewayError
from service.upstream.fields import fitted
from service.upstream.native import children, key_of, with_default
from tests.api.test_any_body import ANYTHING, written
from tests.fuzz.attempts import UNHURRIED, attempt
from tests.fuzz.test_requests import BODIES, UPSTREAMS, refused_as_theirs, spoiled

FIELDS = st.sampled_from(
    [
        *("contents", "generationConfig", "generation_config", "imageConfig", "image_config"),
        *("safetySettings", "safety_settings", "method", "toolConfig", "labels", "model", "store"),
        *("fileData", "fileUri", "file_uri", "cachedContent", "parts", "text", "_a", "a_", "é"),
        *("includeServerSideToolInvocations", "include_server_side_tool_invocations"),
    ]
)
URIS = st.sampled_from(["gs://b/a.png", "files/a", "https://youtu.be/x", "http://x/\\u0022", ""])
OBJECTS = st.dictionaries(
    FIELDS,
    st.recursive(
        st.one_of(ANYTHING, URIS),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=4)
        ),
        max_leaves=8,
    ),
    max_size=5,
)


@UNHURRIED
@given(body=st.one_of(BODIES, spoiled(), OBJECTS.map(written)))
def test_a_body(body: bytes) -> None:
    def fit() -> list[Any]:
        request = _body(body)
        return [fitted(request, upstream).request for upstream in UPSTREAMS]

    refused_as_theirs(fit)


@UNHURRIED
@given(body=OBJECTS)
def test_what_no_upstream_refuses_is_passed_on_as_it_was(body: dict[str, Any]) -> None:
    wire = written(body)
    request = attempt(lambda: _body(wire))
    if isinstance(request, GatewayError):
        return
    fit = attempt(lambda: fitted(request, "vertex"))
    if isinstance(fit, GatewayError):
        return
    if not fit.left_out and "model" not in request.fields:
        assert fit.request == request.fields
        for name, raw in request.fields.items():
            assert bytes(raw) in wire, name


@UNHURRIED
@given(
    body=OBJECTS.map(written),
    path=st.lists(FIELDS, min_size=1, max_size=3),
    value=st.one_of(st.booleans(), st.integers(0, 9)),
)
def test_a_default_stands_where_nothing_was_said(
    body: bytes, path: list[str], value: object
) -> None:
    def found() -> Raw:
        fields = with_default(_body(body).fields, path, value)
        for step in path[:-1]:
            fields = children(fields[key_of(fields, step)])
        return fields[key_of(fields, path[-1])]

    there = attempt(found)
    if isinstance(there, GatewayError):
        assert there.status == 400
    else:
        assert msgspec.json.decode(there) is not None
