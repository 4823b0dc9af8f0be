"""How tests script the simulated Google, and what they learn from it."""

import pytest

from tests.simulators.asking import (
    UPSTREAMS,
    ask,
    stream,
    user,
)
from tests.simulators.calls import Call, Recorded
from tests.simulators.generation import echo
from tests.simulators.google import Google
from tests.simulators.replies import (
    Pause,
    answer,
    document,
    error,
    function_call,
    late,
    paced,
    thought,
)
from tests.simulators.wire import Reply


def text_of(got: object) -> str:
    candidate = got["candidates"][0]  # type: ignore[index]
    return "".join(part.get("text", "") for part in candidate["content"]["parts"])


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_the_usual_answer_quotes_the_user(google: Google, upstream: str) -> None:
    question = "x" * 100
    got = ask(google, {"contents": [user(question)]}, upstream=upstream).json
    inner = got["response"] if upstream == "code_assist" else got

    assert "x" * 80 in text_of(inner)
    assert "x" * 81 not in text_of(inner)
    assert inner["candidates"][0]["finishReason"] == "STOP"
    assert inner["usageMetadata"]["promptTokenCount"] == 25
    assert inner["modelVersion"] == "gemini-2.5-flash"
    assert inner["responseId"]


def test_the_usual_stream_comes_in_words_with_growing_usage(google: Google) -> None:
    items = ask(google, method="streamGenerateContent").json

    counts = [item["usageMetadata"]["candidatesTokenCount"] for item in items]
    assert len(items) > 5
    assert counts == sorted(counts)
    assert [bool(item["candidates"][0].get("finishReason")) for item in items[-2:]] == [False, True]


def test_a_script_is_played_in_order_and_then_forgotten(google: Google) -> None:
    google.script(error(503), answer("first"))
    google.script(answer("second"))

    assert ask(google).status == 503
    assert text_of(ask(google).json) == "first"
    assert text_of(ask(google).json) == "second"
    assert "simulated Google" in text_of(ask(google).json)


def test_a_script_waits_for_a_good_request(google: Google) -> None:
    google.script(answer("scripted"))

    assert ask(google, {"contents": []}).status == 400
    assert text_of(ask(google).json) == "scripted"


def test_operations_have_scripts_of_their_own(google: Google) -> None:
    google.script(document({"totalTokens": 7}), on="countTokens")

    assert "simulated Google" in text_of(ask(google).json)
    assert ask(google, method="countTokens").json == {"totalTokens": 7}
    with pytest.raises(ValueError, match="no operation"):
        google.script(answer(), on="generateContent")


def test_an_answer_has_thoughts_calls_and_usage(google: Google) -> None:
    google.script(
        answer(
            thought("Hm."),
            "Well. ",
            function_call("f", {"a": 1}, id="c1", signature="QUFB"),
            finish="MAX_TOKENS",
            candidate={"finishMessage": "why"},
        )
    )
    got = ask(google).json

    candidate = got["candidates"][0]
    assert candidate["content"]["parts"] == [
        {"text": "Hm.", "thought": True},
        {"text": "Well. "},
        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "c1"}, "thoughtSignature": "QUFB"},
    ]
    assert (candidate["finishReason"], candidate["finishMessage"]) == ("MAX_TOKENS", "why")
    usage = got["usageMetadata"]
    assert usage["totalTokenCount"] == sum(
        usage[f"{name}TokenCount"] for name in ("prompt", "candidates", "thoughts")
    )


def test_usage_can_be_given_or_left_out(google: Google) -> None:
    google.script(answer("a", "b", usage={"totalTokenCount": 9}), answer("a", usage={}))

    items = ask(google, method="streamGenerateContent").json
    assert [item.get("usageMetadata") for item in items] == [None, {"totalTokenCount": 9}]
    assert "usageMetadata" not in ask(google).json


def test_requests_are_recorded(google: Google) -> None:
    ask(google, upstream="code_assist", model_id="gemini-2.5-pro")
    ask(google, method="streamGenerateContent?alt=sse")
    ask(google, upstream="vertex", method="countTokens")

    first, second, third = google.requests
    assert (first.operation, first.upstream, first.model, first.stream) == (
        "generate",
        "code_assist",
        "gemini-2.5-pro",
        False,
    )
    assert first.request == {"contents": [user("hi")]} == second.request
    assert first.body["project"] == "p"
    assert first.headers["authorization"] == f"Bearer {google.tokens.issued[-2]}"
    assert (second.upstream, second.model, second.stream) == (
        "gemini_api",
        "gemini-2.5-flash",
        True,
    )
    assert second.query == {"alt": "sse"}
    assert third.operation == "countTokens"
    assert google.calls("generate") == [first, second]
    assert first.at <= second.at <= third.at
    assert all(recorded.done.wait(1) for recorded in google.requests)
    assert not any(recorded.left.is_set() for recorded in google.requests)


def test_waiting_for_a_call_that_does_not_come_fails(google: Google) -> None:
    with pytest.raises(AssertionError, match="0 calls of token arrived, not 1"):
        google.wait_for("token", timeout=0.01)


def test_magic_models_begin_again_after_the_last_reply(google: Google) -> None:
    statuses = [ask(google, model_id="gemini-sim-e36").status for _ in range(4)]

    assert statuses == [500, 200, 500, 200]


def test_the_pace_puts_pauses_between_words(google: Google) -> None:
    google.pace = 0.001
    replies: list[Reply] = []

    def spy(call: Call) -> Reply:
        replies.append(echo(call))
        return replies[0]

    google.script(spy)
    stream(google, "gemini-2.5-pro")

    (steps,) = (reply.steps for reply in replies)
    assert steps[1::2] == (Pause(0.001),) * (len(steps) // 2)
    assert all(isinstance(step, bytes) for step in steps[::2])


def test_pauses_are_scaled(google: Google) -> None:
    google.scale = 0
    google.script(late(paced(answer("a", "b"), 3600), 3600))

    assert ask(google, method="streamGenerateContent").status == 200


def test_a_listener_is_told_of_every_request() -> None:
    heard: list[Recorded] = []
    with Google() as google:
        google.listen(heard.append)
        ask(google)
        assert heard == google.requests


def test_models_can_be_added(google: Google) -> None:
    assert ask(google, model_id="gemini-9").status == 404
    google.models.add("gemini-9")
    assert ask(google, model_id="gemini-9").status == 200


def test_reset_forgets_everything_but_the_tokens_in_use(google: Google) -> None:
    token = google.tokens.issue()
    google.tokens.revoke_all()
    google.tokens.accept("fake")
    google.script(error(500))
    google.api_keys.add("other")
    google.strict = False
    ask(google)

    google.reset()

    assert google.requests == []
    assert google.tokens.fault(token) is None
    assert google.tokens.fault("fake") is not None
    assert google.strict
    assert google.api_keys == {"sim-api-key"}
    assert ask(google).status == 200


def test_a_mistake_in_a_script_is_shown(google: Google) -> None:
    google.script(lambda call: call.missing)  # type: ignore[attr-defined]

    got = ask(google)
    assert got.status == 500
    assert b"AttributeError" in got.content
