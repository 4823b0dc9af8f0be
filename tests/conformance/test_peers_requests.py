"""The peers' cases of requests: odd roles, and how much to think."""

from typing import Any

import httpx
import pytest

from tests.gateway import HELLO
from tests.simulators.google import Google

PATH = "/v1/chat/completions"


def told_google(client: httpx.Client, google: Google, /, **body: Any) -> dict[str, Any]:
    response = client.post(PATH, json=HELLO | body)
    assert response.status_code == 200, response.text
    request: dict[str, Any] = google.calls("generate")[-1].body["request"]
    return request


def test_e12_role_oddities(client: httpx.Client, google: Google) -> None:
    messages = [
        {"role": "system", "content": "A"},
        {"role": "user", "content": "u"},
        {"role": "developer", "content": "B"},
        {"role": "assistant", "content": None},
        {"role": "user", "content": "v"},
        {"role": "assistant", "content": "{"},
    ]
    asked = told_google(client, google, messages=messages)
    assert asked["systemInstruction"]["parts"] == [{"text": "A"}, {"text": "B"}]
    user, prefill = asked["contents"][:2]
    assert user == {"role": "user", "parts": [{"text": "u"}, {"text": "v"}]}
    assert prefill == {"role": "model", "parts": [{"text": "{"}]}

    newer = told_google(client, google, messages=messages, model="gemini-3.8-flash")
    assert newer["contents"][1] == prefill, "never dropped"
    assert newer["contents"][2]["role"] == "user", "asks for the rest"


def test_e12_only_a_system_message(client: httpx.Client, google: Google) -> None:
    asked = told_google(client, google, messages=[{"role": "system", "content": "A"}])
    assert asked["contents"] == [{"role": "user", "parts": [{"text": "A"}]}]


@pytest.mark.parametrize(
    ("messages", "param"),
    [([], "messages"), ([*HELLO["messages"] * 3, {"role": "wizard"}], "messages[3].role")],
    ids=["empty", "unknown role"],
)
def test_e12_what_is_refused(messages: list[Any], param: str, client: httpx.Client) -> None:
    response = client.post(PATH, json=HELLO | {"messages": messages})
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("model", "efforts"),
    {
        "gemini-2.5-flash": {
            "none": 0,
            "minimal": 1024,
            "low": 1024,
            "medium": 8192,
            "high": 24576,
            "max": 24576,
        },
        "gemini-2.5-flash-lite": {"none": 0, "minimal": 1024},
        "gemini-2.5-pro": {"none": 128, "xhigh": 32768},
        "gemini-3-flash-preview": {"none": "MINIMAL", "low": "LOW", "high": "HIGH"},
        "gemini-3.1-pro-preview": {"none": "LOW", "minimal": "LOW", "medium": "MEDIUM"},
    }.items(),
)
def test_e13_reasoning_effort_by_family(
    model: str, efforts: dict[str, object], client: httpx.Client, google: Google
) -> None:
    for effort, expected in efforts.items():
        asked = told_google(client, google, model=model, reasoning_effort=effort)
        config = asked["generationConfig"]["thinkingConfig"]
        kind = "thinkingLevel" if isinstance(expected, str) else "thinkingBudget"
        assert {key for key in config if key != "includeThoughts"} == {kind}
        assert config[kind] == expected, effort
        assert config.get("includeThoughts") is (effort != "none"), effort
        assert "temperature" not in asked["generationConfig"]


@pytest.mark.parametrize("nested", [False, True], ids=["google", "extra_body.google"])
def test_e13_an_explicit_thinking_config_wins(
    client: httpx.Client, google: Google, *, nested: bool
) -> None:
    extra: dict[str, Any] = {"google": {"thinking_config": {"thinking_budget": 600}}}
    extra = {"extra_body": extra} if nested else extra
    asked = told_google(client, google, reasoning_effort="high", **extra)
    assert asked["generationConfig"]["thinkingConfig"]["thinkingBudget"] == 600


def test_e13_an_unknown_effort(client: httpx.Client) -> None:
    response = client.post(PATH, json=HELLO | {"reasoning_effort": "auto"})
    told = response.json()["error"]
    assert (response.status_code, told["param"]) == (400, "reasoning_effort")
    assert "'low'" in told["message"]
