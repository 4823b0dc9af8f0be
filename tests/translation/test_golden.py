from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.api import errors
from service.api.requests import decode
from service.errors import GatewayError
from service.models import find_model
from service.schemas.gemini import GenerateContentResponse
from service.schemas.gemini_usage import RunningUsage
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_media import Fetched
from service.translation.defaults import Defaults, NativeTools
from service.translation.request import ignored_params, to_gemini
from service.translation.response import Metadata, to_openai
from service.translation.stream import ChunkTranslator
from service.translation.tool_calls import calling
from tests.golden_files import cases, check

METADATA = Metadata(id="chatcmpl-1", created=0, model="m")


def asked(given: dict[str, Any]) -> ChatCompletionRequest:
    """Fill up what a file says of the request."""
    body = {"messages": [{"role": "user", "content": "Hi"}], "model": "gemini-2.5-flash"}
    return decode(msgspec.json.encode(body | given), ChatCompletionRequest)


def operators(given: dict[str, Any]) -> Defaults:
    """Return what an operator has set, with the file's word for some of it."""
    changes = given.get("defaults", {})
    if "google_reads" in changes:
        changes = {**changes, "google_reads": (frozenset(changes["google_reads"]),)}
    native = NativeTools(**given.get("native_tools", {}))
    return Defaults(native=native)._replace(**changes)


def answered(given: list[Any]) -> list[GenerateContentResponse]:
    return msgspec.json.decode(msgspec.json.encode(given), type=list[GenerateContentResponse])


def streamed(given: list[Any]) -> list[GenerateContentResponse]:
    """Do the same with a stream's, as an upstream hands them on."""
    responses, counted = answered(given), RunningUsage()
    for response in responses:
        counted.complete(response)
    return responses


def metadata(given: dict[str, Any]) -> Metadata:
    request = given.get("request", {})
    return METADATA._replace(
        calling=calling(asked(request)), inline_citations=given.get("inline_citations", False)
    )


def or_error(produce: Callable[[], Any]) -> Any:
    """Return the result, or what the client is told instead."""
    try:
        return produce()
    except GatewayError as error:
        return {"status": error.status, **msgspec.json.decode(errors.body(error))}


@cases("request")
def test_request_becomes_geminis(path: Path, pytestconfig: pytest.Config) -> None:
    def produce(given: dict[str, Any]) -> Any:
        defaults = operators(given)
        request = asked(given)
        model = find_model(request.model or "")
        fetched = msgspec.convert(given.get("fetched", {}), dict[str, Fetched])
        gemini = to_gemini(request, model, defaults=defaults, fetched=fetched)
        return {"request": gemini, "ignored": ignored_params(request, model, defaults)}

    check(path, pytestconfig, lambda given: or_error(lambda: produce(given)))


@cases("response")
def test_response_becomes_openais(path: Path, pytestconfig: pytest.Config) -> None:
    def produce(given: Any) -> Any:
        if isinstance(given, list):
            given = {"responses": given}
        reasoning = given.get("reasoning", "both")
        known = metadata(given)._replace(audio=given.get("audio", "wav"))
        return to_openai(answered(given["responses"]), known, reasoning=reasoning)

    check(path, pytestconfig, lambda given: or_error(lambda: produce(given)))


def translator_of(given: dict[str, Any]) -> ChunkTranslator:
    return ChunkTranslator(
        metadata(given),
        include_usage=given.get("include_usage", False),
        reasoning=given.get("reasoning", "both"),
    )


@cases("stream")
def test_stream_becomes_chunks(path: Path, pytestconfig: pytest.Config) -> None:
    def produce(given: dict[str, Any]) -> list[Any]:
        translator = translator_of(given)
        responses = streamed(given["responses"])
        chunks: list[Any] = []

        def translate() -> None:
            for response in responses:
                chunks.extend(translator.push(response))
            chunks.extend(translator.finish())

        error = or_error(translate)
        return chunks if error is None else [*chunks, error]

    check(path, pytestconfig, produce)


@pytest.mark.parametrize("at_once", [1, 2, 100])
@cases("stream")
def test_words_become_the_same_chunks_at_once(path: Path, at_once: int) -> None:
    given = msgspec.json.decode(path.read_bytes())["given"]
    long_way, short_way = translator_of(given), translator_of(given)
    responses = streamed(given["responses"])
    for first in range(0, len(responses), at_once):
        read = responses[first : first + at_once]
        words = short_way.push_words(read)
        if words is None:
            assert or_error(partial(push, short_way, read)) == or_error(
                partial(push, long_way, read)
            )
        else:
            assert as_json(words[0]) == push(long_way, read)
    assert or_error(lambda: as_json(short_way.finish())) == or_error(
        lambda: as_json(long_way.finish())
    )


def push(translator: ChunkTranslator, responses: list[GenerateContentResponse]) -> list[Any]:
    return [as_json(chunk) for response in responses for chunk in translator.push(response)]


def as_json(chunks: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(chunks))


WORDS = {"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}, "index": 0}]}


def test_what_stands_beside_words_is_seen_on_the_short_way() -> None:
    translator = translator_of({})
    usage = {"promptTokenCount": 7, "serviceTier": "flex"}
    first, second = answered([WORDS, WORDS | {"usageMetadata": usage}])
    translator.push(first)
    pushed = translator.push_words([second])
    assert pushed is not None
    assert (pushed[0][0].service_tier, translator.usage.prompt_tokens) == ("flex", 7)


@pytest.mark.parametrize(
    ("second", "is_words"),
    [
        (WORDS, True),
        (WORDS | {"usageMetadata": {"promptTokenCount": 1}}, True),
        ({"candidates": [{"content": {"parts": [{"text": "a", "thought": True}]}}]}, False),
        ({"candidates": [{"content": {"parts": [{"text": ""}]}}]}, False),
        ({"candidates": [{**WORDS["candidates"][0], "finishReason": "STOP"}]}, False),
        (WORDS | {"promptFeedback": {"blockReason": "SAFETY"}}, False),
    ],
)
def test_what_is_only_words_can_be_pushed_at_once(second: Any, is_words: bool) -> None:  # noqa: FBT001
    translator = translator_of({})
    first, *rest = answered([WORDS, WORDS, second])
    assert translator.push_words([first]) is None, "the role goes before them"
    translator.push(first)
    assert (translator.push_words(rest) is not None) == is_words
