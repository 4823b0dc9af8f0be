"""Answers of Google's, or of whoever stands in its place: understood, or a `GatewayError`."""

import asyncio
from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import example, given

from service.errors import GatewayError
from service.interfaces import GeminiRequest
from service.schemas.gemini_native import NativeRequest
from service.schemas.openai_chat import ChatCompletion
from service.translation.response import Metadata, to_openai
from service.translation.stream import ChunkTranslator
from service.translation.tool_calls import Calling
from tests.api.test_any_body import ANYTHING, places, replaced, written
from tests.fuzz.attempts import UNHURRIED, attempt
from tests.fuzz.test_sse import WORDS
from tests.test_streamed_and_whole import NAMES, REQUEST, chunks, google

REQUESTS: st.SearchStrategy[GeminiRequest] = st.sampled_from([REQUEST, NativeRequest({})])
METADATA = Metadata("chatcmpl-1", 0, "m", calling=Calling(NAMES))
NESTS = st.sampled_from([b"[" * 5000, b'{"a":' * 5000, b"[" * 2000 + b"]" * 2000])


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Make a response with anything in some place, in its envelope or not."""
    found: Any = msgspec.json.decode(msgspec.json.encode(draw(chunks())))
    if draw(st.booleans()):
        found = [{"response": each, "traceId": "t"} for each in found]
    for _ in range(draw(st.integers(0, 2))):
        if where := places(found):
            found = replaced(found, draw(st.sampled_from(where)), draw(ANYTHING))
    return draw(
        st.one_of(
            st.just(written(found)),
            st.just(b"".join(b"data: " + written(each) + b"\r\n\r\n" for each in found)),
            st.just(written(found[0]) if found else b"{}"),
        )
    )


WIRES = st.one_of(
    responses(),
    st.lists(st.one_of(WORDS, st.binary(max_size=3), responses(), NESTS), max_size=6).map(b"".join),
)


@UNHURRIED
@given(wire=WIRES, cut=st.integers(0, 400), request=REQUESTS)
@example(b"[" * 5000, 0, REQUEST)  # once this was no error of the gateway's
def test_a_stream(wire: bytes, cut: int, request: GeminiRequest) -> None:
    async def read() -> list[Any]:
        translator = ChunkTranslator(METADATA, include_usage=True)
        answer = await google(wire[:cut], wire[cut:]).stream("gemini-2.5-flash", request)
        found: list[Any] = []
        async for batch in answer:
            for response in batch:
                found += translator.push(response)
        return [*found, *translator.finish()]

    found = attempt(lambda: asyncio.run(read()))
    assert isinstance(found, GatewayError) or msgspec.json.decode(msgspec.json.encode(found))


@UNHURRIED
@given(wire=WIRES, request=REQUESTS)
def test_a_whole_answer(wire: bytes, request: GeminiRequest) -> None:
    async def read() -> ChatCompletion:
        answer = await google(wire).generate("gemini-2.5-flash", request)
        return to_openai([answer.response], METADATA)

    completion = attempt(lambda: asyncio.run(read()))
    assert isinstance(completion, GatewayError) or msgspec.json.decode(
        msgspec.json.encode(completion)
    )
