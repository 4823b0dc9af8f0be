"""Synthetic thoughts, over a socket: beside the call, never before it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import pytest

from service.upstream import fake_thinking
from tests.conftest import StartGateway
from tests.gateway import HELLO, Gateway, events, text_of
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, answer, error, hold

PATH = "/v1/chat/completions"
STREAM: dict[str, Any] = HELLO | {"stream": True, "stream_options": {"include_usage": True}}
FIRST = "The request is: “Hello!” "
LAST = "here is the answer.\n\n"
TAGS = {"stream_thinking_as_content": True}
FIELDS = ("reasoning_content", "reasoning")
NEVER = 60.0  # seconds


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Gateway:
    return start_gateway(enable_fake_thinking=True)


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_thinking, "GRACE", 0.0)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing follow the first text by itself."""
    monkeypatch.setattr(fake_thinking, "PACE", NEVER)


def ask(gateway: Gateway, **differs: Any) -> httpx.Response:
    with gateway.client() as client:
        return client.post(PATH, json=STREAM | differs)


def ask_and(gateway: Gateway, when: str, do: Gate, **differs: Any) -> httpx.Response:
    """Read a stream; open the gate when these words have come."""
    with (
        gateway.client() as client,
        client.stream("POST", PATH, json=STREAM | differs) as response,
    ):
        content = b""
        for piece in response.iter_raw():
            content += piece
            if msgspec.json.encode(when)[1:-1] in content:
                do.open()
    return httpx.Response(response.status_code, headers=response.headers, content=content)


def said(response: httpx.Response, index: int = 0) -> dict[str, str]:
    """Return what the deltas of a choice add up to."""
    whole: dict[str, str] = {}
    for event in events(response)[:-1]:
        for choice in event.get("choices", []):
            if choice["index"] == index:
                for key, value in choice["delta"].items():
                    whole[key] = whole.get(key, "") + value
    whole.pop("role", None)
    return whole


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({}, FIELDS),
        ({"reasoning_field": "reasoning"}, ("reasoning",)),
        ({"reasoning_field": "reasoning_content"}, ("reasoning_content",)),
    ],
)
def test_they_fill_the_time_until_gemini_begins(
    start_gateway: StartGateway, google: Google, settings: dict[str, Any], fields: tuple[str, ...]
) -> None:
    go = Gate()
    google.script(hold(go, answer("Hi", " there")))
    response = ask_and(start_gateway(enable_fake_thinking=True, **settings), LAST, go)
    whole = said(response)
    assert whole.pop("content") == "Hi there"
    assert set(whole) == set(fields)
    for text in whole.values():
        assert text.startswith(FIRST)
        assert text.endswith(LAST)
    assert response.headers["x-upstream"] == "code_assist"


@pytest.mark.usefixtures("no_grace", "slow")
@pytest.mark.parametrize("tags", [False, True], ids=["fields", "tags"])
def test_those_that_come_too_late_are_dropped(
    start_gateway: StartGateway, google: Google, *, tags: bool
) -> None:
    go = Gate()
    google.script(hold(go, answer("Hi")))
    gateway = start_gateway(enable_fake_thinking=True, stream_thinking_as_content=tags)
    whole = said(ask_and(gateway, FIRST, go))
    if tags:
        assert whole == {"content": f"<thinking>{FIRST}</thinking>Hi"}
    else:
        assert whole == {"content": "Hi", **dict.fromkeys(FIELDS, FIRST)}


@pytest.mark.usefixtures("slow")
def test_an_answer_does_not_wait_for_them(
    gateway: Gateway, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_thinking, "GRACE", NEVER)
    google.script(answer("Hi"))
    assert said(ask(gateway)) == {"content": "Hi", **dict.fromkeys(FIELDS, FIRST)}


@pytest.mark.usefixtures("slow")
def test_a_call_closes_the_tag(start_gateway: StartGateway, google: Google) -> None:
    google.script(answer(parts=[{"functionCall": {"name": "f"}}]))
    tools = [{"type": "function", "function": {"name": "f"}}]
    response = ask(start_gateway(enable_fake_thinking=True, **TAGS), tools=tools)
    deltas = [c["delta"] for event in events(response)[:-1] for c in event["choices"]]
    assert [delta.get("content") for delta in deltas] == [
        "",
        f"<thinking>{FIRST}",
        "</thinking>",
        None,
        None,
    ]
    assert deltas[3]["tool_calls"]


@pytest.mark.usefixtures("slow")
def test_an_answer_without_words_closes_the_tag_and_stays_empty(
    start_gateway: StartGateway, google: Google
) -> None:
    google.script(answer(finish="OTHER"))
    response = ask(start_gateway(enable_fake_thinking=True, **TAGS))
    assert said(response) == {"content": f"<thinking>{FIRST}</thinking>"}
    reasons = [c["finish_reason"] for event in events(response)[:-1] for c in event["choices"]]
    assert reasons[-1] == "content_filter", "what nobody thought is no content"


