"""A stream adds up to what the same answer is in one piece, however Google cuts it."""

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import httpx
import hypothesis.strategies as st
import msgspec
from hypothesis import event, given, settings
from openai.lib.streaming._deltas import accumulate_delta

from service.errors import GatewayError
from service.schemas.gemini import (
    MALFORMED,
    GenerateContentRequest,
    GenerateContentResponse,
)
from service.schemas.gemini_usage import RunningUsage
from service.schemas.openai_chat import ChatCompletionChunk
from service.translation.choices import ChoicesTranslator
from service.translation.reasoning import ReasoningField
from service.translation.response import Metadata, to_openai
from service.translation.stream import ChunkTranslator
from service.translation.tool_calls import Calling
from service.translation.tool_names import ToolNames
from service.transport import Pool
from service.upstream.code_assist import CodeAssist
from service.upstream.http import GoogleHttp, TimeLimits
from tests.upstream.conftest import UserTokens

Json = dict[str, Any]
REQUEST = GenerateContentRequest(contents=[])
#: The client's names, some of which Gemini cannot be told.
NAMES = ToolNames(["get_weather", "files/read", "say"])
TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "\n\n", "\u2028", "é", "世界", "😀", "data: {}\r\n\r\n", "</thinking>"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
SIGNATURES = st.sampled_from(["QUFBQQ==", "Qk JC", "RA"])
ARGUMENTS = st.sampled_from(
    [
        *(b"{}", b"null", b'{"city":"Troms\xc3\xb8"}', b'{ "a" : 1.0e5 , "b":[ ] }'),
        *(b'{"n":123456789012345678901234567890}', rb'{"input":"\u00e9\n","t":"true"}'),
    ]
).map(msgspec.Raw)
COUNTS = st.one_of(st.integers(0, 50), st.just("7"))


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Make objects with some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


WORDS = st.builds(
    lambda text, more: {"text": text} | more, TEXTS, some(thoughtSignature=SIGNATURES)
)
THOUGHTS = WORDS.map(lambda part: part | {"thought": True})
CALLS = st.builds(
    lambda call, more: {"functionCall": call} | more,
    some(
        name=st.sampled_from(["get_weather", NAMES.safe("files/read"), "default_api.say", "new"]),
        args=ARGUMENTS,
        id=st.sampled_from(["a", "b", "not sane!", ""]),
    ),
    some(thoughtSignature=SIGNATURES),
)
UNKNOWN = st.sampled_from(
    [{}, {"somethingNew": {"x": 1}}, {"text": "", "thoughtSignature": "QUFB"}]
)
IMAGES = st.builds(
    lambda kind, more: {"inlineData": {"mimeType": kind, "data": "AAAA"}} | more,
    st.sampled_from(["image/png", "image/jpeg", "application/pdf", ""]),
    some(thought=st.just(value=True), thoughtSignature=SIGNATURES),
)
PARTS = st.one_of(WORDS, WORDS, THOUGHTS, CALLS, UNKNOWN, IMAGES)
USAGES = some(
    promptTokenCount=COUNTS,
    cachedContentTokenCount=COUNTS,
    candidatesTokenCount=COUNTS,
    thoughtsTokenCount=COUNTS,
    toolUsePromptTokenCount=COUNTS,
    totalTokenCount=COUNTS,
    promptTokensDetails=st.just([{"modality": "TEXT", "tokenCount": 3}]),
    candidatesTokensDetails=st.just([{"modality": "IMAGE", "tokenCount": 4}]),
)
ENDS = st.sampled_from(
    [
        *["STOP"] * 8,
        *["MAX_TOKENS", "SAFETY"] * 2,
        *("OTHER", "FINISH_REASON_UNSPECIFIED", "SOMETHING_NEW", ""),
        *sorted(MALFORMED)[:2],
    ]
)
NOISE: st.SearchStrategy[Json] = st.sampled_from(
    [
        *({}, {"candidates": []}, {"candidates": [{}]}, {"modelVersion": "x", "responseId": "y"}),
        {"candidates": [{"content": {"role": "model"}, "index": 0}]},
        {"candidates": [{"index": 1, "content": {"parts": [{"text": "another's"}]}}]},
    ]
)


