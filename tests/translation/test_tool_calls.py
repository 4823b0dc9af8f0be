"""Calls on their way to the client: what golden files cannot show."""

import itertools
import re
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from service.schemas.gemini import GenerateContentResponse
from service.translation.response import Metadata, to_openai
from service.translation.stream import ChunkTranslator
from service.translation.tool_calls import PLAIN
from service.translation.tool_names import ToolNames

METADATA = Metadata(id="x", created=0, model="m", call_prefix=f"call_{'0' * 32}_")
ACCEPTED = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")


@pytest.mark.parametrize(
    "arguments",
    [
        b'{"a": 1.0, "b":  123456789012345678901, "c": "true"}',
        '{"ø": "\u2028 \\u003c", "a": null, "a": 1e2}'.encode(),
        b"{}",
    ],
)
def test_arguments_are_what_gemini_wrote(arguments: bytes) -> None:
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":%s}}]},'
    body = (body + b'"finishReason":"STOP"}]}') % arguments
    response = msgspec.json.decode(body, type=GenerateContentResponse)
    (call,) = to_openai([response], METADATA).choices[0].message.tool_calls or []
    assert call.function
    assert call.function.arguments.encode() == arguments


def test_choices_do_not_share_ids() -> None:
    call: dict[str, Any] = {"functionCall": {"name": "f"}}
    body = {"candidates": [{"content": {"parts": [call, call]}, "finishReason": "STOP"}]}
    response = msgspec.json.decode(msgspec.json.encode(body), type=GenerateContentResponse)
    choices = to_openai([response, response], METADATA).choices
    ids = [call.id for choice in choices for call in choice.message.tool_calls or []]
    assert len(set(ids)) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{29,64}", id_) for id_ in ids)


PARTS = st.one_of(
    st.builds(lambda text: {"text": text}, st.text(max_size=3)),
    st.builds(lambda text: {"text": text, "thought": True}, st.text(max_size=3)),
    st.builds(
        lambda name, id_: {"functionCall": {"name": name, "id": id_}},
        st.sampled_from(["f", "g", ""]),
        st.sampled_from([None, "a", "b", "not sane"]),
    ),
)


@given(
    events=st.lists(st.lists(PARTS, max_size=3), min_size=1, max_size=5),
    legacy=st.booleans(),
    parallel=st.booleans(),
)
def test_a_stream_says_what_the_whole_says(
    events: list[list[Any]],
    *,
    legacy: bool,
    parallel: bool,
) -> None:
    metadata = METADATA._replace(calling=PLAIN._replace(legacy=legacy, parallel=parallel))

    def response(parts: list[Any], finish: str | None) -> GenerateContentResponse:
        body = {"candidates": [{"content": {"parts": parts}, "finishReason": finish}]}
        return msgspec.json.decode(msgspec.json.encode(body), type=GenerateContentResponse)

    whole = to_openai([response(list(itertools.chain(*events)), "STOP")], metadata).choices[0]
    translator = ChunkTranslator(metadata, include_usage=False)
    chunks = [chunk for parts in events for chunk in translator.push(response(parts, None))]
    chunks += translator.push(response([], "STOP")) + translator.finish()

    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == (whole.message.content or "")
    calls = [call for delta in deltas for call in delta.tool_calls or []]
    assert [call.index for call in calls] == list(range(len(calls)))
    assert [call.id for call in calls] == [call.id for call in whole.message.tool_calls or []]
    old = [delta.function_call for delta in deltas if delta.function_call]
    assert old == ([whole.message.function_call] if whole.message.function_call else [])
    assert chunks[-1].choices[0].finish_reason == whole.finish_reason


@given(
    st.lists(st.text(min_size=1, max_size=70) | st.sampled_from(["a/b", "a_b", "a b", "é" * 70]))
)
def test_any_name_reaches_gemini_and_comes_back(names: list[str]) -> None:
    known = ToolNames(names)
    safe = {name: known.safe(name) for name in names}
    assert all(ACCEPTED.fullmatch(name) for name in safe.values())
    assert len(set(safe.values())) == len(safe)
    assert {name: known.ours(one) for name, one in safe.items()} == {name: name for name in safe}
    assert {name: ToolNames(names).safe(name) for name in names} == safe
