"""Google's own API through the gateway, with Google's own SDK where that says enough."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from google import genai
from google.genai import errors, types
from google.genai.client import AsyncClient
from google.oauth2.credentials import Credentials

from tests.conftest import StartGateway
from tests.gateway import API_KEY, Gateway, settings_for
from tests.simulators.errors import retry_info
from tests.simulators.google import Google
from tests.simulators.replies import answer, chunks, error, function_call, thought
from tests.ways import by

# the SDK subclasses aiohttp.ClientSession, which aiohttp discourages
pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)

MODEL = "gemini-3-flash-preview"
WAYS = ("code_assist", "vertex", "gemini_api")
STREAMS = ("streamGenerateContent", "streamGenerateContent?alt=sse")
HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
NATIVE = f"/v1beta/models/{MODEL}"


def with_a_key(gateway: Gateway) -> genai.Client:
    return genai.Client(api_key=API_KEY, http_options=types.HttpOptions(base_url=gateway.url))


def as_vertex(gateway: Gateway) -> genai.Client:
    return genai.Client(
        vertexai=True,
        project="any",
        location="anywhere",
        credentials=Credentials(API_KEY),  # type: ignore[no-untyped-call]
        http_options=types.HttpOptions(base_url=gateway.url),
    )


def as_vertex_with_a_key(gateway: Gateway) -> genai.Client:
    options = types.HttpOptions(base_url=gateway.url)
    return genai.Client(vertexai=True, api_key=API_KEY, http_options=options)


MAKERS = {"developer": with_a_key, "vertex": as_vertex, "express": as_vertex_with_a_key}


@pytest.fixture(scope="module")
def gateways(one_google: Google) -> Iterator[dict[str, Gateway]]:
    started = {
        way: Gateway(settings_for(one_google, **by(one_google, way))).__enter__() for way in WAYS
    }
    yield started
    for gateway in started.values():
        gateway.__exit__()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def native(way: str, google: Google, gateways: dict[str, Gateway]) -> Gateway:
    del google  # so that nothing is scripted
    return gateways[way]


@pytest.fixture(params=MAKERS)
def sdk(request: pytest.FixtureRequest, native: Gateway) -> Iterator[genai.Client]:
    with MAKERS[request.param](native) as client:
        yield client


@pytest.fixture(params=["developer", "vertex"])
async def aio(request: pytest.FixtureRequest, native: Gateway) -> AsyncIterator[AsyncClient]:
    with MAKERS[request.param](native) as client:
        async with client.aio as aio:
            yield aio


def test_the_sdk_gets_an_answer(sdk: genai.Client, google: Google, way: str) -> None:
    got = sdk.models.generate_content(model=MODEL, contents="Hi there!")
    assert got.text == 'Hello from the simulated Google! You said: "Hi there!".'
    assert got.usage_metadata is not None
    assert got.usage_metadata.prompt_token_count == 2
    assert (got.model_version, bool(got.response_id)) == (MODEL, True)
    assert [call.upstream for call in google.calls("generate")] == [way]


def test_the_sdk_gets_a_stream(sdk: genai.Client, google: Google) -> None:
    google.script(answer(thought("Hm."), "Hel", "lo, ", "wörld"))
    got = list(sdk.models.generate_content_stream(model=MODEL, contents="Hi"))
    assert [chunk.text for chunk in got] == [None, "Hel", "lo, ", "wörld"]
    assert got[-1].usage_metadata is not None
    assert got[-1].usage_metadata.thoughts_token_count == 1


def test_the_sdk_counts_tokens(sdk: genai.Client) -> None:
    assert sdk.models.count_tokens(model=MODEL, contents="x" * 40).total_tokens == 10


def test_the_sdk_lists_models_and_gets_one(sdk: genai.Client) -> None:
    assert f"models/{MODEL}" in [
        (model.name or "")[-len(MODEL) - 7 :] for model in sdk.models.list()
    ]
    got = sdk.models.get(model=MODEL)
    assert ((got.name or "").endswith(f"models/{MODEL}"), got.display_name) == (
        True,
        "Gemini 3 Flash Preview",
    )


async def test_the_sdk_does_all_of_it_asynchronously(aio: AsyncClient, google: Google) -> None:
    google.script(answer("Hel", "lo"), answer("Hel", "lo"))
    assert (await aio.models.generate_content(model=MODEL, contents="Hi")).text == "Hello"
    stream = await aio.models.generate_content_stream(model=MODEL, contents="Hi")
    assert [chunk.text async for chunk in stream] == ["Hel", "lo"]
    assert (await aio.models.count_tokens(model=MODEL, contents="x" * 40)).total_tokens == 10


def test_the_sdk_has_a_tool_loop(sdk: genai.Client, google: Google) -> None:
    call = function_call("get_weather", {"city": "Oslo"}, id="c1", signature="c2lnbmVk")
    google.script(answer(call), answer("It rains."))
    schema = types.Schema(
        type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}
    )
    weather = types.FunctionDeclaration(
        name="get_weather", description="Weather now", parameters=schema
    )
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[weather])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    chat = sdk.chats.create(model=MODEL, config=config)
    first = chat.send_message("Weather in Oslo?")
    assert first.function_calls is not None
    assert first.function_calls[0].args == {"city": "Oslo"}
    response = types.FunctionResponse(
        id=first.function_calls[0].id, name="get_weather", response={"output": "rain"}
    )
    assert chat.send_message(types.Part(function_response=response)).text == "It rains."
    contents = google.calls("generate")[1].request["contents"]
    assert contents[1]["parts"][0]["thoughtSignature"] == "c2lnbmVk"


@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_is_the_sdks_own(sdk: genai.Client, google: Google, *, streamed: bool) -> None:
    google.script(error(403, message="No."))
    ask = sdk.models.generate_content_stream if streamed else sdk.models.generate_content
    with pytest.raises(errors.ClientError) as caught:
        list(ask(model=MODEL, contents="Hi"))
    assert (caught.value.code, caught.value.status) == (403, "PERMISSION_DENIED")
    assert caught.value.message == "No."


def test_an_error_in_mid_stream_is_the_sdks_own(sdk: genai.Client, google: Google) -> None:
    part = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hel"}]}}]}
    google.script(chunks([part], then=error(503, message="Full.")))
    stream = sdk.models.generate_content_stream(model=MODEL, contents="Hi")
    assert next(stream).text == "Hel"
    with pytest.raises(errors.APIError) as caught:
        next(stream)
    assert (caught.value.code, caught.value.message) == (503, "Full.")


# --- without the SDK


def ask(gateway: Gateway, method: str, body: Any = HI, path: str = NATIVE) -> httpx.Response:
    with gateway.client() as client:
        return client.post(f"{path}:{method}", json=body)


def error_of(response: httpx.Response) -> dict[str, Any]:
    """Return Google's error object: no other keys but details."""
    assert response.headers["content-type"].startswith("application/json")
    (told,) = response.json().values()
    assert set(told) - {"details"} == {"code", "message", "status"}
    assert told["code"] == response.status_code
    assert isinstance(told, dict)
    return told


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/models/{MODEL}",
        f"/v1beta/models/{MODEL}",
        f"/v1/projects/p/locations/l/publishers/google/models/{MODEL}",
        f"/v1beta1/projects/p/locations/l/publishers/google/models/{MODEL}",
        f"/v1beta1/publishers/google/models/{MODEL}",
    ],
)
def test_the_paths_of_both_of_googles_apis(path: str, gateway: Gateway) -> None:
    for method in ("generateContent", "streamGenerateContent", "countTokens"):
        response = ask(gateway, method, path=path)
        assert response.status_code == 200, response.text
        assert response.headers["x-upstream"] == "code_assist"


