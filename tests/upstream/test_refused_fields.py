"""What Google's own clients may say to one of its APIs only, and the gateway leaves out elsewhere.

What each of them refuses is also what the simulated Google refuses, unless it is not strict.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.faults.ways import settings_of_ways
from tests.gateway import HELLO, Gateway, settings_for
from tests.simulators.google import Google

Json = dict[str, Any]

MODEL = "gemini-3-flash-preview"
NATIVE = f"/v1beta/models/{MODEL}"
UPSTREAMS = ("code_assist", "vertex", "gemini_api")
HI: Json = {"role": "user", "parts": [{"text": "Hi"}]}
FUNCTION = {"functionDeclarations": [{"name": "f"}]}


@pytest.fixture(scope="module")
def gateways(one_google: Google) -> Iterator[dict[str, Gateway]]:
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                Gateway(settings_for(one_google, **settings_of_ways(one_google, upstreams=name)))
            )
            for name in UPSTREAMS
        }


def content(**fields: Any) -> Json:
    return {"contents": [HI, {"role": "user", "parts": [{"text": "Hi", **fields}]}]}


def called(call: Json, result: Json) -> Json:
    """Return a conversation with these fields in a function's call and in its response.

    The arguments have names that mean something elsewhere only.
    """
    call = {"name": "f", "args": {"willContinue": 1, "partialArgs": 1}, **call}
    result = {"name": "f", "response": {"will_continue": 1, "partMetadata": 1}, **result}
    signed = {"functionCall": call, "thoughtSignature": "c2lnbmVk"}
    return {
        "contents": [
            HI,
            {"role": "model", "parts": [signed]},
            {"role": "user", "parts": [{"functionResponse": result}]},
        ]
    }


def tool(**fields: Any) -> Json:
    return {"tools": [{"urlContext": {}}, fields]}


NO_TOOL: Json = {"tools": [{"urlContext": {}}]}
CALLS = {"tools": [FUNCTION], "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}}
STREAMED_CALLS = {
    "tools": [FUNCTION],
    "tool_config": {"functionCallingConfig": {"mode": "AUTO", "streamFunctionCallArguments": True}},
}
#: Who takes it, its name, what is sent, and what goes to the others.
LEFT_OUT: list[tuple[str, str, Json, Json]] = [
    ("gemini_api", "contents.parts.partMetadata", content(partMetadata={"a": 1}), content()),
    (
        "gemini_api",
        "contents.parts.functionResponse.willContinue",
        called({}, {"willContinue": True}),
        called({}, {}),
    ),
    (
        "vertex",
        "contents.parts.functionCall.willContinue",
        called({"will_continue": True}, {}),
        called({}, {}),
    ),
    (
        "vertex",
        "contents.parts.functionCall.partialArgs",
        called({"partialArgs": [{"jsonPath": "$.a"}]}, {}),
        called({}, {}),
    ),
    ("gemini_api", "tools.fileSearch", tool(fileSearch={"a": 1}), NO_TOOL),
    ("vertex", "tools.retrieval", tool(retrieval={"a": 1}), NO_TOOL),
    ("vertex", "tools.parallelAiSearch", tool(parallelAiSearch={}), NO_TOOL),
    ("vertex", "tools.exaAiSearch", tool(exa_ai_search={}), NO_TOOL),
    (
        "vertex",
        "tools.enterpriseWebSearch",
        tool(enterpriseWebSearch={}, googleSearch={}),
        tool(googleSearch={}),
    ),
    (
        "vertex",
        "tools.googleSearch.excludeDomains",
        tool(googleSearch={"excludeDomains": ["a.example"]}),
        tool(googleSearch={}),
    ),
    (
        "vertex",
        "tools.googleSearch.blockingConfidence",
        tool(google_search={"blocking_confidence": "BLOCK_LOW"}),
        tool(google_search={}),
    ),
    (
        "vertex",
        "toolConfig.functionCallingConfig.streamFunctionCallArguments",
        STREAMED_CALLS,
        {"tool_config": CALLS["toolConfig"]},
    ),
]


ROWS = pytest.mark.parametrize("row", LEFT_OUT, ids=[row[1] for row in LEFT_OUT])


@ROWS
@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_only_who_takes_it_gets_it(
    row: tuple[str, str, Json, Json], upstream: str, gateways: dict[str, Gateway], google: Google
) -> None:
    takes, name, sent, instead = row
    google.strict = False
    with gateways[upstream].client() as client:
        response = client.post(f"{NATIVE}:generateContent", json={"contents": [HI]} | sent)
    is_taken = upstream == takes
    assert response.headers.get("x-ignored-params") == (None if is_taken else name)
    wanted = sent if is_taken else instead
    got = google.calls("generate")[0].request
    assert {key: got[key] for key in wanted} == wanted


@ROWS
@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_nobody_refuses_what_is_left(
    row: tuple[str, str, Json, Json], upstream: str, gateways: dict[str, Gateway], google: Google
) -> None:
    del google
    body = {"contents": [HI], "tools": [FUNCTION], **row[2]}
    with gateways[upstream].client() as client:
        for method in ("generateContent", "countTokens"):
            response = client.post(f"{NATIVE}:{method}", json=body)
            assert response.status_code == 200, response.text


@pytest.mark.parametrize("key", ["exclude_domains", "excludeDomains"])
@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_the_options_of_a_search_that_a_client_of_openais_asks_for(
    upstream: str, key: str, gateways: dict[str, Gateway], google: Google
) -> None:
    options = {"googleSearch" if key == "excludeDomains" else "google_search": {key: ["a.example"]}}
    with gateways[upstream].client() as client:
        response = client.post("/v1/chat/completions", json=HELLO | {"tools": [options]})
    assert response.status_code == 200, response.text
    is_taken = upstream == "vertex"
    ignored = None if is_taken else "tools.google_search.exclude_domains"
    assert response.headers.get("x-ignored-params") == ignored
    (sent,) = google.calls("generate")[0].request["tools"]
    assert sent == {"googleSearch": {key: ["a.example"]} if is_taken else {}}
