"""Google's own SDK is the judge: it must not see a difference from Google."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from google import genai
from google.auth.compute_engine import Credentials as MachineCredentials
from google.genai import errors, types
from google.genai.client import AsyncClient
from google.oauth2.credentials import Credentials

from tests.simulators.asking import post_form
from tests.simulators.google import Google
from tests.simulators.replies import answer, chunks, error, function_call, thought
from tests.simulators.test_oauth import REFRESH

# the SDK subclasses aiohttp.ClientSession, which aiohttp discourages
pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)

MODEL = "gemini-3-flash-preview"
WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="get_weather",
            description="Weather now",
            parameters=types.Schema(
                type=types.Type.OBJECT,
                properties={"city": types.Schema(type=types.Type.STRING)},
                required=["city"],
            ),
        )
    ]
)


def developer_client(google: Google) -> genai.Client:
    return genai.Client(api_key="sim-api-key", http_options=types.HttpOptions(base_url=google.url))


def vertex_client(google: Google) -> genai.Client:
    token = post_form(google, "/token", **REFRESH).json["access_token"]
    return genai.Client(
        vertexai=True,
        project="sim-project",
        location="europe-west1",
        credentials=Credentials(token),  # type: ignore[no-untyped-call]
        http_options=types.HttpOptions(base_url=google.url),
    )


MAKERS = {"developer": developer_client, "vertex": vertex_client}


@pytest.fixture(scope="module")
def clients(one_google: Google) -> Iterator[dict[str, genai.Client]]:
    """Making a client takes the SDK an eighth of a second, so they are shared."""
    with developer_client(one_google) as developer, vertex_client(one_google) as vertex:
        yield {"developer": developer, "vertex": vertex}


@pytest.fixture(params=MAKERS)
def client(
    request: pytest.FixtureRequest, google: Google, clients: dict[str, genai.Client]
) -> genai.Client:
    del google  # so that nothing is scripted
    return clients[request.param]


@pytest.fixture(params=MAKERS)
async def aio(request: pytest.FixtureRequest, google: Google) -> AsyncIterator[AsyncClient]:
    with MAKERS[request.param](google) as client:
        async with client.aio as aio:
            yield aio


def test_a_unary_answer(client: genai.Client, google: Google) -> None:
    got = client.models.generate_content(model=MODEL, contents="Hi there!")

    assert got.text == 'Hello from the simulated Google! You said: "Hi there!".'
    assert got.candidates is not None
    assert got.candidates[0].finish_reason is types.FinishReason.STOP
    assert got.usage_metadata is not None
    assert got.usage_metadata.prompt_token_count == 2
    assert got.model_version == MODEL
    assert got.response_id
    (recorded,) = google.calls("generate")
    assert not recorded.stream


def test_a_stream(client: genai.Client, google: Google) -> None:
    google.script(answer("Hel", "lo, ", "wörld", candidate={"citationMetadata": {}}))

    got = list(client.models.generate_content_stream(model=MODEL, contents="Hi"))

    assert [chunk.text for chunk in got] == ["Hel", "lo, ", "wörld"]
    assert got[-1].usage_metadata is not None
    assert got[-1].usage_metadata.candidates_token_count == 3
    assert google.calls("generate")[0].server_sent_events


@pytest.mark.parametrize("model", ["gemini-sim-a17", "gemini-sim-a19", "gemini-sim-a11"])
def test_streams_that_are_cut_anywhere(client: genai.Client, model: str) -> None:
    got = "".join(
        chunk.text or ""
        for chunk in client.models.generate_content_stream(model=model, contents="Hi")
    )

    assert got in ("Hello", "a\u2028b\u2029c\x85d", "café!")


async def test_a_unary_answer_asynchronously(aio: AsyncClient) -> None:
    got = await aio.models.generate_content(model=MODEL, contents="Hi")

    assert got.text == 'Hello from the simulated Google! You said: "Hi".'


async def test_a_stream_asynchronously(aio: AsyncClient, google: Google) -> None:
    google.script(answer(thought("Hm."), "Hel", "lo"))

    stream = await aio.models.generate_content_stream(model=MODEL, contents="Hi")
    got = [chunk async for chunk in stream]

    assert [chunk.text for chunk in got] == [None, "Hel", "lo"]
    assert got[-1].usage_metadata is not None
    assert got[-1].usage_metadata.thoughts_token_count == 1


def test_counting(client: genai.Client) -> None:
    assert client.models.count_tokens(model=MODEL, contents="x" * 40).total_tokens == 10


async def test_counting_asynchronously(aio: AsyncClient) -> None:
    got = await aio.models.count_tokens(model=MODEL, contents="x" * 40)

    assert got.total_tokens == 10


def test_a_function_is_called_and_answered(client: genai.Client, google: Google) -> None:
    signature = b"signed"
    call = function_call("get_weather", {"city": "Oslo"}, id="c1", signature="c2lnbmVk")
    google.script(answer(call), answer("It rains."))
    config = types.GenerateContentConfig(
        tools=[WEATHER],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    chat = client.chats.create(model=MODEL, config=config)

    first = chat.send_message("Weather in Oslo?")
    assert first.function_calls is not None
    assert first.function_calls[0].args == {"city": "Oslo"}
    response = types.FunctionResponse(
        id=first.function_calls[0].id, name="get_weather", response={"output": "rain"}
    )
    second = chat.send_message(types.Part(function_response=response))

    assert second.text == "It rains."
    contents = google.calls("generate")[1].request["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    assert first.candidates is not None
    assert first.candidates[0].content is not None
    assert first.candidates[0].content.parts is not None
    assert first.candidates[0].content.parts[0].thought_signature == signature


def test_every_setting_that_the_sdk_knows_for_both(client: genai.Client) -> None:
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        max_output_tokens=100,
        stop_sequences=["END"],
        seed=7,
        response_mime_type="application/json",
        response_schema={"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}},
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory.HARM_CATEGORY_HARASSMENT,
                threshold=types.HarmBlockThreshold.BLOCK_NONE,
            )
        ],
        thinking_config=types.ThinkingConfig(
            include_thoughts=True, thinking_level=types.ThinkingLevel.LOW
        ),
    )
    image = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")

    got = client.models.generate_content(model=MODEL, contents=[image, "What?"], config=config)

    assert got.text is not None


@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_is_the_sdks_own(client: genai.Client, google: Google, *, streamed: bool) -> None:
    google.script(error(429, message="Slow down."))

    with pytest.raises(errors.ClientError) as caught:
        generate(client, "hi", streamed=streamed)
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert caught.value.message == "Slow down."


@pytest.mark.parametrize("streamed", [False, True])
def test_a_refusal_is_the_sdks_own_error(client: genai.Client, *, streamed: bool) -> None:
    with pytest.raises(errors.ClientError) as caught:
        generate(client, types.Content(role="user", parts=[types.Part()]), streamed=streamed)
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert caught.value.message


def test_an_error_inside_a_stream(client: genai.Client, google: Google) -> None:
    part = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hel"}]}}]}
    google.script(chunks([part], then=error(503)))

    stream = client.models.generate_content_stream(model=MODEL, contents="Hi")
    assert next(stream).text == "Hel"
    with pytest.raises(errors.ServerError) as caught:
        next(stream)
    assert caught.value.code == 503


def generate(client: genai.Client, contents: Any, *, streamed: bool) -> None:
    if streamed:
        list(client.models.generate_content_stream(model=MODEL, contents=contents))
    else:
        client.models.generate_content(model=MODEL, contents=contents)


def test_models_are_listed(google: Google, clients: dict[str, genai.Client]) -> None:
    pager = clients["developer"].models.list(config={"page_size": 5})
    names = [model.name for model in pager]

    assert f"models/{MODEL}" in names
    assert len(google.calls("models")) == -(-len(names) // 5)


def test_a_machine_gets_its_token_from_the_metadata_server(
    google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "google.auth.compute_engine._metadata._get_metadata_root",
        lambda *_args, **_more: f"{google.url}/computeMetadata/v1/",
    )
    with genai.Client(
        vertexai=True,
        project="sim-project",
        location="global",
        credentials=MachineCredentials(),  # type: ignore[no-untyped-call]
        http_options=types.HttpOptions(base_url=google.url),
    ) as client:
        assert client.models.generate_content(model=MODEL, contents="Hi").text

    assert google.calls("metadata")
