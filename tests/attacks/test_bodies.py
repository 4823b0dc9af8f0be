"""Bodies that are meant to cost more to read than to send."""

import gzip
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from tests.attacks.victim import PATH, Victim, head, request, statuses
from tests.gateway import HELLO
from tests.simulators.google import Google

pytestmark = pytest.mark.xdist_group("attacks")  # one process for all of them

#: Deep enough for the JSON decoder to refuse it, and depths at which only what comes after could.
DEPTHS = (100_000, 1000, 990, 900, 500, 330, 200)
SCHEMA = {"name": "s", "schema": {"type": "object", "properties": {"a": "NESTED"}}}
FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {"a": "NESTED"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "NESTED"}}
ASKED = {"role": "user", "content": "Hello!"}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "NESTED"}
PLACES: dict[str, dict[str, Any]] = {
    "unknown": {"nobody_knows": "NESTED"},
    "metadata": {"metadata": {"a": "NESTED"}},
    "content": {"messages": [{"role": "user", "content": "NESTED"}]},
    "part": {"messages": [{"role": "user", "content": [{"type": "text", "text": "NESTED"}]}]},
    "prediction": {"prediction": {"a": "NESTED"}},
    "schema": {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
    "parameters": {"tools": [{"type": "function", "function": FUNCTION}]},
    "function": {"functions": [FUNCTION]},
    "extra_body": {"extra_body": {"google": {"a": "NESTED"}}},
    "extra_content": {
        "messages": [ASKED, {"role": "assistant", "content": "a", "extra_content": "NESTED"}, ASKED]
    },
    "web_search_options": {"web_search_options": {"a": "NESTED"}},
    "arguments": {
        "messages": [ASKED, {"role": "assistant", "tool_calls": [CALL]}, RESULT | {"content": "1"}]
    },
}
NESTS: dict[str, Callable[[int], bytes]] = {
    "arrays": lambda depth: b"[" * depth + b"]" * depth,
    "objects": lambda depth: b'{"a":' * depth + b"1" + b"}" * depth,
    "schemas": lambda depth: (
        b'{"type":"object","properties":{"a":' * (depth // 2)
        + b'{"type":"string"}'
        + b"}}" * (depth // 2)
    ),
    "unclosed": lambda depth: b"[" * depth,
    "options": lambda depth: b'{"anyOf":[' * (depth // 2) + b"{}" + b"]}" * (depth // 2),
}


def body(place: dict[str, Any], nested: bytes) -> bytes:
    return msgspec.json.encode(HELLO | place).replace(b'"NESTED"', nested)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_nested_too_deeply_is_the_clients_fault(
    victim: Victim, google: Google, place: str
) -> None:
    """Which depth is too much differs; what is said of it does not."""
    with victim.client() as client:
        for nest, nested in NESTS.items():
            for depth in DEPTHS:
                for stream in (False, True):
                    whole = PLACES[place] | {"stream": stream}
                    answer = client.post(PATH, content=body(whole, nested(depth)))
                    assert answer.status_code in (200, 400), (nest, depth, answer.text[:300])
                    if depth == DEPTHS[0]:
                        assert answer.status_code == 400, nest
    assert all(len(call.raw) < 200_000 for call in google.requests)


def text_in_text(depth: int) -> bytes:
    """JSON in a string, where the gateway decodes what a client encoded twice."""
    return msgspec.json.encode("[" * depth + "]" * depth)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("what", ["arguments", "result"])
def test_deep_json_in_a_string(victim: Victim, depth: int, what: str) -> None:
    deep = text_in_text(depth)
    function = {"name": "f", "arguments": "NESTED" if what == "arguments" else "{}"}
    turn = {"role": "assistant", "tool_calls": [CALL | {"function": function}]}
    result = RESULT if what == "result" else RESULT | {"content": "1"}
    content = body({"messages": [ASKED, turn, result]}, deep)
    with victim.client() as client:
        assert client.post(PATH, content=content).status_code in (200, 400)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/gemini-2.5-flash:generateContent",
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
        "/v1/embeddings",
        "/v1/completions",
        "/v1/images/generations",
    ],
)
def test_depth_elsewhere(victim: Victim, path: str, depth: int) -> None:
    nested = NESTS["objects"](depth)
    content = b'{"model":"gemini-2.5-flash","contents":%b,"input":%b,"prompt":%b}' % (
        nested,
        nested,
        nested,
    )
    with victim.client() as client:
        assert client.post(path, content=content).status_code in (200, 400, 404, 501)


def chat(**fields: Any) -> bytes:
    return msgspec.json.encode(HELLO | fields)


def said(raw: bytes) -> bytes:
    return b'{"model":"gemini-2.5-flash","messages":[{"role":"user","content":%b}]}' % raw


def with_field(raw: bytes) -> bytes:
    return msgspec.json.encode(HELLO)[:-1] + b"," + raw + b"}"


BODIES: dict[str, tuple[bytes, set[int]]] = {
    "n of a billion": (chat(n=10**9), {400}),
    "n of 10^400": (with_field(b'"n":1' + b"0" * 400), {400}),
    "n below zero": (chat(n=-1), {400}),
    "n of half": (with_field(b'"n":1.5'), {400}),
    "temperature NaN": (with_field(b'"temperature":NaN'), {400}),
    "temperature Infinity": (with_field(b'"temperature":Infinity'), {400}),
    "temperature -Infinity": (with_field(b'"temperature":-Infinity'), {400}),
    "temperature 1e400": (with_field(b'"temperature":1e400'), {400}),
    "temperature of a megabyte": (with_field(b'"temperature":0.' + b"1" * 2**20), {200, 400}),
    "seed of 10^400": (with_field(b'"seed":1' + b"0" * 400), {200, 400}),
    "seed of a megabyte": (with_field(b'"seed":' + b"9" * 2**20), {200, 400}),
    "max_tokens of 2^63": (chat(max_tokens=2**63), {200, 400}),
    "top_k of 2^64": (with_field(b'"top_k":18446744073709551616'), {200, 400}),
    "NaN in metadata": (with_field(b'"metadata":{"a":NaN}'), {400}),
    "1e400 in metadata": (with_field(b'"metadata":{"a":1e400}'), {200, 400}),
    "10^400 in a schema": (
        with_field(
            b'"tools":[{"type":"function","function":{"name":"f","parameters":'
            b'{"type":"object","properties":{"a":{"type":"integer","maximum":1' + b"0" * 400 + b"}}"
            b"}}}]"
        ),
        {200, 400},
    ),
    "10^400 in arguments": (
        chat(
            messages=[
                ASKED,
                {
                    "role": "assistant",
                    "tool_calls": [
                        CALL | {"function": {"name": "f", "arguments": '{"a":1' + "0" * 400 + "}"}}
                    ],
                },
                RESULT,
            ]
        ),
        {200, 400},
    ),
    "thousands of messages": (
        chat(
            messages=[
                {"role": role, "content": "Hello!"}
                for _ in range(10_000)
                for role in ("user", "assistant")
            ]
        ),
        {200},
    ),
    "a hundred thousand messages of one side": (
        chat(messages=[{"role": "user", "content": "Hello!"}] * 100_000),
        {200},
    ),
    "a hundred thousand parts": (
        chat(
            messages=[{"role": "user", "content": [{"type": "text", "text": "Hello!"}] * 100_000}]
        ),
        {200},
    ),
    "thousands of tool calls": (
        chat(
            messages=[
                ASKED,
                {
                    "role": "assistant",
                    "tool_calls": [CALL | {"id": f"call_{at}"} for at in range(5000)],
                },
                *[RESULT | {"tool_call_id": f"call_{at}"} for at in range(5000)],
            ]
        ).replace(b'"NESTED"', b'"{}"'),
        {200, 400},
    ),
    "thousands of tools": (
        chat(tools=[{"type": "function", "function": {"name": f"f{at}"}} for at in range(20_000)]),
        {200, 400},
    ),
    "a hundred thousand tools of no kind": (chat(tools=[{}] * 100_000), {400}),
    "millions of tools": (with_field(b'"tools":[' + b"{}," * 9_000_000 + b"{}]"), {400}),
    "millions of Google's tools": (
        with_field(b'"google":{"tools":[' + b"{}," * 9_000_000 + b"{}]}"),
        {400},
    ),
    "millions of lists in metadata": (
        with_field(b'"metadata":{"a":[' + b"[]," * 9_000_000 + b"[]]}"),
        {400},
    ),
    "millions of stops": (with_field(b'"stop":[' + b'"ab",' * 5_000_000 + b'"ab"]'), {400}),
    "as many lists as are read": (
        with_field(b'"metadata":{"a":[' + b"[]," * 1_999_000 + b"[]]}"),
        {200},
    ),
    "a hundred thousand keys": (
        chat(**{f"key{at}": at for at in range(100_000)}),
        {200, 400},
    ),
    "a hundred thousand stops": (chat(stop=["x"] * 100_000), {200, 400}),
    "duplicated keys": (with_field(b'"model":"gemini-2.5-flash","model":"gemini-2.5-pro"'), {200}),
    "a duplicated list": (with_field(b'"messages":[]'), {400}),
    "a duplicated role": (
        said(b'"Hi","role":"assistant","role":"user"'),
        {200, 400},
    ),
    "a million duplicated keys": (with_field(b",".join([b'"user":"x"'] * 1_000_000)), {200}),
    "an escaped lone surrogate": (said(rb'"a\ud800b"'), {200}),
    "an escaped lone low surrogate": (said(rb'"a\udc00b"'), {200}),
    "surrogates the wrong way round": (said(rb'"\udc00\ud800"'), {200}),
    "a raw lone surrogate": (said(b'"a\xed\xa0\x80b"'), {200, 400}),
    "a million lone surrogates": (said(b'"' + rb"\ud800" * 1_000_000 + b'"'), {400}),
    "backslashes before a surrogate": (said(b'"' + b"\\" * 2_000_001 + b'ud800"'), {200, 400}),
    "a lone surrogate in a key": (with_field(rb'"\ud800":1'), {200}),
    "no UTF-8": (said(b'"\xff\xfe"'), {400}),
    "a zero byte": (said(rb'"\u0000"'), {200, 400}),
    "UTF-16": (said(b'"x"').decode().encode("utf-16"), {400}),
    "a byte order mark": (b"\xef\xbb\xbf" + said(b'"x"'), {200, 400}),
    "a million opened strings": (b'{"' * 1_000_000, {400}),
    "whitespace": (msgspec.json.encode(HELLO) + b" " * (30 * 2**20 - 200), {200}),
    "a number of 30 MB": (with_field(b'"user":' + b"1" * 29_000_000), {400}),
    "one byte too many": (msgspec.json.encode(HELLO).ljust(30 * 2**20 + 1), {413}),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_costs_little(victim: Victim, name: str) -> None:
    """It is answered or refused in a few seconds, during which others are answered, too."""
    content, expected = BODIES[name]
    with victim.client() as client:
        began = time.monotonic()
        answer = client.post(PATH, content=content)
        assert time.monotonic() - began < 8
    assert answer.status_code in expected, answer.text[:500]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_nothing_is_unpacked(victim: Victim, coding: str) -> None:
    """A megabyte that would be a gigabyte is a megabyte of nonsense."""
    bomb = gzip.compress(b" " * 100_000_000)
    received = victim.told(request(bomb, f"content-encoding: {coding}", "connection: close"))
    assert statuses(received) in ([400], [415])


def test_chunks_of_one_byte_are_a_body_like_another(victim: Victim) -> None:
    content = msgspec.json.encode(HELLO).ljust(300_000)
    chunks = b"".join([b"1\r\n%c\r\n" % byte for byte in content]) + b"0\r\n\r\n"
    received = victim.told(head("transfer-encoding: chunked", "connection: close"), chunks)
    assert statuses(received) == [200]


def test_chunks_without_end_are_refused_at_the_limit(victim: Victim) -> None:
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with victim.connected() as connection:
        connection.sendall(head("transfer-encoding: chunked"))
        for _ in range(31):
            connection.sendall(chunk)
        assert statuses(connection.recv(100)) == [413]


@pytest.mark.parametrize("size", ["0x10", "FFFFFFFFFFFFFFFFF", "-1", "", "zz"])
def test_a_chunk_of_no_size_is_refused(victim: Victim, size: str) -> None:
    received = victim.told(head("transfer-encoding: chunked") + f"{size}\r\n".encode() + b"x" * 99)
    assert statuses(received) == [400]


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "18446744073709551616", "", "1, 1"])
def test_a_length_that_is_none_is_refused(victim: Victim, length: str) -> None:
    received = victim.told(head(f"content-length: {length}", "connection: close"))
    assert statuses(received) == [400]


def test_as_many_of_the_largest_as_fit_are_taken_and_one_more_is_not(victim: Victim) -> None:
    """All but the last byte of four; the fifth gets to send none, until the others have left."""
    whole = chat(messages=[{"role": "user", "content": "x" * 30_000_000}])
    announced = head(f"content-length: {len(whole)}", "connection: close")
    with ExitStack() as stack:
        connections = [stack.enter_context(victim.connected()) for _ in range(4)]
        for connection in connections:
            connection.sendall(announced + whole[:-1])
        assert statuses(victim.told(announced)) == [503]
    with victim.client() as client:
        victim.wait_for(lambda: client.post(PATH, content=whole).status_code == 200)