def test_what_is_only_passed_on_stays_as_it_came(
    google: Google, gateways: dict[str, Gateway]
) -> None:
    google.strict = False
    body = (
        b'{"contents": [{"parts": [{"text": "\\u00e9", "unheardOf": 1.50}], "role": "user"}],'
        b' "some_day": {"x": [1e2, 12345678901234567890123]}}'
    )
    for way in ("vertex", "gemini_api"):
        with gateways[way].client() as client:
            assert client.post(f"{NATIVE}:generateContent", content=body).status_code == 200
        sent = google.calls("generate")[-1].raw
        assert b'[{"parts": [{"text": "\\u00e9", "unheardOf": 1.50}], "role": "user"}]' in sent
        assert b'"some_day":{"x": [1e2, 12345678901234567890123]}' in sent


def test_an_answer_stays_as_it_came(google: Google, native: Gateway) -> None:
    part = {"text": "Hi", "unheardOf": {"a": 1}}
    response = {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
        "newField": [None, 1.5],
    }
    google.script(chunks([response]), chunks([response]))
    assert ask(native, "generateContent").json() == response
    assert ask(native, "streamGenerateContent").json() == [response]


def test_a_stream_is_an_array_unless_events_are_wanted(google: Google, native: Gateway) -> None:
    google.script(answer("Hel", "lo"), answer("Hel", "lo"))
    whole = ask(native, "streamGenerateContent")
    assert whole.headers["content-type"].startswith("application/json")
    events = ask(native, "streamGenerateContent?alt=sse")
    assert events.headers["content-type"].startswith("text/event-stream")
    blocks = events.content.split(b"\r\n\r\n")
    assert blocks.pop() == b"", "there is no [DONE]"
    found = [msgspec.json.decode(block.removeprefix(b"data: ")) for block in blocks]
    for items in (whole.json(), found):
        texts = [item["candidates"][0]["content"]["parts"][0]["text"] for item in items]
        assert texts == ["Hel", "lo"]