@st.composite
def chunks(draw: st.DrawFn) -> list[Json]:
    """Make a stream's responses: mostly some with parts, then an end, with noise everywhere."""
    found: list[Json] = [
        {"candidates": [{"content": {"role": "model", "parts": parts}}]}
        for parts in draw(st.lists(st.lists(PARTS, max_size=3), max_size=5))
    ]
    ends = draw(st.lists(ENDS, min_size=1, max_size=2)) if draw(st.integers(0, 15)) else []
    for end in ends:
        if found and "candidates" in found[-1] and draw(st.booleans()):
            found[-1]["candidates"][0]["finishReason"] = end
        else:
            found.append({"candidates": [{"finishReason": end}]})
    for _ in range(draw(st.integers(0, 2))):
        found.insert(draw(st.integers(0, len(found))), draw(NOISE))
    if draw(st.integers(0, 7)) == 0:
        feedback = draw(st.sampled_from([{}, {"blockReason": "SAFETY"}, {"blockReason": "NEW"}]))
        found.insert(draw(st.integers(0, len(found))), {"promptFeedback": feedback})
    return [
        chunk | ({"usageMetadata": draw(USAGES)} if draw(st.booleans()) else {}) for chunk in found
    ]


def merged(responses: list[Json]) -> Json:
    """Make the answer that Gemini would have given in one piece."""
    whole: Json = {}
    usage: Json = {}
    parts: list[Json] = []
    reasons: list[str] = []
    for response in responses:
        usage |= response.get("usageMetadata", {})
        if "promptFeedback" in response:
            whole["promptFeedback"] = whole.get("promptFeedback", {}) | response["promptFeedback"]
        for candidate in response.get("candidates", []):
            if not candidate.get("index"):
                parts += candidate.get("content", {}).get("parts", [])
                reasons.append(candidate.get("finishReason", ""))
    final = [reason for reason in reasons if reason not in ("", "FINISH_REASON_UNSPECIFIED")]
    failed = [reason for reason in final if reason in MALFORMED]
    candidate = {"content": {"role": "model", "parts": parts}}
    if reasons := [*(failed or final[-1:])]:
        candidate["finishReason"] = reasons[0]
    return whole | {"candidates": [candidate], "usageMetadata": usage}


class Cut(httpx.AsyncByteStream):
    """A body that arrives in these pieces."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


class Wire(Pool):
    """Below the gateway's HTTP: no socket can be told where to cut."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Cut(self._pieces), request=request)


class Project:
    async def id(self) -> str:
        return "p"


def google(*pieces: bytes) -> CodeAssist:
    http = GoogleHttp(Wire(*pieces), UserTokens("t"), TimeLimits())
    return CodeAssist(http, endpoint="http://google", project=Project())  # type: ignore[arg-type]


@st.composite
def wires(draw: st.DrawFn, responses: list[Json]) -> list[bytes]:
    """Frame responses as one of Google's servers would, and cut them anywhere."""
    line = draw(st.sampled_from([b"\n", b"\r\n"]))
    space = draw(st.sampled_from([b"", b" "]))
    wire = b""
    for response in responses:
        data = msgspec.json.encode({"response": response, "traceId": "t"})
        if draw(st.integers(0, 5)) == 0:
            wire += b": comment" + line + line
        wire += b"data:" + space + data + line + line
    if draw(st.booleans()):
        wire = wire.removesuffix(line)
    cuts = draw(st.sets(st.integers(0, len(wire)), max_size=12))
    return [wire[start:end] for start, end in pairwise([0, *sorted(cuts), len(wire)])]


class Outcome(msgspec.Struct):
    message: Json
    finish_reason: str
    usage: Json


def outcome(message: Json, finish_reason: str, usage: Json) -> Outcome:
    """Keep what a client sees; that there is nothing can be said in several ways."""
    kept = {key: value for key, value in message.items() if value}
    for call in kept.get("tool_calls", []):
        call.pop("index", None)
    return Outcome(kept, finish_reason, usage)


async def whole(
    responses: list[Json], metadata: Metadata, reasoning: ReasoningField
) -> Outcome | None:
    body = msgspec.json.encode({"response": merged(responses)})
    try:
        answer = await google(body).generate("gemini-2.5-flash", REQUEST)
        completion = to_openai([answer.response], metadata, reasoning=reasoning)
    except GatewayError:
        return None
    found = msgspec.to_builtins(completion)
    (choice,) = found["choices"]
    return outcome(choice["message"], choice["finish_reason"], found["usage"])


