"""The official OpenAI SDK for Python, sync and async, against the running server."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest

from tests.gateway import API_KEY, HELLO, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import Play, answer, error

SAID = 'Hello from the simulated Google! You said: "Hello!".'


@pytest.fixture
def sync(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=API_KEY, max_retries=0) as client:
        yield client


@pytest.fixture
async def asynchronous(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key=API_KEY, max_retries=0
    ) as client:
        yield client


def test_an_answer(sync: openai.OpenAI) -> None:
    completion = sync.chat.completions.create(**HELLO)
    assert completion.choices[0].message.content == SAID
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage
    assert completion.usage.total_tokens > 0
    assert completion._request_id
    assert completion._request_id.startswith("req_")


async def test_an_answer_async(asynchronous: openai.AsyncOpenAI) -> None:
    completion = await asynchronous.chat.completions.create(**HELLO)
    assert completion.choices[0].message.content == SAID


def test_a_stream(sync: openai.OpenAI) -> None:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}}
    stream: Any = sync.chat.completions.create(**HELLO, **options, stream=True)
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == SAID
    assert chunks[-1].usage
    assert chunks[-1].usage.total_tokens > 0


async def test_a_stream_async(asynchronous: openai.AsyncOpenAI) -> None:
    stream: Any = await asynchronous.chat.completions.create(**HELLO, stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == SAID


def test_the_stream_helper_which_is_the_strictest_reader(sync: openai.OpenAI) -> None:
    with sync.chat.completions.stream(**HELLO) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        completion = stream.get_final_completion()
    assert "".join(deltas) == SAID
    assert completion.choices[0].message.content == SAID
    assert completion.choices[0].message.role == "assistant"


async def test_the_stream_helper_async(asynchronous: openai.AsyncOpenAI) -> None:
    async with asynchronous.chat.completions.stream(**HELLO) as stream:
        completion = await stream.get_final_completion()
    assert completion.choices[0].message.content == SAID


def test_models(sync: openai.OpenAI) -> None:
    ids = [model.id for model in sync.models.list()]
    assert "gemini-2.5-flash" in ids
    assert sync.models.retrieve(ids[0]).id == ids[0]
    assert sync.models.retrieve("models/gemini-2.5-flash").owned_by == "google"


ERRORS: dict[str, tuple[type[openai.APIStatusError], str, list[Play]]] = {
    "400": (openai.BadRequestError, "invalid_argument", [error(400)]),
    "403": (openai.PermissionDeniedError, "permission_denied", [error(403)]),
    "404": (openai.NotFoundError, "model_not_found", [error(404)]),
    "429": (openai.RateLimitError, "rate_limit_exceeded", [error(429)] * 2),
    "500": (openai.InternalServerError, "server_error", [error(500)] * 2),
    "503": (openai.InternalServerError, "server_is_overloaded", [error(503)] * 2),
}
Expected = tuple[type[openai.APIStatusError], str, list[Play]]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("expected", ERRORS.values(), ids=list(ERRORS))
def test_an_error_is_its_own_class(
    expected: Expected, sync: openai.OpenAI, google: Google, *, stream: bool
) -> None:
    class_, code, replies = expected
    google.script(*replies)
    with pytest.raises(class_) as raised:
        sync.chat.completions.create(**HELLO, stream=stream)
    assert type(raised.value) is class_
    assert raised.value.code == code
    assert raised.value.request_id


@pytest.mark.parametrize("expected", ERRORS.values(), ids=list(ERRORS))
async def test_an_error_is_its_own_class_async(
    expected: Expected, asynchronous: openai.AsyncOpenAI, google: Google
) -> None:
    class_, code, replies = expected
    google.script(*replies)
    with pytest.raises(class_) as raised:
        await asynchronous.chat.completions.create(**HELLO)
    assert raised.value.code == code


def test_a_wrong_key(sync: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as raised:
        sync.with_options(api_key="wrong").chat.completions.create(**HELLO)
    assert raised.value.code == "invalid_api_key"


def test_a_wrong_request(sync: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        sync.chat.completions.create(**HELLO, temperature=3)
    assert raised.value.param == "temperature"


def test_an_error_in_mid_stream_is_raised(sync: openai.OpenAI, google: Google) -> None:
    google.script(answer("Hel", "lo", finish=None, then=error(503)))
    stream: Any = sync.chat.completions.create(**HELLO, stream=True)
    texts: list[str] = []
    with pytest.raises(openai.APIError) as raised:
        texts.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    assert "".join(texts) == "Hello"
    assert type(raised.value) is openai.APIError
    assert raised.value.code == "server_is_overloaded"


async def test_an_error_in_mid_stream_is_raised_async(
    asynchronous: openai.AsyncOpenAI, google: Google
) -> None:
    google.script(answer("Hello", finish=None, then=error(503)))
    stream: Any = await asynchronous.chat.completions.create(**HELLO, stream=True)
    with pytest.raises(openai.APIError) as raised:
        _ = [chunk async for chunk in stream]
    assert raised.value.code == "server_is_overloaded"


def test_the_sdks_own_retries_are_told_when_they_cannot_help(
    sync: openai.OpenAI, google: Google
) -> None:
    google.play("E22")  # the quota of a day
    with pytest.raises(openai.RateLimitError):
        sync.with_options(max_retries=2).chat.completions.create(**HELLO)
    assert len(google.calls("generate")) == 1
