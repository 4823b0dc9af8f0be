"""Requests of clients, from JSON to what Google would be sent: done, or refused as theirs."""

import json  # noqa: TID251  (writes what msgspec refuses to: NaN, lone surrogates)
import re
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import given

from service.api.asking import find_chat_model, find_embedding_model, find_image_model, model_asked
from service.api.defaults import defaults_of
from service.api.requests import decode
from service.errors import GatewayError
from service.models import MODELS, Model
from service.schemas.embeddings import EmbeddingRequest
from service.schemas.image_generations import ImageRequest
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_completions import CompletionRequest
from service.settings import Settings
from service.translation import completions
from service.translation.embeddings import to_embed_request
from service.translation.image_generations import ignored_image_params, to_gemini_image_request
from service.translation.kept_signatures import Keys, restored, unsigned
from service.translation.media_parts import to_fetch
from service.translation.request import ignored_params, to_gemini
from service.translation.speech import audio_format
from service.translation.structured import wants_json
from service.translation.thinking import shown_in
from service.translation.tool_calls import calling
from service.upstream.fields import fitted
from tests.api.test_any_body import ANYTHING, REQUESTS, changed, written
from tests.fuzz.attempts import UNHURRIED, attempt

UPSTREAMS = ("code_assist", "vertex", "gemini_api")
SETTINGS = st.builds(
    Settings,
    enable_real_thinking=st.booleans(),
    strict_params=st.booleans(),
    media_max_bytes=st.sampled_from([10, 14 * 1024 * 1024]),
    enable_gemini_native_tools=st.booleans(),
    enable_google_search=st.booleans(),
    enable_url_context=st.booleans(),
    gemini_tools_priority=st.sampled_from(["native_first", "custom_first"]),
    allow_request_tool_control=st.booleans(),
    stream_thinking_as_content=st.booleans(),
    gemini_moderation_harassment_threshold=st.sampled_from([None, "block_few"]),
)
CHAT_MODELS = st.sampled_from([model for model in MODELS if "embedding" not in model.outputs])

BODIES = st.one_of(
    changed().map(written),
    changed().map(lambda request: json.dumps(request).encode()),
    ANYTHING.map(written),
    st.binary(max_size=60),
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Make a good body with some bytes changed."""
    body = msgspec.json.encode(draw(st.sampled_from(REQUESTS)))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        cut = draw(st.integers(0, 6))
        piece = draw(
            st.one_of(
                st.binary(max_size=4),
                st.sampled_from(
                    [b"\\ud83d", b"1e400", b"NaN", b"-0", b"\xed\xa0\x80", b"{}", b"]"]
                ),
            )
        )
        body = body[:start] + piece + body[start + cut :]
    return body


def refused_as_theirs(translate: Callable[[], object]) -> None:
    """Translate; hold what is refused to be the client's fault, in words that can be sent."""
    asked = attempt(translate)
    if isinstance(asked, GatewayError):
        assert 400 <= asked.status < 500, asked
        assert asked.message
        asked = [asked.message, asked.param, asked.code]
    assert msgspec.json.decode(msgspec.json.encode(asked)) is not None


def chat(body: bytes, settings: Settings, model: Model | None) -> list[Any]:
    data = decode(body, ChatCompletionRequest)
    if model is None:
        _, model = model_asked(data.model, settings)
    defaults = defaults_of(settings)
    keys = Keys(b"owner", data.messages)
    found = {key: "QUFB" for step in unsigned(data.messages, keys) for key in step}
    data = restored(data, keys, found)
    shown_in(data, defaults)
    fetched = to_fetch(data.messages)
    assert all(isinstance(place, str) for place in fetched.values())
    request = to_gemini(data, model, defaults=defaults)
    ignored_params(data, model, defaults, strict=settings.strict_params)
    calling(data)
    audio_format(data, model, streams=bool(data.stream))
    wants_json(data)
    return [fitted(request, upstream).request for upstream in UPSTREAMS]


@UNHURRIED
@given(
    body=st.one_of(BODIES, spoiled()), settings=SETTINGS, model=st.one_of(st.none(), CHAT_MODELS)
)
def test_a_chat_completion(body: bytes, settings: Settings, model: Model | None) -> None:
    refused_as_theirs(lambda: chat(body, settings, model))


@UNHURRIED
@given(body=st.one_of(BODIES, spoiled()), settings=SETTINGS)
def test_a_completion(body: bytes, settings: Settings) -> None:
    def translate() -> list[Any]:
        data = decode(body, CompletionRequest)
        _, model = model_asked(data.model, settings)
        completions.prompts(data)
        completions.ignored_params(data, model)
        return list(completions.to_gemini(data, model, defaults_of(settings)))

    refused_as_theirs(translate)


@UNHURRIED
@given(body=st.one_of(BODIES, spoiled()))
def test_embeddings(body: bytes) -> None:
    def translate() -> object:
        data = decode(body, EmbeddingRequest)
        find_embedding_model(data.model)
        return to_embed_request(data)

    refused_as_theirs(translate)


@UNHURRIED
@given(body=st.one_of(BODIES, spoiled()))
def test_images(body: bytes) -> None:
    def translate() -> object:
        data = decode(body, ImageRequest)
        find_image_model(data.model)
        ignored_image_params(data)
        return to_gemini_image_request(data)

    refused_as_theirs(translate)


@UNHURRIED
@given(
    name=st.one_of(st.text(max_size=30), st.text("./:?#%@\\-_ aZ9", max_size=20)),
    before=st.sampled_from(["", "gemini-", "models/gemini-2.5-", "gemini-2.5-flash", "google/"]),
)
def test_the_name_of_a_model(name: str, before: str) -> None:
    model = attempt(lambda: find_chat_model(before + name))
    if isinstance(model, GatewayError):
        assert 400 <= model.status < 500
    else:  # it becomes a step of a path
        assert re.fullmatch(r"[\w.-]+", model.id, re.ASCII)
