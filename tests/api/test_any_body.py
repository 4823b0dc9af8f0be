"""No request body whatever makes the gateway fail."""

import json  # noqa: TID251  (writes what msgspec refuses to: NaN, lone surrogates)
import random
from functools import cache, reduce
from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import given, settings

from tests.gateway import HELLO, Gateway

FAST = settings(max_examples=100, deadline=None)
PIXEL = "data:image/png;base64,iVBORw0KGgo="
FUNCTION = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

#: Good requests, which together have every parameter and every kind of message.
REQUESTS: list[dict[str, Any]] = [
    HELLO,
    HELLO
    | {
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 1,
        "top_p": 0.5,
        "top_k": 40,
        "n": 2,
        "stop": ["a", "b"],
        "seed": 7,
        "max_completion_tokens": 100,
        "max_tokens": 10,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "logit_bias": {"5": 1},
        "logprobs": True,
        "top_logprobs": 3,
        "reasoning_effort": "low",
        "modalities": ["text"],
        "moderation": {"model": "x", "policy": {"input": {"mode": "log"}}},
        "prediction": {"type": "content", "content": "x"},
        "web_search_options": {},
        "service_tier": "auto",
        "store": True,
        "metadata": {"a": "b"},
        "user": "u",
        "verbosity": "low",
    },
    {
        "model": "models/gemini-2.5-flash",
        "messages": [
            {"role": "system", "content": "Be brief.", "name": "n"},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": None, "refusal": "No.", "audio": {"id": "a"}},
            {"role": "user", "content": "And now?"},
            {
                "role": "assistant",
                "content": "",
                "reasoning_content": "Hm.",
                "tool_calls": [
                    {
                        "id": "a",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"city": "Oslo"}'},
                        "extra_content": {"google": {"thought_signature": "QUFB"}},
                    },
                    {"id": "b", "type": "custom", "custom": {"name": "c", "input": "x"}},
                ],
            },
            {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
            {"role": "tool", "tool_call_id": "a", "content": '{"degrees": 7}', "name": "f"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "d",
                    "parameters": FUNCTION,
                    "strict": True,
                },
            },
            {"type": "custom", "custom": {"name": "c", "format": {"type": "text"}}},
            {"type": "google_search"},
        ],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "auto",
                "tools": [{"type": "function", "function": {"name": "f"}}],
            },
        },
        "parallel_tool_calls": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "s", "strict": True, "schema": FUNCTION},
        },
    },
    {
        "model": "gemini-3-flash-preview",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "done"},
        ],
        "functions": [{"name": "f", "parameters": FUNCTION}],
        "function_call": {"name": "f"},
        "extra_body": {"google": {"thinking_config": {"thinking_budget": 100}}},
        "google": {"thinkingConfig": {"thinkingLevel": "low", "includeThoughts": True}},
        "safety_settings": [
            {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"},
        ],
        "thinking": {"type": "enabled", "budget_tokens": 5},
        "thinking_budget": 5,
        "reasoning": {"effort": "low", "exclude": True},
        "include_reasoning": False,
    },
    {
        "model": "gemini-2.5-flash",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": "JVBERi0="}},
                    {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                    {"type": "video_url", "video_url": {"url": "gs://b/v.mp4"}},
                ],
            }
        ],
    },
    # of the other endpoints
    {"model": "gemini-2.5-flash", "prompt": ["a", "b"], "echo": True, "suffix": "x", "best_of": 2},
    {"model": "gemini-2.5-flash", "input": "a", "instructions": "b"},
    {"model": "gemini-embedding-001", "input": ["a"], "dimensions": 3, "encoding_format": "float"},
    {"model": "gemini-2.5-flash-image", "prompt": "a", "size": "1024x1536", "n": 2},
    {
        "contents": [
            {"role": "user", "parts": [{"text": "a"}, {"fileData": {"fileUri": "gs://b/a.png"}}]}
        ],
        "generationConfig": {"maxOutputTokens": 9, "imageConfig": {"aspectRatio": "1:1"}},
        "systemInstruction": {"parts": [{"text": "b"}]},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
    },
]
KEYS = sorted(
    {key for request in REQUESTS for key in request} | {"content", "role", "type", "text"}
)

