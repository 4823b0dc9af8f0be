"""What one upstream refuses is left out for that one, and the client is told."""

from typing import Any

import msgspec
import pytest

from tests.conftest import StartGateway
from tests.faults.ways import settings_of_ways
from tests.gateway import HELLO, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import answer

PATH = "/v1/chat/completions"
MODEL = "gemini-2.5-flash"
NATIVE = f"/v1beta/models/{MODEL}:generateContent"
GREETING = {"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]}
METHOD = [
    {
        "category": "HARM_CATEGORY_HARASSMENT",
        "threshold": "BLOCK_NONE",
        "method": "SEVERITY",
    }
]
FIELDS = HELLO | {
    "model": MODEL,
    "safety_settings": METHOD,
    "logprobs": True,
    "top_logprobs": 3,
    "service_tier": "flex",
    "extra_body": {"google": {"cached_content": "cachedContents/1", "labels": {"team": "a"}}},
}
IGNORED = {
    "code_assist": [
        "google.cached_content",
        "logprobs",
        "safety_settings.method",
        "service_tier",
        "top_logprobs",
    ],
    "vertex": [],
    "gemini_api": ["google.labels", "logprobs", "safety_settings.method", "top_logprobs"],
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("upstream", "ignored"), IGNORED.items())
def test_it_is_named_in_the_header(
    upstream: str, ignored: list[str], start_gateway: StartGateway, google: Google, *, stream: bool
) -> None:
    google.strict = False
    gateway: Gateway = start_gateway(**settings_of_ways(google, upstreams=upstream))
    with gateway.client() as client:
        response = client.post(PATH, json=FIELDS | {"stream": stream, "logit_bias": {"1": 1}})
    assert response.headers["x-ignored-params"] == ",".join(sorted(["logit_bias", *ignored]))
    sent: dict[str, Any] = google.calls("generate")[0].request
    assert ("cachedContent" in sent) == (upstream != "code_assist")
    assert ("method" in sent["safetySettings"][0]) == (upstream == "vertex")
    assert sent.get("labels") == (None if upstream == "gemini_api" else {"team": "a"})
    assert sent.get("serviceTier") == (None if upstream == "code_assist" else "flex")
    logprobs = {"responseLogprobs", "logprobs"} & set(sent["generationConfig"])
    assert len(logprobs) == (2 if upstream == "vertex" else 0)


def tool(**one: Any) -> dict[str, Any]:
    return {"tools": [{"urlContext": {}, **one}]}


def part(**one: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "Hello!", **one}]}]}


def config(**one: Any) -> dict[str, Any]:
    return {"generationConfig": {"imageConfig": {"aspectRatio": "1:1", **one}}}


@pytest.mark.parametrize(
    ("upstream", "body", "name"),
    [
        ("gemini_api", tool(retrieval={}), "tools.retrieval"),
        ("gemini_api", tool(enterpriseWebSearch={}), "tools.enterpriseWebSearch"),
        ("gemini_api", tool(enterprise_web_search={}), "tools.enterpriseWebSearch"),
        ("gemini_api", tool(parallelAiSearch={}), "tools.parallelAiSearch"),
        ("gemini_api", tool(exaAiSearch={}), "tools.exaAiSearch"),
        (
            "gemini_api",
            tool(googleSearch={"excludeDomains": ["x.example"]}),
            "tools.googleSearch.excludeDomains",
        ),
        (
            "gemini_api",
            tool(google_search={"blocking_confidence": "HIGH"}),
            "tools.googleSearch.blockingConfidence",
        ),
        (
            "gemini_api",
            {"toolConfig": {"functionCallingConfig": {"streamFunctionCallArguments": True}}},
            "toolConfig.functionCallingConfig.streamFunctionCallArguments",
        ),
        (
            "gemini_api",
            part(functionCall={"name": "f", "willContinue": True}),
            "contents.parts.functionCall.willContinue",
        ),
        (
            "gemini_api",
            part(function_call={"name": "f", "partial_args": []}),
            "contents.parts.functionCall.partialArgs",
        ),
        (
            "gemini_api",
            config(outputMimeType="image/png"),
            "generationConfig.imageConfig.outputMimeType",
        ),
        (
            "gemini_api",
            config(personGeneration="ALLOW_ALL"),
            "generationConfig.imageConfig.personGeneration",
        ),
        ("vertex", tool(fileSearch={}), "tools.fileSearch"),
        ("vertex", part(partMetadata={"a": 1}), "contents.parts.partMetadata"),
        (
            "vertex",
            part(functionResponse={"name": "f", "response": {}, "willContinue": True}),
            "contents.parts.functionResponse.willContinue",
        ),
    ],
)
def test_googles_own_clients_are_told_too(
    upstream: str,
    body: dict[str, Any],
    name: str,
    start_gateway: StartGateway,
    google: Google,
) -> None:
    google.strict = False
    gone = name.rpartition(".")[2].lower().encode()
    with start_gateway(**settings_of_ways(google, upstreams=upstream)).client() as client:
        for method in ("generateContent", "countTokens"):
            response = client.post(NATIVE.replace("generateContent", method), json=GREETING | body)
            assert name in response.headers["x-ignored-params"].split(",")
            operation = "generate" if method == "generateContent" else method
            raw = google.calls(operation)[-1].raw
            assert gone not in raw.lower().replace(b"_", b"")
            assert b"urlContext" in raw or "tools" not in body


