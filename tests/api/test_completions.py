"""`POST /v1/completions`, over a socket, with the simulated Google behind it."""

from typing import Any

import httpx
import pytest

from tests.conftest import StartGateway
from tests.gateway import events
from tests.simulators.google import Google
from tests.simulators.replies import Gate, answer, error, hold, thought

PATH = "/v1/completions"
ASK: dict[str, Any] = {"model": "gemini-2.5-flash", "prompt": "Say this"}
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4}


def test_a_text_goes_on(client: httpx.Client, google: Google) -> None:
    google.script(answer(thought("Hm"), "is a", " test", usage=USAGE))
    options = {"max_tokens": 7, "stop": ["\n"], "temperature": 0, "top_p": 0.5, "seed": 1}
    response = client.post(PATH, json=ASK | options)
    body = response.json()
    assert body.pop("id").startswith("cmpl-")
    assert isinstance(body.pop("created"), int)
    usage = body.pop("usage")
    assert (usage["prompt_tokens"], usage["total_tokens"]) == (3, 4)
    choice = {"text": "is a test", "index": 0, "logprobs": None, "finish_reason": "stop"}
    assert body == {"object": "text_completion", "model": "gemini-2.5-flash", "choices": [choice]}
    assert response.headers["x-upstream"] == "code_assist"
    (call,) = google.calls("generate")
    assert call.request["contents"] == [{"role": "user", "parts": [{"text": "Say this"}]}]
    assert call.request["generationConfig"] == {
        "maxOutputTokens": 7,
        "stopSequences": ["\n"],
        "temperature": 0,
        "topP": 0.5,
        "seed": 1,
    }


def test_each_prompt_has_choices_of_its_own(client: httpx.Client, google: Google) -> None:
    gates = [Gate() for _ in range(4)]
    google.script(*(hold(gate, answer(f"{at}", usage=USAGE)) for at, gate in enumerate(gates)))
    google.listen(lambda _: gates[0].open() if len(google.calls("generate")) == 4 else None)
    for gate in gates[1:]:
        gate.open()
    body = client.post(PATH, json=ASK | {"prompt": ["one", "two"], "n": 2, "echo": True}).json()
    said = [call.request["contents"][0]["parts"][0]["text"] for call in google.calls("generate")]
    assert sorted(said) == ["one", "one", "two", "two"]
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2, 3]
    echoed = [choice["text"][:-1] for choice in body["choices"]]
    assert echoed == ["one", "one", "two", "two"]
    assert body["usage"]["total_tokens"] == 16


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("include_usage", [False, True])
def test_a_stream(client: httpx.Client, google: Google, *, echo: bool, include_usage: bool) -> None:
    google.script(answer(thought("Hm"), "is a", " test", usage=USAGE))
    options = {"stream": True, "stream_options": {"include_usage": include_usage}, "echo": echo}
    *found, done = events(client.post(PATH, json=ASK | options))
    assert done == b"[DONE]"
    if include_usage:
        last = found.pop()
        assert (last["choices"], last["usage"]["total_tokens"]) == ([], 4)
    assert all(("usage" in event) is include_usage for event in found)
    assert all(event["object"] == "text_completion" for event in found)
    assert len({(event["id"], event["created"], event["model"]) for event in found}) == 1
    choices = [choice for event in found for choice in event["choices"]]
    text = "is a test"
    assert "".join(choice["text"] for choice in choices) == ("Say this" if echo else "") + text
    assert [choice["finish_reason"] for choice in choices] == [None, None, "stop"]
    assert all(choice["logprobs"] is None for choice in choices)


def test_a_stream_of_several_prompts(client: httpx.Client, google: Google) -> None:
    google.script(*(answer(text, usage=USAGE) for text in "ab"))
    options = {"prompt": ["one ", "two "], "echo": True, "stream": True}
    *found, _ = events(client.post(PATH, json=ASK | options))
    texts = {0: "", 1: ""}
    ends = {}
    for event in found:
        (choice,) = event["choices"]
        texts[choice["index"]] += choice["text"]
        ends[choice["index"]] = choice["finish_reason"]
    assert [texts[0][:-1], texts[1][:-1]] == ["one ", "two "]
    assert ends == {0: "stop", 1: "stop"}