def test_an_array_that_breaks_ends_in_an_error(google: Google, native: Gateway) -> None:
    part = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hel"}]}}]}
    google.script(chunks([part], then=error(503, message="Full.")))
    first, last = ask(native, "streamGenerateContent").json()
    assert first["candidates"]
    assert last["error"] == {"code": 503, "message": "Full.", "status": "UNAVAILABLE"}


@pytest.mark.parametrize(
    ("way", "field", "left_out"),
    [
        ("gemini_api", {"labels": {"a": "b"}}, "labels"),
        ("vertex", {"store": True}, "store"),
        ("code_assist", {"cached_content": "cachedContents/x"}, "cachedContent"),
        ("code_assist", {"generationConfig": {"imageConfig": {}, "seed": 1}}, "imageConfig"),
        (
            "gemini_api",
            {
                "safetySettings": [
                    {
                        "category": "HARM_CATEGORY_HARASSMENT",
                        "threshold": "BLOCK_NONE",
                        "method": "SEVERITY",
                    }
                ]
            },
            "safetySettings.method",
        ),
    ],
)
def test_a_field_that_an_upstream_refuses_is_left_out_and_named(
    google: Google, gateways: dict[str, Gateway], way: str, field: dict[str, Any], left_out: str
) -> None:
    for method in ("generateContent", "streamGenerateContent"):
        response = ask(gateways[way], method, {**HI, **field})
        assert response.status_code == 200, response.text
        assert response.headers["x-ignored-params"].endswith(left_out)
        assert left_out.rpartition(".")[2].encode() not in google.calls("generate")[-1].raw
    if "generationConfig" in field:
        assert google.calls("generate")[0].request["generationConfig"]["seed"] == 1


def test_code_assist_is_told_the_models_own_limit(
    google: Google, gateways: dict[str, Gateway]
) -> None:
    """Its default is 8192, where both of the others have the model's."""
    for body, limit in ((HI, 65_535), ({**HI, "generation_config": {"maxOutputTokens": 7}}, 7)):
        assert ask(gateways["code_assist"], "generateContent", body).status_code == 200
        sent = google.calls("generate")[-1].request
        config = sent.get("generationConfig") or sent["generation_config"]
        assert config["maxOutputTokens"] == limit


