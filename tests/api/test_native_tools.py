"""Gemini's own tools over a socket: what the operator sets, what Google takes, what comes back."""

from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.gateway import HELLO, events, text_of
from tests.simulators.google import Google
from tests.simulators.replies import answer

PATH = "/v1/chat/completions"
FUNCTION = {"type": "function", "function": {"name": "f"}}
WORDS = "Øl er godt."
GROUNDED: dict[str, Any] = {
    "groundingMetadata": {
        "groundingChunks": [{"web": {"uri": "https://example.com/a", "title": "example.com"}}],
        "groundingSupports": [
            {"segment": {"endIndex": 12, "text": WORDS}, "groundingChunkIndices": [0]}
        ],
    }
}
CITATION = {
    "type": "url_citation",
    "url_citation": {
        "start_index": 0,
        "end_index": 11,
        "url": "https://example.com/a",
        "title": "example.com",
    },
}


ALL = {
    "enable_gemini_native_tools": True,
    "enable_google_search": True,
    "enable_url_context": True,
}
SEARCH: dict[str, Any] = {"web_search_options": {}}
BOTH = SEARCH | {"tools": [FUNCTION]}
NATIVE_FIRST = {"gemini_tools_priority": "native_first"}


@pytest.mark.parametrize(
    ("settings", "body", "expected"),
    [
        ({}, {}, ([], None)),
        (ALL | {"enable_gemini_native_tools": False}, {}, ([], None)),
        ({"enable_gemini_native_tools": True}, {}, ([], None)),
        (ALL, {}, (["googleSearch", "urlContext"], None)),
        ({}, SEARCH, (["googleSearch"], None)),
        ({"allow_request_tool_control": False}, SEARCH, ([], "web_search_options")),
        ({}, BOTH, (["functionDeclarations"], "web_search_options")),
        (NATIVE_FIRST, BOTH, (["googleSearch"], "tools")),
        (
            NATIVE_FIRST,
            BOTH | {"model": "gemini-3.5-flash"},
            (["functionDeclarations", "googleSearch"], None),
        ),
    ],
)
def test_google_gets_the_tools_that_stand_together(
    start_gateway: StartGateway,
    google: Google,
    settings: dict[str, Any],
    body: dict[str, Any],
    expected: tuple[list[str], str | None],
) -> None:
    google.script(answer("Hi"))
    with start_gateway(**settings).client() as client:
        response = client.post(PATH, json=HELLO | body)
    assert response.status_code == 200
    (call,) = google.calls("generate")
    tools = [name for tool in call.request.get("tools", []) for name in tool]
    assert (tools, response.headers.get("x-ignored-params")) == expected


def test_what_a_client_may_not_switch_on_is_refused_where_parameters_are_strict(
    start_gateway: StartGateway, google: Google
) -> None:
    strict = start_gateway(strict_params=True, allow_request_tool_control=False)
    with strict.client() as client:
        response = client.post(PATH, json=HELLO | SEARCH)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "web_search_options"
    assert google.calls("generate") == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("body", "content"),
    [
        ({}, f"{WORDS}[1](https://example.com/a) Ja."),
        ({"response_format": {"type": "json_object"}}, f"{WORDS} Ja."),
    ],
)
def test_sources_are_annotations_and_links_in_the_text(
    start_gateway: StartGateway,
    google: Google,
    body: dict[str, Any],
    content: str,
    *,
    stream: bool,
) -> None:
    """But no links in JSON, which they would spoil; and in a stream they stand at the end."""
    google.script(answer(WORDS, " Ja.", candidate=GROUNDED))
    with start_gateway(enable_inline_citations=True).client() as client:
        asked = HELLO | SEARCH | {"model": "gemini-3.5-flash", "stream": stream}
        response = client.post(PATH, json=asked | body)
    if not stream:
        message = response.json()["choices"][0]["message"]
        assert (message["content"], message["annotations"]) == (content, [CITATION])
        return
    chunks = events(response)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    assert [delta["annotations"] for delta in deltas if "annotations" in delta] == [[CITATION]]
    listed = "" if body else "\n\n- [1](https://example.com/a) example.com\n"
    assert text_of(chunks) == f"{WORDS} Ja.{listed}"
