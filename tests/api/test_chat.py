"""`POST /v1/chat/completions`, over a socket, with the simulated Google behind it."""

from typing import Any

import httpx
import msgspec
import pytest

from tests.conftest import StartGateway
from tests.gateway import HELLO, events, text_of
from tests.simulators.google import Google
from tests.simulators.replies import Gate, answer, chunks, error, hold

PATH = "/v1/chat/completions"
SAID = 'Hello from the simulated Google! You said: "Hello!".'


def test_an_answer_in_one_piece(client: httpx.Client, google: Google) -> None:
    google.script(answer("Hi ", "there!", usage={"promptTokenCount": 4, "totalTokenCount": 7}))
    response = client.post(PATH, json=HELLO)
    body = response.json()
    assert body.pop("id").startswith("chatcmpl-")
    assert isinstance(body.pop("created"), int)
    assert body == {
        "object": "chat.completion",
        "model": "gemini-2.5-flash",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi there!", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": 4,
            "completion_tokens": 0,
            "total_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
    (call,) = google.calls("generate")
    assert (call.path, call.model) == ("/v1internal:generateContent", "gemini-2.5-flash")


def test_a_stream_byte_for_byte(client: httpx.Client, google: Google) -> None:
    google.script(answer("Hel", "lo"))
    response = client.post(PATH, json=HELLO | {"stream": True})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["x-upstream"] == "code_assist"
    first = msgspec.json.decode(response.content.split(b"\n")[0].removeprefix(b"data: "))
    head = '"id":"{id}","object":"chat.completion.chunk","created":{created},"model":"{model}"'
    head = head.format(**first)
    deltas = ['"role":"assistant","content":""', '"content":"Hel"', '"content":"lo"']
    expected = [
        f'{{{head},"choices":[{{"index":0,"delta":{{{delta}}},"finish_reason":null}}]}}'
        for delta in deltas
    ]
    expected += [
        f'{{{head},"choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}]}}',
        "[DONE]",
    ]
    assert response.text == "".join(f"data: {line}\n\n" for line in expected)
    (call,) = google.calls("generate")
    assert (call.path, call.query) == ("/v1internal:streamGenerateContent", {"alt": "sse"})


def test_events_of_one_read_leave_in_one_write(client: httpx.Client, google: Google) -> None:
    google.play("A18")  # fifty events in one write
    with client.stream("POST", PATH, json=HELLO | {"stream": True}) as response:
        reads = list(response.iter_raw())
    assert len(b"".join(reads).split(b"\n\n")) > 50
    assert len(reads) <= 3


def test_usage_is_the_last_chunk_when_it_was_asked_for(
    client: httpx.Client, google: Google
) -> None:
    google.script(answer("a", usage={"promptTokenCount": 3, "candidatesTokenCount": 1}))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    *before, last, done = events(client.post(PATH, json=HELLO | options))
    assert all(chunk["usage"] is None for chunk in before)
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 4)
    assert done == b"[DONE]"


@pytest.mark.parametrize(
    ("body", "headers", "streams"),
    [
        ({}, {}, False),
        ({"stream": None}, {}, False),
        ({"stream": False}, {"accept": "text/event-stream"}, False),
        ({}, {"accept": "text/event-stream"}, True),
        ({}, {"accept": "text/event-stream, application/json"}, False),
        ({"stream": True}, {"accept": "application/json"}, True),
    ],
)
def test_who_decides_whether_it_streams(
    body: dict[str, Any], headers: dict[str, str], *, streams: bool, client: httpx.Client
) -> None:
    response = client.post(PATH, json=HELLO | body, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream") == streams


def test_streaming_can_be_the_default(start_gateway: StartGateway) -> None:
    with start_gateway(stream_by_default=True).client() as client:
        assert text_of(events(client.post(PATH, json=HELLO))) == SAID
        assert client.post(PATH, json=HELLO | {"stream": False}).json()["object"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("google/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gemini-3.5-flash", "gemini-3-flash"),
        ("gemini-3-flash", "gemini-3-flash"),
        ("gemini-99-unheard-of", "gemini-99-unheard-of"),
    ],
)
def test_the_reply_repeats_the_name_that_was_asked_for(
    name: str, asked: str, client: httpx.Client, google: Google
) -> None:
    google.models.add("gemini-99-unheard-of")
    response = client.post(PATH, json=HELLO | {"model": name})
    assert response.json()["model"] == name
    assert google.calls("generate")[0].model == asked