def test_a_tool_that_has_nothing_left_is_left_out_whole(
    start_gateway: StartGateway, google: Google
) -> None:
    asked: dict[str, Any] = GREETING | {"tools": [{"fileSearch": {}}, {"googleSearch": {}}]}
    with start_gateway(**settings_of_ways(google, upstreams="vertex")).client() as client:
        assert client.post(NATIVE, json=asked).headers["x-ignored-params"] == "tools.fileSearch"
    assert google.calls("generate")[0].request["tools"] == [{"googleSearch": {}}]


def test_what_is_only_said_in_a_text_stays(start_gateway: StartGateway, google: Google) -> None:
    text = '{"partMetadata": {}, "fileData": {"fileUri": "gs://b/a.png"}}'
    asked = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    with start_gateway(**settings_of_ways(google, upstreams="vertex")).client() as client:
        response = client.post(NATIVE, json=asked)
    assert (response.status_code, response.headers.get("x-ignored-params")) == (200, None)
    assert google.calls("generate")[0].request == asked


def test_an_option_of_a_search_in_openais_words(
    start_gateway: StartGateway, google: Google
) -> None:
    search = {"tools": [{"google_search": {"exclude_domains": ["x.example"]}}]}
    with start_gateway(**settings_of_ways(google, upstreams="gemini_api")).client() as client:
        response = client.post(PATH, json=HELLO | search)
    assert response.headers["x-ignored-params"] == "tools.google_search.exclude_domains"
    assert google.calls("generate")[0].request["tools"] == [{"googleSearch": {}}]


@pytest.mark.parametrize("name", ["maxOutputTokens", "max_output_tokens"])
@pytest.mark.parametrize(
    ("upstream", "limit"), [("code_assist", 65_535), ("vertex", 65_535), ("gemini_api", 65_536)]
)
def test_the_highest_limit_is_each_ways_own(
    upstream: str, limit: int, name: str, start_gateway: StartGateway, google: Google
) -> None:
    with start_gateway(**settings_of_ways(google, upstreams=upstream)).client() as client:
        for asked in (65_536, 65_536.0, "65536"):
            body = GREETING | {"generationConfig": {name: asked}}
            assert client.post(NATIVE, json=body).status_code == 200
            sent = google.calls("generate")[-1].request["generationConfig"]
            assert sent == {name: asked if upstream == "gemini_api" else limit}


@pytest.mark.parametrize("limit", ["many", True, [70_000], {}, 0], ids=repr)
@pytest.mark.parametrize("upstream", IGNORED)
def test_a_limit_that_is_none_is_for_google_to_refuse(
    upstream: str, limit: object, start_gateway: StartGateway, google: Google
) -> None:
    asked = GREETING | {"generationConfig": {"maxOutputTokens": limit}}
    with start_gateway(**settings_of_ways(google, upstreams=upstream)).client() as client:
        assert client.post(NATIVE, json=asked).status_code == 400


