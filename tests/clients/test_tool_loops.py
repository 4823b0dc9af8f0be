"""Two rounds of calls in each client's own loop, and what Google gets back of them."""

from typing import Any

import pytest

from tests.clients.conftest import StartClient
from tests.clients.running import CLIENTS
from tests.simulators.google import Google
from tests.simulators.replies import answer, function_call, thought

FIRST, SECOND = "c2lnLW9uZS0tLS0t", "c2lnLXR3by0tLS0t"
HOW = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
#: From Gemini 3 on calls are signed; the newest gives them ids, too.
MODELS = pytest.mark.parametrize(
    "model", ["gemini-2.5-flash", "gemini-3-flash-preview", "gemini-3.8-flash"]
)


@HOW
@MODELS
@pytest.mark.parametrize("name", CLIENTS)
def test_a_loop_of_two_rounds(
    name: str, model: str, start_client: StartClient, google: Google, *, streams: bool
) -> None:
    ids = ["fc_1", "fc-2", "fc_3", "fc-4"] if model == "gemini-3.8-flash" else [None] * 4
    google.script(
        answer(
            [thought("Both, I think.")],
            "Let me ",
            "look.",
            function_call("get_weather", {"city": "Oslo"}, id=ids[0], signature=FIRST),
            function_call("get_weather", {"city": "Rome"}, id=ids[1]),
        ),
        answer(
            function_call("today", id=ids[2], signature=SECOND),
            function_call("book", {"city": "Rome", "nights": 2}, id=ids[3]),
        ),
        answer("Rome ", "is booked."),
    )
    client = start_client(name)
    got = client.ask("loop", model=model, text="Oslo or Rome?", streams=streams)
    assert got.pop("finish", "stop") == "stop"
    assert got == {
        "text": "Rome is booked.",
        "calls": [
            ["get_weather", {"city": "Oslo"}],
            ["get_weather", {"city": "Rome"}],
            ["today", {}],
            ["book", {"city": "Rome", "nights": 2}],
        ],
    }
    asked = google.calls("generate")
    assert [call.stream for call in asked] == [streams] * 3
    user, called, results, called_again, more_results = asked[-1].request["contents"]
    assert user["parts"] == [{"text": "Oslo or Rome?"}]
    assert texts(called) == ["Let me look."]
    assert calls(called) == [("get_weather", {"city": "Oslo"}), ("get_weather", {"city": "Rome"})]
    assert responses(results) == [
        ("get_weather", {"output": "rain"}),
        ("get_weather", {"output": "dry"}),
    ]
    assert calls(called_again) == [("today", {}), ("book", {"city": "Rome", "nights": 2})]
    assert responses(more_results) == [
        ("today", {"output": "2026-11-22"}),
        ("book", {"booked": "Rome", "nights": 2}),
    ]
    signed = [signatures(called), signatures(called_again)]
    assert signed == [[FIRST, None], [SECOND, None]], "whatever the client keeps of them"


def texts(content: Any) -> list[str]:
    return [part["text"] for part in content["parts"] if "text" in part]


def calls(content: Any) -> list[tuple[str, Any]]:
    found = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
    return [(call["name"], call["args"]) for call in found]


def responses(content: Any) -> list[tuple[str, Any]]:
    found = [part["functionResponse"] for part in content["parts"]]
    return [(response["name"], response["response"]) for response in found]


def signatures(content: Any) -> list[str | None]:
    return [part.get("thoughtSignature") for part in content["parts"] if "functionCall" in part]


@HOW
@MODELS
def test_instructors_own_loop_which_repairs_an_answer(
    model: str, start_client: StartClient, google: Google, *, streams: bool
) -> None:
    tool = "PartialTrip" if streams else "Trip"
    right = {"city": "Rome", "nights": 2, "guests": list[Any]()}
    wrong = right | {"nights": 0}
    google.script(
        answer(function_call(tool, wrong, signature=FIRST)),
        answer(function_call(tool, right, signature=SECOND)),
    )
    got = start_client("instructor").ask(
        "structured", model=model, text="Rome!", mode="TOOLS", streams=streams, retries=2
    )
    assert got == {"value": right}
    user, *more = google.calls("generate")[-1].request["contents"]
    if streams:  # it does not keep what it read, and only says what was wrong
        assert not more
        assert "nights" in texts(user)[1]
    else:
        called, results = more
        assert (calls(called), signatures(called)) == ([(tool, wrong)], [FIRST])
        ((name, told),) = responses(results)
        assert name == tool
        assert "nights" in told["output"]
