"""Several choices in a stream, over a socket."""

import itertools
from typing import Any

import httpx
import pytest

from tests.conftest import StartGateway
from tests.gateway import HELLO, events
from tests.simulators.calls import Call
from tests.simulators.generation import echo
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, Reset, answer, chunks, error, hold
from tests.simulators.wire import Reply
from tests.ways import by

PATH = "/v1/chat/completions"
ASK = HELLO | {"n": 3, "stream": True}
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4}


def said(found: list[Any]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for event in found:
        for choice in event["choices"]:
            before = texts.get(choice["index"], "")
            texts[choice["index"]] = before + choice["delta"].get("content", "")
    return texts


@pytest.mark.parametrize("include_usage", [False, True])
def test_choices_are_streamed_side_by_side(
    client: httpx.Client, google: Google, *, include_usage: bool
) -> None:
    google.script(*(answer(text, text, usage=USAGE) for text in "abc"))
    options = {"stream_options": {"include_usage": include_usage}}
    *found, done = events(client.post(PATH, json=ASK | options))
    assert done == b"[DONE]"
    if include_usage:
        last = found.pop()
        assert (last["choices"], last["usage"]["total_tokens"]) == ([], 12)
    assert all(len(event["choices"]) == 1 for event in found)
    assert all(("usage" in event) is include_usage for event in found)
    assert len({(event["id"], event["created"], event["model"]) for event in found}) == 1
    roles = [event["choices"][0]["delta"].get("role") for event in found]
    assert roles == ["assistant"] * 3 + [None] * (len(found) - 3)
    assert [event["choices"][0]["index"] for event in found[:3]] == [0, 1, 2]
    ends = [event["choices"][0]["finish_reason"] for event in found]
    assert ends == [None] * (len(found) - 3) + ["stop"] * 3
    assert set(said(found).values()) == {"aa", "bb", "cc"}
    assert len(google.calls("generate")) == 3


def test_a_choice_does_not_wait_for_the_others(client: httpx.Client, google: Google) -> None:
    gate = Gate()
    google.script(answer("a", "a"), answer("b", "b"), answer("c", Hold(gate), "c"))
    with client.stream("POST", PATH, json=ASK) as response:
        reads = response.iter_bytes()
        early = b""
        while early.count(b'"content":"') < 3 + 5:  # three of them are the roles'
            early += next(reads)
        gate.open()
        rest = b"".join(reads)
    assert early.count(b'"content":"c"') == rest.count(b'"content":"c"') == 1
    assert rest.endswith(b"data: [DONE]\n\n")


def test_a_client_that_leaves_ends_every_call(client: httpx.Client, google: Google) -> None:
    never = Gate()
    google.script(*[answer("a", Hold(never), "b")] * 3)
    with client.stream("POST", PATH, json=ASK) as response:
        next(response.iter_bytes())
    calls = google.calls("generate")
    assert len(calls) == 3
    assert all(call.left.wait(2) for call in calls)


def test_a_choice_that_fails_before_the_first_byte_has_its_status(
    client: httpx.Client, google: Google
) -> None:
    never = Gate()
    google.script(hold(never, answer("a")), hold(never, answer("b")), error(403))
    response = client.post(PATH, json=ASK)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "permission_denied")
    held = [call for call in google.calls("generate") if not call.done.wait(0.1)]
    assert len(held) == 2
    assert all(call.left.wait(1) for call in held), "the others are given up"


def part(text: str, finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}}
    return {"candidates": [candidate | ({"finishReason": finish} if finish else {})]}


def test_a_choice_that_breaks_off_fails_the_stream(client: httpx.Client, google: Google) -> None:
    google.script(answer("a"), answer("b"), chunks([part("c")], then=Reset()))
    *found, last, done = events(client.post(PATH, json=ASK))
    assert done == b"[DONE]"
    assert last["error"]["code"] in {"upstream_unreachable", "upstream_truncated"}
    assert all(event["choices"][0]["finish_reason"] is None for event in found)


def test_a_choice_that_breaks_after_its_end_loses_nothing(
    client: httpx.Client, google: Google
) -> None:
    google.script(answer("a"), answer("b"), chunks([part("c", "STOP")], then=Reset()))
    *found, done = events(client.post(PATH, json=ASK))
    assert done == b"[DONE]"
    assert set(said(found).values()) == {"a", "b", "c"}
    assert found[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_each_way_that_gave_one_is_named(
    start_gateway: StartGateway, google: Google, *, stream: bool
) -> None:
    asked = itertools.count()

    def second_is_refused(call: Call) -> Reply:
        is_second = call.recorded.upstream == "gemini_api" and next(asked) == 1
        return (error(429) if is_second else echo)(call)

    google.script(*[second_is_refused] * 3)
    with start_gateway(**by(google, "gemini_api", "vertex")).client() as client:
        response = client.post(PATH, json=HELLO | {"n": 2, "stream": stream})
    assert response.status_code == 200
    assert set(response.headers["x-upstream"].split(",")) == {"gemini_api", "vertex"}
