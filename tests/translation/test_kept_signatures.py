"""Which calls are looked up, under which keys, and what becomes of what is found."""

from typing import Any

import msgspec
import pytest

from service.api.requests import decode
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_tools import CustomCall, FunctionCall, ToolCall
from service.translation.kept_signatures import Keys, restored, signed, unsigned
from service.translation.signatures import extra_content, of_calls

ME = b"me"
OURS = f"call_{'0' * 32}_0_0"
ASKED: dict[str, Any] = {"role": "user", "content": "Weather?"}
ONE, TWO = "b25l", "dHdv"


def call(id_: str | None = OURS, name: str = "f", **more: Any) -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": "{}"}, **more}


def calls(*made: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(made), **more}


def result(id_: str = OURS) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": "rain"}


def request(*messages: dict[str, Any]) -> ChatCompletionRequest:
    return decode(msgspec.json.encode({"messages": messages}), ChatCompletionRequest)


def keys(*messages: dict[str, Any], owner: bytes = ME) -> Keys:
    return Keys(owner, request(*messages).messages)


def looked_up(*messages: dict[str, Any]) -> list[list[str]]:
    asked = request(*messages)
    return unsigned(asked.messages, Keys(ME, asked.messages))


SIGNED = extra_content(ONE)
HERE = keys(ASKED)
SAID = {"role": "assistant", "content": "Rain."}
LATER = {"role": "user", "content": "And tomorrow?"}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([ASKED], []),
        ([ASKED, calls(call()), result()], [[OURS]]),
        ([ASKED, calls(call("a"), call("b")), result("a"), result("b")], [["a", "b"]]),
        (
            [ASKED, calls(call("a")), result("a"), calls(call("b")), result("b")],
            [["a"], ["b"]],
        ),
        ([ASKED, calls(call("a", extra_content=SIGNED)), result("a")], []),
        ([ASKED, calls(call("a", extra_content=SIGNED), call("b")), result("a")], []),
        ([ASKED, calls(call("a"), extra_content=SIGNED), result("a")], []),
        ([ASKED, calls(call("a")), result("a"), LATER], [["a"]]),  # Google sees no new turn
        ([ASKED, calls(call("a")), result("a"), SAID, LATER], []),
        ([ASKED, calls(call(None)), result()], []),
    ],
    ids=[
        "no call",
        "a call",
        "parallel calls",
        "steps",
        "signed",
        "the first is signed",
        "the message is signed",
        "words beside results",
        "an earlier turn",
        "no id",
    ],
)
def test_the_unsigned_steps_of_the_current_turn_are_looked_up(
    messages: list[dict[str, Any]], expected: list[list[str]]
) -> None:
    question = keys(*messages)
    assert looked_up(*messages) == [[question.of(id_, "f") for id_ in step] for step in expected]


def test_an_id_like_ours_is_enough_and_a_short_one_is_not() -> None:
    elsewhere = keys(LATER)
    assert HERE.of(OURS, "f") == elsewhere.of(OURS, "f")
    assert HERE.of("c1", "f") != elsewhere.of("c1", "f")
    assert HERE.of("c1", "f") == keys(ASKED, calls(call("c1")), result("c1")).of("c1", "f")


def test_nobody_gets_what_is_anothers() -> None:
    for id_ in (OURS, "c1"):
        assert HERE.of(id_, "f") != keys(ASKED, owner=b"you").of(id_, "f")
        assert HERE.of(id_, "f") != HERE.of(id_, "g")
    assert HERE.of("ab", "c") != HERE.of("b", "ca")


def test_what_the_user_asked_may_come_in_parts() -> None:
    parts = {"role": "user", "content": [{"type": "text", "text": "Weather?"}]}
    system = {"role": "system", "content": "Be brief."}
    assert keys(system, parts).of("c1", "f") == HERE.of("c1", "f")


def test_what_is_found_is_put_on_its_own_call() -> None:
    asked = request(ASKED, calls(call("a"), call("b")), result("a"), result("b"))
    back = restored(asked, HERE, {HERE.of("b", "f"): TWO})
    assert of_calls(back.messages[1]) == [None, TWO]  # type: ignore[arg-type]
    assert of_calls(asked.messages[1]) == [None, None]  # type: ignore[arg-type]


def test_what_the_client_sends_is_believed_first() -> None:
    asked = request(ASKED, calls(call("a", thought_signature=ONE), call("b")), result("a"))
    back = restored(asked, HERE, {HERE.of("a", "f"): TWO, HERE.of("b", "f"): TWO})
    assert of_calls(back.messages[1]) == [ONE, None]  # type: ignore[arg-type]


def test_what_is_no_signature_is_replaced() -> None:
    asked = request(ASKED, calls(call("a", extra_content=extra_content("not one!"))), result("a"))
    assert looked_up(*msgspec.to_builtins([ASKED, calls(call("a"))])) == unsigned(
        asked.messages, HERE
    )
    back = restored(asked, HERE, {HERE.of("a", "f"): ONE})
    assert of_calls(back.messages[1]) == [ONE]  # type: ignore[arg-type]


def test_only_signed_calls_are_kept() -> None:
    made = [
        ToolCall(id="a", function=FunctionCall("f", "{}"), extra_content=SIGNED),
        ToolCall(id="b", function=FunctionCall("f", "{}")),
        ToolCall(id="c", type="custom", custom=CustomCall("g", ""), extra_content=SIGNED),
    ]
    assert signed(made, HERE) == {HERE.of("a", "f"): ONE, HERE.of("c", "g"): ONE}
