"""The endpoints beside chat: what becomes of a request, of answers, and of the same as a stream."""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from service.api.requests import decode
from service.models import find_model
from service.schemas.gemini import GenerateContentResponse
from service.schemas.openai_completions import CompletionRequest
from service.schemas.openai_transcriptions import TranscriptionRequest
from service.translation import completions, transcriptions
from service.translation.defaults import Defaults
from service.translation.response import Metadata
from tests.golden_files import cases, check
from tests.translation.test_golden import or_error, streamed

METADATA = Metadata(id="cmpl-1", created=0, model="m")


class Translator(Protocol):
    def push(self, response: Any) -> Sequence[Any]: ...

    def finish(self) -> Sequence[Any]: ...


def chunks_of(translator: Translator, pushed: Sequence[Any]) -> list[Any]:
    chunks: list[Any] = []

    def translate() -> None:
        for one in pushed:
            chunks.extend(translator.push(one))
        chunks.extend(translator.finish())

    error = or_error(translate)
    return chunks if error is None else [*chunks, error]


def responses(given: dict[str, Any]) -> list[GenerateContentResponse]:
    return streamed(given.get("responses", []))


def continued(given: dict[str, Any]) -> dict[str, Any]:
    body = {"model": "gemini-2.5-flash", "prompt": "Say"} | given["request"]
    request = decode(msgspec.json.encode(body), CompletionRequest)
    model = find_model(request.model or "")
    made: dict[str, Any] = {
        "requests": completions.to_gemini(request, model, Defaults()),
        "ignored": completions.ignored_params(request, model),
    }
    if "responses" not in given:
        return made
    found, texts = responses(given), completions.prompts(request)
    before = texts if request.echo else [""] * len(texts)
    if given.get("stream"):
        options = request.stream_options
        translator = completions.CompletionTranslator(
            METADATA, before=before, include_usage=bool(options and options.include_usage)
        )
        numbers = given.get("numbers", [0] * len(found))
        made["stream"] = chunks_of(translator, list(zip(numbers, found, strict=True)))
    else:
        made["whole"] = or_error(lambda: completions.to_completion(found, METADATA, before=before))
    return made


def transcribed(given: dict[str, Any]) -> dict[str, Any]:
    fields = {"model": "gemini-2.5-flash"} | given.get("fields", {})
    request = msgspec.convert(fields, TranscriptionRequest, strict=False)
    model = find_model(request.model or "")
    name, content = given.get("file", ["a.mp3", "AAAA"])
    blob = transcriptions.to_blob(base64.b64decode(content), name, "")
    made: dict[str, Any] = {
        "request": transcriptions.to_gemini(request, model, blob, Defaults()),
        "ignored": transcriptions.ignored_params(request, model),
    }
    if "responses" in given:
        made["stream"] = chunks_of(transcriptions.Transcriber(), responses(given))
    return made


def checked(path: Path, config: pytest.Config, produce: Callable[[dict[str, Any]], Any]) -> None:
    check(path, config, lambda given: or_error(lambda: produce(given)))


@cases("completions")
def test_completions(path: Path, pytestconfig: pytest.Config) -> None:
    checked(path, pytestconfig, continued)


@cases("transcriptions")
def test_transcriptions(path: Path, pytestconfig: pytest.Config) -> None:
    checked(path, pytestconfig, transcribed)