@pytest.mark.parametrize("upstream", IGNORED)
def test_the_shape_of_an_image(upstream: str, start_gateway: StartGateway, google: Google) -> None:
    google.models.add("gemini-2.5-flash-image")
    shape = {"model": "gemini-2.5-flash-image", "image_config": {"aspect_ratio": "16:9"}}
    with start_gateway(**settings_of_ways(google, upstreams=upstream)).client() as client:
        response = client.post(PATH, json=HELLO | shape)
    ignored = "image_config" if upstream == "code_assist" else None
    assert response.headers.get("x-ignored-params") == ignored
    sent = google.calls("generate")[0].request.get("generationConfig", {})
    assert sent.get("imageConfig") == (None if ignored else {"aspectRatio": "16:9"})


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_which_tier_served_the_request(
    start_gateway: StartGateway, google: Google, *, stream: bool
) -> None:
    usage = {"promptTokenCount": 1, "totalTokenCount": 1, "serviceTier": "flex"}
    google.script(answer("Hi", usage=usage))
    gateway = start_gateway(**settings_of_ways(google, upstreams="gemini_api"))
    asked = {"service_tier": "flex", "stream": stream}
    with gateway.client() as client:
        text = client.post(PATH, json=HELLO | asked).text
    assert '"service_tier":"flex"' in text


GS, FILE = "gs://b/a.png", "https://generativelanguage.googleapis.com/v1beta/files/a"
YOUTUBE = "https://youtu.be/x"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("urls", "upstreams", "by"),
    [
        ([GS], "gemini_api,vertex", "vertex"),
        ([GS], "gemini_api,code_assist,vertex", "code_assist"),
        ([FILE], "code_assist,vertex,gemini_api", "gemini_api"),
        ([YOUTUBE], "gemini_api,vertex", "gemini_api"),
        ([YOUTUBE, GS], "gemini_api,vertex", "vertex"),
        ([FILE], "code_assist,vertex", None),
        ([GS], "gemini_api", None),
        ([FILE, GS], "code_assist,vertex,gemini_api", None),
    ],
)
def test_a_file_is_read_by_the_first_way_that_can(
    urls: list[str],
    upstreams: str,
    by: str | None,
    start_gateway: StartGateway,
    google: Google,
    *,
    stream: bool,
) -> None:
    parts = [{"type": "file", "file": {"file_url": url, "format": "image/png"}} for url in urls]
    asked = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": parts}]}
    with start_gateway(**settings_of_ways(google, upstreams=upstreams)).client() as client:
        response = client.post(PATH, json=asked)
        native = [{"fileData": {"fileUri": url, "mimeType": "image/png"}} for url in urls]
        body = msgspec.json.encode({"contents": [{"role": "user", "parts": native}]})
        same = client.post(NATIVE, content=body.replace(b"/", rb"\/"))  # as PHP writes it
        counted = client.post(NATIVE.replace("generateContent", "countTokens"), content=body)
        assert client.post(PATH, json=HELLO).headers["x-upstream"] == upstreams.partition(",")[0]
    assert response.headers.get("x-upstream") == by
    assert same.headers.get("x-upstream") == by
    assert counted.headers.get("x-upstream") == by
    if by is None:
        assert (response.status_code, same.status_code) == (400, 400)
        param = f"messages[0].content[{len(urls) - 1}].file"
        assert response.json()["error"]["param"] == param
        assert same.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_strictly_it_is_refused_before_google_is_asked(
    start_gateway: StartGateway, google: Google, *, stream: bool
) -> None:
    ways = settings_of_ways(google, upstreams="gemini_api,code_assist")
    with start_gateway(**ways, strict_params=True).client() as client:
        response = client.post(PATH, json=HELLO | {"safety_settings": METHOD, "stream": stream})
        native = client.post(NATIVE, json=GREETING | {"safetySettings": METHOD})
    assert (response.status_code, native.status_code) == (400, 400)
    assert response.json()["error"]["param"] == "safety_settings.method"
    assert "safetySettings.method" in native.json()["error"]["message"]
    assert google.calls("generate") == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_strictly_a_way_that_takes_all_of_it_is_asked_instead(
    start_gateway: StartGateway, google: Google, *, stream: bool
) -> None:
    ways = settings_of_ways(google, upstreams="gemini_api,vertex")
    body = HELLO | {"safety_settings": METHOD, "stream": stream}
    with start_gateway(**ways, strict_params=True).client() as client:
        assert client.post(PATH, json=body).headers["x-upstream"] == "vertex"
        assert client.post(PATH, json=HELLO).headers["x-upstream"] == "gemini_api"