#: Characters that break things: halves of one, ends of lines, of strings and of everything.
TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from('\ud83d\ude00\x00\r\n\u2028\ufeff"\\/,:{}'),
    ),
    max_size=12,
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),  # not only numbers: NaN and Infinity, as Python writes them
    st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, 5e-324]),
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), TEXTS), inner, max_size=3),
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths to everything in a document, but to itself."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for step, inner in steps:
        found.append((*path, step))
        if isinstance(inner, dict | list):
            found += places(inner, (*path, step))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def like(value: Any) -> st.SearchStrategy[Any]:
    """Make other values of the same kind, which a check of types lets through."""
    if isinstance(value, str):
        return TEXTS
    if isinstance(value, dict):
        return st.dictionaries(TEXTS, ANYTHING, max_size=3).map(lambda more: value | more)
    if isinstance(value, list):
        return st.lists(st.sampled_from(value), max_size=4) if value else st.just([])
    return st.integers(0, 3)


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """Make a good request with something else in up to three places."""
    request: Any = draw(st.sampled_from(REQUESTS))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(request)))
        old = reduce(lambda inner, step: inner[step], path, request)
        request = replaced(request, path, draw(st.one_of(ANYTHING, like(old))))
        if not places(request):
            break
    return request


def post(gateway: Gateway, body: bytes) -> None:
    """Send a body to every endpoint that takes one; none may fail, whatever it says."""
    with gateway.client() as client:
        for path in endpoints(gateway):
            headers = {"content-type": "application/json"}
            response = client.post(path, content=body, headers=headers)
            check(response.status_code, response.content, body)


@cache
def endpoints(gateway: Gateway) -> list[str]:
    with gateway.client() as client:
        paths = client.get("/schema/openapi.json").json()["paths"]
    target = "google/models/gemini-2.5-flash:generateContent"
    return [
        path.replace("{target}", target)
        for path in paths
        if "requestBody" in paths[path].get("post", {})
    ]


def check(status: int, content: bytes, body: bytes) -> None:
    answers = content.split(b"\n\n") if content.startswith(b"data: ") else [content]
    for answer in answers:
        data = answer.removeprefix(b"data: ")
        decoded = msgspec.json.decode(data) if data.startswith(b"{") else {}
        error = decoded.get("error")
        assert status == 200 or error, body
        if error and "status" in error:
            assert set(error) >= {"code", "message", "status"}, "Google's own form"
            assert error["code"] == status < 500, (error, body)
        elif error:
            assert set(error) == {"message", "type", "param", "code"}
            assert error["message"]
            is_no_fault = error["type"] != "server_error" or error["code"] == "unsupported_endpoint"
            assert is_no_fault, (error, body)


def written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@FAST
@given(value=ANYTHING, escaped=st.booleans())
def test_any_json(one_gateway: Gateway, value: Any, *, escaped: bool) -> None:
    post(one_gateway, json.dumps(value).encode() if escaped else written(value))


@settings(max_examples=300, deadline=None)
@given(request=changed(), escaped=st.booleans())
def test_a_good_request_with_anything_in_some_place(
    one_gateway: Gateway, request: Any, *, escaped: bool
) -> None:
    post(one_gateway, json.dumps(request).encode() if escaped else written(request))


@FAST
@given(st.binary(max_size=100))
def test_any_bytes(one_gateway: Gateway, body: bytes) -> None:
    post(one_gateway, body)


@FAST
@given(
    request=st.sampled_from(REQUESTS),
    start=st.integers(0, 2000),
    length=st.integers(0, 5),
    new=st.one_of(st.binary(max_size=5), st.sampled_from([b"\\ud83d", b"1e400", b"NaN", b"-0"])),
)
def test_a_good_request_with_some_bytes_changed(
    one_gateway: Gateway, request: Any, start: int, length: int, new: bytes
) -> None:
    body = msgspec.json.encode(request)
    start %= len(body)
    post(one_gateway, body[:start] + new + body[start + length :])


@settings(max_examples=60, deadline=None)
@given(
    request=st.sampled_from(REQUESTS),
    depth=st.sampled_from([30, 500, 990, 1100, 5000, 100_000]),
    opening=st.sampled_from(["[", '{"a":', '{"items":', '{"type":"text","text":', '{"allOf":[']),
    is_text=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_a_good_request_with_a_deep_nest_in_some_place(
    one_gateway: Gateway, request: Any, depth: int, opening: str, seed: int, *, is_text: bool
) -> None:
    ends = {"[": "]", '{"allOf":[': "]}"}
    nest = opening * depth + "null" + ends.get(opening, "}") * depth
    path = random.Random(seed).choice(places(request))  # noqa: S311  (hypothesis chose the seed)
    body = json.dumps(replaced(request, path, "NEST"))
    inner = json.dumps(nest) if is_text else nest
    post(one_gateway, body.replace('"NEST"', inner).encode())


@FAST
@given(request=st.sampled_from(REQUESTS), key=st.sampled_from(KEYS), value=ANYTHING)
def test_a_good_request_with_a_key_twice(
    one_gateway: Gateway, request: Any, key: str, value: Any
) -> None:
    extra = json.dumps({key: value})
    post(one_gateway, msgspec.json.encode(request)[:-1] + b"," + extra[1:].encode())
