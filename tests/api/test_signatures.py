"""Thought signatures of clients that drop them, over a socket; the simulated Google wants them."""

import re
import socket
from collections.abc import Iterator
from time import monotonic
from typing import Any

import httpx
import pytest

from service.settings import Secret
from service.signatures import shared
from service.signatures.firestore import FirestoreSignatures
from tests.conftest import StartGateway
from tests.firestore_emulator import FirestoreEmulator
from tests.gateway import AccessLog, Gateway, events
from tests.simulators.google import Google
from tests.simulators.replies import Gate, answer, error, function_call

PATH = "/v1/chat/completions"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
QUESTION: dict[str, Any] = {"role": "user", "content": "Weather?"}
BYPASS = "skip_thought_signature_validator"
ONE, TWO = "b25lb25l", "dHdvdHdv"
FIRESTORE: dict[str, Any] = {"token_cache": "firestore", "google_cloud_project": "sim-project"}


def asked(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    model = "gemini-3-flash-preview"
    return {"model": model, "tools": [WEATHER], "messages": [QUESTION, *messages], **more}


def calls_in(response: httpx.Response, index: int = 0) -> list[dict[str, Any]]:
    """Return the calls of a choice as a client keeps them that knows OpenAI's fields only."""
    assert response.status_code == 200, response.text
    if response.headers["content-type"] == "application/json":
        made = response.json()["choices"][index]["message"]["tool_calls"]
    else:
        choices = [choice for event in events(response)[:-1] for choice in event["choices"]]
        deltas = [choice["delta"] for choice in choices if choice["index"] == index]
        made = [call for delta in deltas for call in delta.get("tool_calls") or []]
    return [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["function"]["name"], "arguments": '{ "city" : "Oslo" }'},
        }
        for call in made
    ]