def test_an_unknown_model_never_reaches_google(client: httpx.Client, google: Google) -> None:
    response = client.post(PATH, json=HELLO | {"model": "gpt-4o"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model_not_found")
    assert google.requests == []


def test_without_a_model_the_operator_decides(
    client: httpx.Client, start_gateway: StartGateway, google: Google
) -> None:
    messages = {"messages": HELLO["messages"]}
    error_ = client.post(PATH, json=messages).json()["error"]
    assert (error_["param"], error_["code"]) == ("model", "missing_required_parameter")
    with start_gateway(default_model="gemini-2.5-pro").client() as other:
        assert other.post(PATH, json=messages).json()["model"] == "gemini-2.5-pro"
    assert google.calls("generate")[0].model == "gemini-2.5-pro"


def test_what_cannot_be_honoured_is_named(
    client: httpx.Client, start_gateway: StartGateway
) -> None:
    body = HELLO | {"logit_bias": {"5": 1}, "presence_penalty": 1, "user": "u", "store": True}
    for streams in (False, True):
        response = client.post(PATH, json=body | {"stream": streams})
        assert response.headers["x-ignored-params"] == "logit_bias,presence_penalty"
    assert "x-ignored-params" not in client.post(PATH, json=HELLO).headers

    with start_gateway(strict_params=True).client() as strict:
        refused = strict.post(PATH, json=body)
        assert strict.post(PATH, json=HELLO).status_code == 200
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "unsupported_parameter"
    assert refused.json()["error"]["param"] == "logit_bias"


def test_each_choice_is_a_call_of_its_own(client: httpx.Client, google: Google) -> None:
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4}
    google.script(*(answer(text, usage=usage) for text in "abc"))
    body = client.post(PATH, json=HELLO | {"n": 3}).json()
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert {choice["message"]["content"] for choice in body["choices"]} == {"a", "b", "c"}
    assert body["usage"]["total_tokens"] == 12
    assert len(google.calls("generate")) == 3


def test_a_choice_that_fails_fails_the_request(client: httpx.Client, google: Google) -> None:
    never = Gate()
    google.script(hold(never, answer("a")), hold(never, answer("b")), error(403))
    response = client.post(PATH, json=HELLO | {"n": 3})
    assert response.json()["error"]["code"] == "permission_denied"
    held = [call for call in google.calls("generate") if not call.done.wait(0.1)]
    assert len(held) == 2
    assert all(call.left.wait(1) for call in held), "the others are given up"


def test_a_long_answer_is_not_cut_at_code_assists_own_limit(
    client: httpx.Client, google: Google
) -> None:
    client.post(PATH, json=HELLO)
    client.post(PATH, json=HELLO | {"max_tokens": 5})
    limits = [
        call.request["generationConfig"]["maxOutputTokens"] for call in google.calls("generate")
    ]
    assert limits == [65535, 5]


def test_noise_before_the_first_word_does_not_cost_the_status(
    client: httpx.Client, google: Google
) -> None:
    noise = {"usageMetadata": {"trafficType": "ON_DEMAND"}}
    google.script(chunks([noise], then=error(403)))
    response = client.post(PATH, json=HELLO | {"stream": True})
    assert (response.status_code, response.json()["error"]["code"]) == (403, "permission_denied")


def test_half_a_character_from_the_client_is_replaced(client: httpx.Client, google: Google) -> None:
    body = rb'{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"cut \ud83d"}]}'
    assert client.post(PATH, content=body).status_code == 200
    (call,) = google.calls("generate")
    assert call.request["contents"][0]["parts"] == [{"text": "cut \ufffd"}]
