"""What one upstream refuses is left out for that one, and the client is told."""

from typing import Any

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
    "extra_body": {"google": {"cached_content": "cachedContents/1"}},
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
    "gemini_api": ["logprobs", "safety_settings.method", "top_logprobs"],
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
    assert sent.get("serviceTier") == (None if upstream == "code_assist" else "flex")
    logprobs = {"responseLogprobs", "logprobs"} & set(sent["generationConfig"])
    assert len(logprobs) == (2 if upstream == "vertex" else 0)


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
        same = client.post(NATIVE, json={"contents": [{"role": "user", "parts": native}]})
        assert client.post(PATH, json=HELLO).headers["x-upstream"] == upstreams.partition(",")[0]
    assert response.headers.get("x-upstream") == by
    assert same.headers.get("x-upstream") == by
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