@pytest.mark.parametrize("nested", [False, True], ids=["vertex", "developer"])
def test_both_forms_of_a_count_reach_every_upstream(native: Gateway, *, nested: bool) -> None:
    parts = [{"text": "x" * 40}, {"text": "y" * 40, "thought": True}]
    whole: dict[str, Any] = {
        "contents": [{"role": "user", "parts": parts}],
        "systemInstruction": {"parts": [{"text": "z" * 40}]},
    }
    body = {"generateContentRequest": {"model": f"models/{MODEL}", **whole}} if nested else whole
    response = ask(native, "countTokens", body)
    assert response.status_code == 200, response.text
    assert response.json()["totalTokens"] == 30
    assert "x-ignored-params" not in response.headers


@pytest.mark.parametrize("contents", ["null", '"Hi"', "{}", "7"])
def test_what_cannot_be_counted_is_refused(gateways: dict[str, Gateway], contents: str) -> None:
    with gateways["code_assist"].client() as client:
        body = f'{{"contents": {contents}, "systemInstruction": null}}'
        response = client.post(f"{NATIVE}:countTokens", content=body)
        absent = client.post(f"{NATIVE}:countTokens", json={**HI, "systemInstruction": None})
    if contents != "null":
        assert response.status_code == 400
        assert "contents" in error_of(response)["message"]
    assert response.status_code < 500
    assert absent.json() == {"totalTokens": 1}


def test_null_in_a_count_is_as_if_it_had_not_been_sent(native: Gateway) -> None:
    body = {**HI, "tools": None, "generateContentRequest": None}
    response = ask(native, "countTokens", body)
    assert (response.status_code, response.json().get("totalTokens")) == (200, 1), response.text
    assert "x-ignored-params" not in response.headers


NO_REASON = {
    "none": {"candidates": [{"content": {"parts": [{"text": "Hel"}]}}]},
    "unspecified": {
        "candidates": [
            {"content": {"parts": [{"text": "Hel"}]}, "finishReason": "FINISH_REASON_UNSPECIFIED"}
        ]
    },
    "feedback that blocks nothing": {
        "candidates": [{"content": {"parts": [{"text": "Hel"}]}}],
        "promptFeedback": {"safetyRatings": []},
    },
}


@pytest.mark.parametrize("method", ["generateContent", *STREAMS])
@pytest.mark.parametrize("cut", NO_REASON.values(), ids=NO_REASON)
def test_an_answer_that_does_not_say_why_it_ended_is_no_answer(
    google: Google, native: Gateway, method: str, cut: dict[str, Any]
) -> None:
    google.script(chunks([cut]), chunks([cut]))
    response = ask(native, method)
    assert "UNAVAILABLE" in response.text
    if method == "generateContent":
        assert response.status_code == 502
    else:
        assert "Hel" in response.text


def test_an_answer_that_was_blocked_is_one(google: Google, gateways: dict[str, Gateway]) -> None:
    blocked = chunks([{"promptFeedback": {"blockReason": "SAFETY"}}])
    for method in ("generateContent", *STREAMS):
        google.script(blocked)
        response = ask(gateways["vertex"], method)
        assert (response.status_code, "error" in response.text) == (200, False)


def test_what_code_assist_does_not_count_is_named(gateways: dict[str, Gateway]) -> None:
    tools = [{"functionDeclarations": [{"name": "f"}]}]
    response = ask(gateways["code_assist"], "countTokens", {**HI, "tools": tools})
    assert response.json() == {"totalTokens": 1}
    assert response.headers["x-ignored-params"] == "tools"


