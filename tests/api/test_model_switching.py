"""Names of the operator's own, models that stand in, and what the answer says of both."""

from typing import Any

import httpx
import pytest

from service.app import create_app
from service.settings import SettingsError, load
from tests.conftest import StartGateway
from tests.gateway import HELLO, AccessLog, Gateway, events, settings_for, text_of
from tests.simulators.calls import Call
from tests.simulators.generation import echo
from tests.simulators.google import Google
from tests.simulators.replies import error, page
from tests.simulators.wire import Reply

PATH = "/v1/chat/completions"
PRO = HELLO | {"model": "gemini-2.5-pro", "temperature": 0.5}


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Gateway:
    return start_gateway(
        enable_auto_model_switching=True, model_aliases="gpt-4o=gemini-2.5-pro, fast=gemini-4-argon"
    )


def closed(*models: str, by: Any) -> Any:
    """Refuse requests for these models."""

    def play(call: Call) -> Reply:
        return (by if call.recorded.model in models else echo)(call)

    return play


def said(response: httpx.Response) -> tuple[str, str]:
    """Return the model and the text, of a stream or of a whole answer."""
    if response.headers["content-type"] == "application/json":
        body = response.json()
        return body["model"], body["choices"][0]["message"]["content"]
    chunks = events(response)
    (model,) = {chunk["model"] for chunk in chunks if isinstance(chunk, dict)}
    return model, text_of(chunks)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("by", [error(429), error(503), page(404)], ids=["429", "503", "404"])
def test_the_next_model_stands_in_and_is_named(
    by: Any, n: int, gateway: Gateway, google: Google, access_log: AccessLog, *, stream: bool
) -> None:
    google.script(*[closed("gemini-2.5-pro", "gemini-2.5-flash", by=by)] * 20)
    with gateway.client() as client:
        response = client.post(PATH, json=PRO | {"stream": stream, "n": n})
    model, text = said(response)
    assert (response.status_code, model) == (200, "gemini-2.5-flash-lite")
    assert response.headers["x-model-fallback"] == "gemini-2.5-flash-lite"
    assert response.headers["x-upstream"] == "code_assist"
    assert "gemini" not in text.lower(), "nothing is written into the answer"
    line = access_log.wait_for(path=PATH)
    named = (line["model_asked"], line["model"], line["fallback"])
    assert named == ("gemini-2.5-pro", "gemini-2.5-flash-lite", True)


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent"])
def test_also_on_googles_own_paths(method: str, gateway: Gateway, google: Google) -> None:
    google.script(*[closed("gemini-2.5-pro", by=page(404))] * 2)
    body = {"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]}
    with gateway.client() as client:
        response = client.post(f"/v1beta/models/gemini-2.5-pro:{method}", json=body)
    assert response.status_code == 200
    assert response.headers["x-model-fallback"] == "gemini-2.5-flash"
    assert [call.model for call in google.calls("generate")][-1] == "gemini-2.5-flash"


def test_a_model_that_is_known_to_be_closed_is_not_asked_again(
    gateway: Gateway, google: Google
) -> None:
    google.script(*[closed("gemini-2.5-pro", by=page(404))] * 3)
    with gateway.client() as client:
        for _ in range(2):
            assert said(client.post(PATH, json=PRO))[0] == "gemini-2.5-flash"
    models = [call.model for call in google.calls("generate")]
    assert models == ["gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash"]


def test_the_request_is_put_into_the_other_models_dialect(gateway: Gateway, google: Google) -> None:
    names = ("gemini-4-hydrogen", "gemini-3.8-flash")
    google.script(*[closed(*names, by=page(404))] * 3)
    body = PRO | {"model": names[0], "reasoning_effort": "minimal"}
    with gateway.client() as client:
        response = client.post(PATH, json=body)
    assert response.headers["x-model-fallback"] == "gemini-3.5-flash"
    assert "x-ignored-params" not in response.headers, "this one takes a temperature"
    first, *_, last = [call.request["generationConfig"] for call in google.calls("generate")]
    assert "temperature" not in first
    assert last["temperature"] == 0.5


def test_when_no_model_is_open_the_error_is_that_of_the_one_that_was_asked_for(
    gateway: Gateway, google: Google
) -> None:
    family = ("gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite")
    google.script(*[closed(*family, by=page(404))] * 3)
    with gateway.client() as client:
        response = client.post(PATH, json=PRO)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model_not_found")
    assert [call.model for call in google.calls("generate")] == list(family)


@pytest.mark.parametrize("code", [400, 403])
def test_what_another_model_could_not_mend_is_told(
    code: int, gateway: Gateway, google: Google
) -> None:
    google.script(error(code))
    with gateway.client() as client:
        assert client.post(PATH, json=PRO).status_code == code
    assert len(google.calls("generate")) == 1


def test_without_the_setting_no_other_model_is_asked(one_gateway: Gateway, google: Google) -> None:
    google.script(page(404))
    with one_gateway.client() as client:
        assert client.post(PATH, json=PRO).status_code == 404
    assert len(google.calls("generate")) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_name_of_the_operators_is_answered_under_that_name(
    gateway: Gateway, google: Google, *, stream: bool
) -> None:
    with gateway.client() as client:
        response = client.post(PATH, json=HELLO | {"model": "gpt-4o", "stream": stream})
    assert said(response)[0] == "gpt-4o"
    assert "x-model-fallback" not in response.headers
    assert google.calls("generate")[0].model == "gemini-2.5-pro"


def test_the_model_list_has_the_operators_names(gateway: Gateway) -> None:
    with gateway.client() as client:
        ids = [model["id"] for model in client.get("/v1/models").json()["data"]]
        one = client.get("/v1/models/gpt-4o").json()
    assert ids[:2] == ["gpt-4o", "fast"]
    assert len(ids) == len(set(ids))
    assert (one["id"], one["thinking"]) == ("gpt-4o", "budget")


def test_a_name_for_nothing_stops_the_start(google: Google) -> None:
    with pytest.raises(SettingsError, match=r"MODEL_ALIASES.*'gpt-5'"):
        create_app(settings_for(google, model_aliases="gpt-4o=gpt-5"))


@pytest.mark.parametrize("value", ["gpt-4o", "=gemini-2.5-pro", "a=b=c", "a=b,c"])
def test_pairs_that_are_none_stop_the_start(value: str) -> None:
    with pytest.raises(SettingsError, match="MODEL_ALIASES must be pairs"):
        load({"MODEL_ALIASES": value})


def test_who_stands_in_is_asked_in_its_own_dialect(gateway: Gateway, google: Google) -> None:
    google.script(*[closed("gemini-2.5-pro", by=error(429))] * 4)
    with gateway.client() as client:
        response = client.post(PATH, json=PRO | {"thinking_budget": 0})
    assert response.headers["x-model-fallback"] == "gemini-2.5-flash"
    *_, pro, flash = (call.request for call in google.calls("generate"))
    budgets = [
        request["generationConfig"]["thinkingConfig"]["thinkingBudget"] for request in (pro, flash)
    ]
    assert budgets == [128, 0], "what one cannot do without, the other can"