def test_they_cost_nothing(gateway: Gateway, google: Google) -> None:
    google.script(answer("Hi"), answer("Hi"))
    usages = [
        events(ask(gateway, **differs))[-2]["usage"]
        for differs in ({}, {"include_reasoning": False})
    ]
    assert usages[0] == usages[1]
    assert usages[0]["completion_tokens_details"]["reasoning_tokens"] == 0


@pytest.mark.parametrize(
    "differs",
    [
        {"reasoning_effort": "none"},
        {"model": "gemini-2.5-pro", "reasoning_effort": "none"},
        {"model": "gemini-3-flash-preview", "reasoning_effort": "none"},
        {"reasoning_effort": "low"},
        {"include_reasoning": True},
        {"include_reasoning": False},
        {"reasoning": {"exclude": True}},
        {"google": {"thinking_config": {"include_thoughts": False}}},
        {"thinking": {"type": "disabled"}},
    ],
    ids=str,
)
def test_there_are_none_where_the_request_says_how_to_think(
    gateway: Gateway, google: Google, differs: dict[str, Any]
) -> None:
    google.script(answer("Hi"))
    assert said(ask(gateway, **differs)) == {"content": "Hi"}


@pytest.mark.parametrize(
    "settings",
    [{"enable_real_thinking": True}, {"reasoning_field": "none"}, {"enable_fake_thinking": False}],
    ids=str,
)
def test_there_are_none_where_the_operator_says_so(
    start_gateway: StartGateway, google: Google, settings: dict[str, Any]
) -> None:
    google.script(answer("Hi"))
    response = ask(start_gateway(**{"enable_fake_thinking": True} | settings))
    assert said(response) == {"content": "Hi"}


def test_a_json_reply_has_none(gateway: Gateway, google: Google) -> None:
    google.script(answer("Hi"))
    response = ask(gateway, stream=False, stream_options=None)
    assert response.json()["choices"][0]["message"] == {
        "role": "assistant",
        "content": "Hi",
        "refusal": None,
    }


@pytest.mark.usefixtures("slow")
def test_every_choice_has_its_own(gateway: Gateway, google: Google) -> None:
    google.script(answer("Hi"), answer("Hi"))
    response = ask(gateway, n=2)
    expected = {"content": "Hi", **dict.fromkeys(FIELDS, FIRST)}
    assert [said(response, index) for index in range(2)] == [expected, expected]


def test_a_refusal_at_once_has_its_real_status(
    gateway: Gateway, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_thinking, "GRACE", NEVER)
    google.script(error(403))
    response = ask(gateway)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "permission_denied"


@pytest.mark.usefixtures("no_grace", "slow")
def test_a_refusal_that_comes_later_is_an_event_after_the_tag_is_closed(
    start_gateway: StartGateway, google: Google
) -> None:
    go = Gate()
    google.script(hold(go, error(403)))
    response = ask_and(start_gateway(enable_fake_thinking=True, **TAGS), FIRST, go)
    assert text_of(events(response)) == f"<thinking>{FIRST}</thinking>"
    last, done = events(response)[-2:]
    assert (last["error"]["code"], done) == ("permission_denied", b"[DONE]")


@contextmanager
def reading(gateway: Gateway, until: bytes) -> Iterator[None]:
    """Read a stream so far; leave at the end of the block."""
    with gateway.client() as client, client.stream("POST", PATH, json=STREAM) as response:
        content = b""
        for piece in response.iter_raw():
            content += piece
            if until in content:
                yield
                return


@pytest.mark.usefixtures("no_grace")
def test_who_leaves_while_they_are_said_takes_the_call_along(
    gateway: Gateway, google: Google
) -> None:
    google.script(hold(Gate(), answer("never")))
    with reading(gateway, b"The request is"):
        (call,) = google.wait_for("generate")
    assert call.left.wait(5)


def test_who_leaves_in_mid_answer_takes_the_call_along(gateway: Gateway, google: Google) -> None:
    google.script(answer("Hi", Hold(Gate()), "never"))
    with reading(gateway, b'"content":"Hi"'):
        (call,) = google.wait_for("generate")
    assert call.left.wait(5)


def test_the_log_does_not_quote_the_user(
    gateway: Gateway, google: Google, caplog: pytest.LogCaptureFixture
) -> None:
    google.script(answer("Hi"))
    messages = [{"role": "user", "content": "Nobody else may read this."}]
    assert "Nobody else" in said(ask(gateway, messages=messages))["reasoning"]
    assert "Nobody else" not in str([vars(record) for record in caplog.records])