def test_an_echo_of_nothing_new(client: httpx.Client, google: Google) -> None:
    google.script(answer(finish="SAFETY"))
    *found, _ = events(client.post(PATH, json=ASK | {"echo": True, "stream": True}))
    (choice,) = found[-1]["choices"]
    assert (choice["text"], choice["finish_reason"]) == ("Say this", "content_filter")


def test_an_error_in_the_middle(client: httpx.Client, google: Google) -> None:
    google.script(answer("Hel", finish=None, then=error(503)))
    *_, failure, done = events(client.post(PATH, json=ASK | {"stream": True}))
    assert (failure["error"]["code"], done) == ("server_is_overloaded", b"[DONE]")


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_broke_off(client: httpx.Client, google: Google, *, stream: bool) -> None:
    google.script(answer("Hel", finish=None), answer("Hel", finish=None))
    response = client.post(PATH, json=ASK | {"stream": stream})
    if stream:
        assert events(response)[-2]["error"]["code"] == "upstream_truncated"
    else:
        assert (response.status_code, response.json()["error"]["code"]) == (
            502,
            "upstream_truncated",
        )


def test_what_gemini_cannot_give_is_named(
    client: httpx.Client, start_gateway: StartGateway
) -> None:
    options = {"best_of": 3, "n": 2, "logprobs": 5, "logit_bias": {"1": 1}, "user": "u"}
    response = client.post(PATH, json=ASK | options)
    assert response.headers["x-ignored-params"] == "best_of,logit_bias,logprobs"
    assert "x-ignored-params" not in client.post(PATH, json=ASK | {"best_of": 1}).headers
    with start_gateway(strict_params=True).client() as strict:
        assert strict.post(PATH, json=ASK | options).json()["error"]["param"] == "best_of"


def test_extensions_of_chat_count_here_too(start_gateway: StartGateway, google: Google) -> None:
    settings = {"enable_real_thinking": True, "gemini_moderation_harassment_threshold": "off"}
    with start_gateway(**settings).client() as client:
        client.post(PATH, json=ASK | {"reasoning_effort": "none"})
        client.post(PATH, json=ASK)
    first, second = google.calls("generate")
    assert first.request["generationConfig"]["thinkingConfig"] == {
        "thinkingBudget": 0,
        "includeThoughts": False,
    }
    assert "thinkingConfig" not in second.request["generationConfig"]
    assert first.request["safetySettings"] == [
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}
    ]


@pytest.mark.parametrize(
    ("differs", "param", "code"),
    [
        ({"prompt": [1, 2, 3]}, "prompt", "invalid_type"),
        ({"prompt": [[1, 2], [3]]}, "prompt", "invalid_type"),
        ({"prompt": ["one", 2]}, "prompt", "invalid_type"),
        ({"prompt": []}, "prompt", "empty_array"),
        ({"prompt": None}, "prompt", "missing_required_parameter"),
        ({"prompt": {}}, "prompt", "invalid_type"),
        ({"prompt": ["x"] * 129}, "prompt", "array_above_max_length"),
        ({"prompt": ["x"] * 20, "n": 8}, "prompt", "array_above_max_length"),
        ({"suffix": "the end"}, "suffix", "unsupported_parameter"),
        ({"n": 9}, "n", "integer_above_max_value"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"stop": list("abcdef")}, "stop", "array_above_max_length"),
        ({"model": None}, "model", "missing_required_parameter"),
        ({"model": "davinci-002"}, "model", "model_not_found"),
        ({"model": "gemini-2.5-pro-preview-tts"}, "model", "unsupported_value"),
    ],
)
def test_what_is_wrong_is_named(
    differs: dict[str, Any], param: str, code: str, client: httpx.Client, google: Google
) -> None:
    response = client.post(PATH, json=ASK | differs)
    assert response.status_code in (400, 404)
    found = response.json()["error"]
    assert (found["type"], found["param"], found["code"]) == ("invalid_request_error", param, code)
    assert google.requests == []


@pytest.mark.parametrize("differs", [{"prompt": ""}, {"suffix": ""}, {"suffix": None}])
def test_what_is_empty_is_absent(differs: dict[str, Any], client: httpx.Client) -> None:
    assert client.post(PATH, json=ASK | differs).status_code == 200
