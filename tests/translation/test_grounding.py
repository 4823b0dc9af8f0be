"""Sources on their way to the client: a stream and a whole answer say the same of them."""

from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from service.schemas.gemini import GenerateContentResponse
from service.schemas.openai_chat import Annotation
from service.translation.reasoning import ReasoningField
from service.translation.response import Metadata, to_openai
from service.translation.stream import ChunkTranslator

METADATA = Metadata(id="x", created=0, model="m")
CHUNKS = [{"web": {"uri": f"https://example.com/{at}", "title": f"{at}"}} for at in range(3)]
WORDS = st.text("aø€😀 \n", min_size=1, max_size=8)
REASONING: st.SearchStrategy[ReasoningField] = st.sampled_from(["both", "tags", "none"])
INDICES = st.lists(st.integers(-1, 4), max_size=3)
OFFSETS = st.none() | st.integers(-3, 40)


def response(
    parts: list[dict[str, Any]], grounding: dict[str, Any] | None, finish: str | None
) -> GenerateContentResponse:
    candidate: dict[str, Any] = {"content": {"parts": parts}, "finishReason": finish}
    if grounding is not None:
        candidate["groundingMetadata"] = grounding
    body = msgspec.json.encode({"candidates": [candidate]})
    return msgspec.json.decode(body, type=GenerateContentResponse)


def streamed(
    responses: list[GenerateContentResponse], reasoning: ReasoningField
) -> tuple[str, list[Annotation]]:
    translator = ChunkTranslator(METADATA, include_usage=False, reasoning=reasoning)
    chunks = [chunk for one in responses for chunk in translator.push(one)]
    deltas = [chunk.choices[0].delta for chunk in [*chunks, *translator.finish()]]
    lists = [delta.annotations for delta in deltas if delta.annotations]
    assert len(lists) <= 1
    return "".join(delta.content or "" for delta in deltas), lists[0] if lists else []


def whole(
    parts: list[dict[str, Any]], grounding: dict[str, Any], reasoning: ReasoningField
) -> tuple[str, list[Annotation]]:
    answer = to_openai([response(parts, grounding, "STOP")], METADATA, reasoning=reasoning)
    message = answer.choices[0].message
    return message.content or "", message.annotations or []


@st.composite
def answers(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw thoughts, and words with code between them; and words to be found again."""
    parts: list[dict[str, Any]] = [{"text": draw(WORDS), "thought": True}]
    supports = []
    for _ in range(draw(st.integers(1, 3))):
        if len(parts) > 1:
            parts.append({"executableCode": {"language": "PYTHON", "code": draw(WORDS) + "x"}})
        text = draw(WORDS)
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        segment: dict[str, Any] = {
            "partIndex": len(parts),
            "endIndex": len(text[:end].encode()),
            "text": text[start:end],
        }
        if start:
            segment["startIndex"] = len(text[:start].encode())
        indices = draw(st.lists(st.sampled_from([0, 1, 2]), min_size=1, max_size=2))
        supports.append({"segment": segment, "groundingChunkIndices": indices})
        parts.append({"text": text})
    return parts, supports


@given(answers(), REASONING, st.data())
def test_annotations_mark_the_same_words_streamed_and_not(
    answer: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    reasoning: ReasoningField,
    data: st.DataObject,
) -> None:
    parts, supports = answer
    grounding = {"groundingChunks": CHUNKS, "groundingSupports": supports}
    pieces: list[dict[str, Any]] = []
    for part in parts:
        text = part.get("text", "")
        cut = data.draw(st.integers(0, len(text)))
        cuts = [part | {"text": half} for half in (text[:cut], text[cut:]) if half]
        pieces += cuts or [part]
    responses = [response([piece], None, None) for piece in pieces]
    content, annotations = streamed([*responses, response([], grounding, "STOP")], reasoning)

    assert (content, annotations) == whole(parts, grounding, reasoning)
    marked = {
        (content[one.url_citation.start_index : one.url_citation.end_index], one.url_citation.title)
        for one in annotations
    }
    assert marked == {
        (support["segment"]["text"], str(index))
        for support in supports
        for index in support["groundingChunkIndices"]
    }


SEGMENTS = st.fixed_dictionaries(
    {"startIndex": OFFSETS, "endIndex": OFFSETS, "partIndex": OFFSETS, "text": st.none() | WORDS}
)


@pytest.mark.parametrize("inline", [False, True])
@given(
    texts=st.lists(WORDS, max_size=3),
    drawn=st.lists(st.tuples(SEGMENTS, INDICES), max_size=4),
)
def test_offsets_of_any_kind_stay_inside_the_content(
    texts: list[str], drawn: list[tuple[dict[str, Any], list[int]]], *, inline: bool
) -> None:
    supports = [{"segment": segment, "groundingChunkIndices": at} for segment, at in drawn]
    grounding = {"groundingChunks": CHUNKS, "groundingSupports": supports}
    parts = [{"text": text} for text in texts]
    metadata = METADATA._replace(inline_citations=inline)
    message = to_openai([response(parts, grounding, "STOP")], metadata).choices[0].message
    content = message.content or ""
    for one in message.annotations or []:
        citation = one.url_citation
        assert 0 <= citation.start_index <= citation.end_index <= len(content)
    if inline:
        for at, chunk in enumerate(CHUNKS, 1):
            content = content.replace(f"[{at}]({chunk['web']['uri']})", "")
    assert content == "".join(texts)