def step(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages with which a client goes on."""
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "rain"} for call in calls]
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *results]


def sent(google: Google) -> list[str | None]:
    """Return the signatures of the calls in what Google got last."""
    contents = google.calls("generate")[-1].request["contents"]
    parts = [part for content in contents for part in content["parts"]]
    return [part.get("thoughtSignature") for part in parts if "functionCall" in part]


def weather(signature: str = "", id_: str | None = None) -> dict[str, Any]:
    return function_call("weather", {"city": "Oslo"}, signature=signature, id=id_)


STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@STREAMED
@pytest.mark.parametrize("id_", [None, "c1"], ids=["our id", "gemini's id"])
def test_e5_a_turn_of_two_steps_where_only_id_type_and_function_come_back(
    client: httpx.Client, google: Google, id_: str | None, *, stream: bool
) -> None:
    google.script(
        answer(parts=[weather(ONE, id_), weather()]), answer(parts=[weather(TWO)]), answer("Rain.")
    )
    first = calls_in(client.post(PATH, json=asked(stream=stream)))
    conversation = step(first)
    second = calls_in(client.post(PATH, json=asked(*conversation, stream=stream)))
    assert sent(google) == [ONE, None]
    conversation += step(second)
    last = client.post(PATH, json=asked(*conversation, stream=stream))
    assert last.status_code == 200
    assert sent(google) == [ONE, None, TWO]


@STREAMED
def test_each_choice_has_its_own(client: httpx.Client, google: Google, *, stream: bool) -> None:
    google.script(answer(parts=[weather(ONE)]), answer(parts=[weather(TWO)]))
    response = client.post(PATH, json=asked(stream=stream, n=2))
    found = []
    for index in range(2):
        google.script(answer("Rain."))
        client.post(PATH, json=asked(*step(calls_in(response, index))))
        found += sent(google)
    assert sorted(map(str, found)) == [ONE, TWO]


def test_all_of_an_answer_are_kept_however_they_come(client: httpx.Client, google: Google) -> None:
    google.script(answer([weather(ONE)], [weather(TWO)]), answer("Rain."))
    calls = calls_in(client.post(PATH, json=asked(stream=True)))
    client.post(PATH, json=asked(*step(calls)))
    assert sent(google) == [ONE, TWO]


def test_a_short_id_means_nothing_in_another_conversation(
    client: httpx.Client, google: Google
) -> None:
    google.script(answer(parts=[weather(ONE, "c1")]), answer("Rain."))
    calls = calls_in(client.post(PATH, json=asked()))
    other = asked(*step(calls))
    other["messages"][0] = {"role": "user", "content": "Is it raining?"}
    assert client.post(PATH, json=other).status_code == 200
    assert sent(google) == [BYPASS]


def test_nobody_gets_what_is_anothers(start_gateway: StartGateway, google: Google) -> None:
    gateway = start_gateway(openai_api_key=Secret("sk-one,sk-two"))
    google.script(answer(parts=[weather(ONE)]), answer("Rain."), answer("Rain."))
    with gateway.client("sk-one") as one, gateway.client("sk-two") as two:
        conversation = step(calls_in(one.post(PATH, json=asked())))
        two.post(PATH, json=asked(*conversation))
        assert sent(google) == [BYPASS]
        one.post(PATH, json=asked(*conversation))
        assert sent(google) == [ONE]


def test_our_ids_are_short_enough_for_everyone(client: httpx.Client, google: Google) -> None:
    google.script(answer(parts=[weather(), weather(id_="not sane!"), weather(id_="x" * 65)]))
    ids = [call["id"] for call in calls_in(client.post(PATH, json=asked()))]
    assert len(set(ids)) == 3
    assert all(re.fullmatch(r"call_[A-Za-z0-9_-]{24,35}", id_) for id_ in ids)


def test_an_old_function_call_has_no_id_to_keep_it_by(client: httpx.Client, google: Google) -> None:
    google.script(answer(parts=[weather(ONE)]), answer("Rain."))
    request = asked(functions=[WEATHER["function"]])
    del request["tools"]
    message = client.post(PATH, json=request).json()["choices"][0]["message"]
    request["messages"] += [
        {"role": "assistant", "content": None, "function_call": message["function_call"]},
        {"role": "function", "name": "weather", "content": "rain"},
    ]
    assert client.post(PATH, json=request).status_code == 200
    assert sent(google) == [BYPASS]


def test_older_models_get_theirs_back_and_no_bypass_value(
    client: httpx.Client, google: Google
) -> None:
    google.script(answer(parts=[weather(ONE)]), answer("Rain."), answer("Rain."))
    older = {"model": "gemini-2.5-flash"}
    calls = calls_in(client.post(PATH, json=asked() | older))
    client.post(PATH, json=asked(*step(calls)) | older)
    assert sent(google) == [ONE]
    calls[0]["id"] = "call_of_somebody_else"
    client.post(PATH, json=asked(*step(calls)) | older)
    assert sent(google) == [None]


@STREAMED
def test_a_signature_that_google_refuses_is_bypassed(
    client: httpx.Client, google: Google, *, stream: bool
) -> None:
    google.script(error(400, message="Thought signature is not valid."), answer("Rain."))
    (call,) = step([{"id": "c", "type": "function", "function": {"name": "weather"}}])[:1]
    call["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": ONE}}
    conversation = [call, {"role": "tool", "tool_call_id": "c", "content": "rain"}]
    assert client.post(PATH, json=asked(*conversation, stream=stream)).status_code == 200
    assert sent(google) == [BYPASS]
    assert len(google.calls("generate")) == 2


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the emulator as long as it takes: a Java program that has just begun."""
    monkeypatch.setattr(shared, "READ_SECONDS", 5.0)


@STREAMED
@pytest.mark.usefixtures("patient", "firestore")
def test_what_one_instance_called_is_answered_through_another(
    start_gateway: StartGateway, google: Google, access_log: AccessLog, *, stream: bool
) -> None:
    google.script(answer(parts=[weather(ONE), weather()]), answer("Rain."))
    one, other = start_gateway(**FIRESTORE), start_gateway(**FIRESTORE)
    with one.client() as client:
        calls = calls_in(client.post(PATH, json=asked(stream=stream)))
    access_log.wait_for(path=PATH)  # the request ends when the signature has been written
    with other.client() as client:
        assert client.post(PATH, json=asked(*step(calls))).status_code == 200
    assert sent(google) == [ONE, None]


def go_on(gateway: Gateway, conversation: list[dict[str, Any]]) -> float:
    """Return the seconds that the answer took."""
    with gateway.client() as client:
        client.get("/health")
        began = monotonic()
        assert client.post(PATH, json=asked(*conversation)).status_code == 200
        return monotonic() - began


FOREIGN = step([{"id": "x", "type": "function", "function": {"name": "weather"}}])


def test_firestore_may_be_away(
    start_gateway: StartGateway, firestore: FirestoreEmulator, google: Google
) -> None:
    gateway = start_gateway(**FIRESTORE)
    google.script(answer("Hello."), answer(parts=[weather(ONE)]), answer("Rain."))
    go_on(gateway, FOREIGN)
    firestore.stop()
    with gateway.client() as client:
        calls = calls_in(client.post(PATH, json=asked()))
    go_on(gateway, step(calls))
    assert sent(google) == [ONE], "the instance's own memory has it"
    go_on(gateway, FOREIGN)
    assert sent(google) == [BYPASS]


@pytest.fixture
def silent_firestore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"{host}:{port}")
        yield


@pytest.mark.usefixtures("silent_firestore")
def test_firestore_may_be_silent(
    start_gateway: StartGateway, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "READ_SECONDS", 0.05)
    gateway = start_gateway(**FIRESTORE)
    go_on(gateway, FOREIGN)  # may have to wait for an access token
    seconds = go_on(gateway, FOREIGN)
    assert seconds < 1
    assert sent(google) == [BYPASS]


@pytest.mark.usefixtures("firestore")
def test_no_token_waits_for_the_write_and_the_request_does(
    start_gateway: StartGateway, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, steps = Gate(), []

    async def write(_: object, signatures: dict[str, str]) -> None:
        await gate.wait()
        steps.append(list(signatures.values()))

    monkeypatch.setattr(FirestoreSignatures, "write", write)
    google.script(answer([weather(ONE)], [weather()], "Done."))
    with (
        start_gateway(**FIRESTORE).client() as client,
        client.stream("POST", PATH, json=asked(stream=True)) as response,
    ):
        content = b""
        for piece in response.iter_raw():
            content += piece
            if content.endswith(b"[DONE]\n\n"):
                assert steps == []
                gate.open()
    assert steps == [[ONE]], "one write, and the request ended after it"