def test_another_way_is_asked_where_one_is_closed(
    google: Google, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(**by(google, *WAYS))
    google.script(error(403, message="No."), error(500), error(500))
    for method in ("generateContent", "streamGenerateContent?alt=sse"):
        response = ask(gateway, method)
        assert (response.status_code, response.headers["x-upstream"]) == (200, "gemini_api")


@pytest.mark.parametrize(
    ("key", "status"),
    [({"x-goog-api-key": API_KEY}, 200), ({"x-goog-api-key": "wrong-key-9"}, 401), ({}, 401)],
)
def test_the_key_is_ours(
    key: dict[str, str], status: int, stranger: httpx.Client, google: Google
) -> None:
    response = stranger.post(f"{NATIVE}:generateContent", json=HI, headers=key)
    assert response.status_code == status
    if status == 401:
        assert error_of(response)["status"] == "UNAUTHENTICATED"
        assert "wrong-key" not in response.text
        assert google.calls("generate") == []


def test_a_key_in_the_address_is_none(stranger: httpx.Client) -> None:
    """It would be in the logs of everything that the request comes through."""
    spelt = API_KEY.encode().hex("%")  # so that it is not in this test's own
    response = stranger.post(f"{NATIVE}:generateContent?key=%{spelt}", json=HI)
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "code", "status"),
    [
        (f"{NATIVE}:generateContent", b"[]", 400, "INVALID_ARGUMENT"),
        (f"{NATIVE}:generateContent", b"{", 400, "INVALID_ARGUMENT"),
        (f"{NATIVE}:dance", b"{}", 501, "UNIMPLEMENTED"),
        (NATIVE, b"{}", 404, "NOT_FOUND"),
        ("/v1beta/models/gpt-4o:generateContent", b"{}", 404, "NOT_FOUND"),
        ("/v1beta/models/gemini-embedding-001:generateContent", b"{}", 404, "NOT_FOUND"),
        ("/v1beta/nothing", b"{}", 404, "NOT_FOUND"),
        ("/v1/projects/p:generateContent", b"{}", 404, "NOT_FOUND"),
    ],
)
def test_what_is_refused_is_refused_in_googles_words(
    path: str, body: bytes, code: int, status: str, client: httpx.Client
) -> None:
    response = client.post(path, content=body)
    assert (response.status_code, error_of(response)["status"]) == (code, status)


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent", "countTokens"])
@pytest.mark.parametrize(
    ("part", "why"),
    [
        (b'"text":"\xff"', "invalid start byte"),
        (b'"text":"a","n":1e400', "out of range"),
        (b'"text":"a","n":[-1e400100]', "out of range"),
    ],
)
def test_what_nobody_could_read_is_not_passed_on(
    method: str, part: bytes, why: str, client: httpx.Client, google: Google
) -> None:
    body = b'{"contents":[{"parts":[{%b}]}]}' % part
    response = client.post(f"{NATIVE}:{method}", content=body)
    assert response.status_code == 400
    assert why in error_of(response)["message"]
    assert not google.calls("generate") + google.calls("countTokens")


def test_when_to_ask_again_is_said_where_googles_clients_look(
    google: Google, client: httpx.Client
) -> None:
    google.script(error(429, message="Slow down.", details=[retry_info("7s")]))
    response = client.post(f"{NATIVE}:generateContent", json=HI)
    told = error_of(response)
    assert (told["status"], told["message"]) == ("RESOURCE_EXHAUSTED", "Slow down.")
    assert told["details"][0]["retryDelay"] == "7s"
    assert response.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/nope",
        "/v1/publishers/google/models/nope",
        "/v1beta1/projects/p/locations/l/publishers/google/models/nope",
        "/v1beta1/projects/p/locations/l/publishers/google/models/nope/more",
    ],
)
def test_googles_clients_are_told_of_a_model_that_is_not_there(
    client: httpx.Client, path: str
) -> None:
    response = client.get(path, headers={"x-goog-api-client": "google-genai-sdk/1"})
    assert (response.status_code, error_of(response)["status"]) == (404, "NOT_FOUND")


def test_other_paths_keep_openais_words(client: httpx.Client) -> None:
    for method, path in (("GET", "/v1/models/nope"), ("DELETE", "/v1/models/x"), ("GET", "/v1/x")):
        (told,) = client.request(method, path).json().values()
        assert set(told) == {"message", "type", "param", "code"}