async def streamed(
    wire: list[bytes], metadata: Metadata, reasoning: ReasoningField
) -> Outcome | None:
    translator = ChunkTranslator(metadata, include_usage=True, reasoning=reasoning)
    found: list[ChatCompletionChunk] = []
    try:
        answer = await google(*wire).stream("gemini-2.5-flash", REQUEST)
        async for responses in answer:
            for response in responses:
                found += translator.push(response)
        found += translator.finish()
    except GatewayError:
        return None
    return folded(as_json(found))


def as_json(found: list[ChatCompletionChunk]) -> list[Json]:
    decoded: list[Json] = msgspec.json.decode(msgspec.json.encode(found))
    return decoded


def folded(found: list[Json]) -> Outcome:
    """Add chunks up as openai's SDK does, and hold them to the rules for streams."""
    *body, end, last = found
    assert last["choices"] == []
    message: dict[object, object] = {}
    reasons = []
    for chunk in [*body, end]:
        (choice,) = chunk["choices"]
        assert chunk["usage"] is None
        message = accumulate_delta(message, choice["delta"])
        reasons.append(choice["finish_reason"])
    assert end["choices"][0]["delta"] == {}
    assert reasons[:-1] == [None] * len(body)
    assert message["role"] == "assistant", "once"
    return outcome({str(key): value for key, value in message.items()}, reasons[-1], last["usage"])


CALLINGS = st.builds(
    Calling,
    st.just(NAMES),
    custom=st.sampled_from([frozenset(), frozenset({"say"})]),
    legacy=st.integers(0, 4).map(lambda draw: draw == 0),
    parallel=st.integers(0, 4).map(bool),
)
FIELDS: st.SearchStrategy[ReasoningField] = st.sampled_from(
    ["both", "reasoning_content", "reasoning", "tags", "none"]
)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), responses=chunks(), calling=CALLINGS, reasoning=FIELDS)
async def test_a_stream_adds_up_to_the_answer_in_one_piece(
    data: st.DataObject, responses: list[Json], calling: Calling, reasoning: ReasoningField
) -> None:
    metadata = Metadata("chatcmpl-1", 0, "m", calling=calling)
    wire = data.draw(wires(responses))
    one_piece = await whole(responses, metadata, reasoning)
    event("fails" if one_piece is None else one_piece.finish_reason)
    assert await streamed(wire, metadata, reasoning) == one_piece


@settings(max_examples=100, deadline=None)
@given(st.data(), st.lists(chunks(), min_size=2, max_size=3))
async def test_each_of_several_choices_adds_up_to_its_own(
    data: st.DataObject, several: list[list[Json]]
) -> None:
    metadata = Metadata("chatcmpl-1", 0, "m", calling=Calling(NAMES))
    translator = ChoicesTranslator(metadata, len(several), include_usage=True)
    found: list[ChatCompletionChunk] = []
    try:
        bodies = [msgspec.json.encode({"response": merged(responses)}) for responses in several]
        answers = [await google(body).generate("gemini-2.5-flash", REQUEST) for body in bodies]
        completion = to_openai([answer.response for answer in answers], metadata)
    except GatewayError:
        completion = None
    left = {index: responses[:] for index, responses in enumerate(several)}
    counted = [RunningUsage() for _ in several]
    try:
        while left := {index: responses for index, responses in left.items() if responses}:
            index = data.draw(st.sampled_from(sorted(left)))
            response = decoded(left[index].pop(0))
            counted[index].complete(response)
            found += translator.push((index, response))
        found += translator.finish()
    except GatewayError:
        assert completion is None
        return
    if completion is None:
        return  # an upstream's stream refuses what says nothing, before it gets here
    *body, last = as_json(found)
    firsts = [chunk["choices"][0] for chunk in body[: len(several)]]
    assert [choice["index"] for choice in firsts] == list(range(len(several))), "their roles"
    assert last["usage"] == msgspec.to_builtins(completion.usage)
    for choice in msgspec.to_builtins(completion.choices):
        own = [chunk for chunk in body if chunk["choices"][0]["index"] == choice["index"]]
        one = outcome(choice["message"], choice["finish_reason"], last["usage"])
        assert folded([*own, last]) == one


def decoded(response: Json) -> GenerateContentResponse:
    return msgspec.json.decode(msgspec.json.encode(response), type=GenerateContentResponse)
