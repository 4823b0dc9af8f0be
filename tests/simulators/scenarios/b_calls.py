"""B, second half: function calls, good and bad."""

from tests.simulators.replies import answer, chunks, function_call
from tests.simulators.scenarios.table import ends, generating, says

_OSLO = {"city": "Oslo"}
_SIGNATURE = "EqQBc2lt"
_WEATHER = function_call("get_weather", _OSLO, id="c0ffee01", signature=_SIGNATURE)
_MALFORMED = "Malformed function call: print(default_api.get_weather(city='Oslo'))"
_BIG_ARGUMENTS = {
    "text": "Øæ\u2028😀 " * 100_000,
    "nested": {"list": [1, [2.5, None]], "empty": {}},
    "float": 1.0,
    "large": 2**53 + 1,
    "larger": 123456789012345678901,
    "nothing": None,
}


def _partial(fragment: str, *, more: bool) -> dict[str, object]:
    piece = {"jsonPath": "$.city", "stringValue": fragment, "willContinue": more}
    return {"functionCall": {"name": "get_weather", "partialArgs": [piece], "willContinue": more}}


SCENARIOS = (
    generating("B8", "one call, signed, with an id", answer(_WEATHER)),
    generating("B9", "a call without an id", answer(function_call("get_weather", _OSLO))),
    generating("B10", "a call without arguments", answer(function_call("now"))),
    generating("B10-empty", "a call with empty arguments", answer(function_call("now", {}))),
    generating(
        "B11",
        "three calls in one event, the first signed",
        answer(
            [
                _WEATHER,
                function_call("get_weather", {"city": "Rome"}, id="c0ffee02"),
                function_call("get_time", id="c0ffee03"),
            ]
        ),
    ),
    generating(
        "B12",
        "calls in two events, text between them",
        answer("Well. ", _WEATHER, "And. ", function_call("get_time", id="c0ffee02")),
    ),
    generating(
        "B13",
        "the same function twice, no ids",
        answer([function_call("get_weather", _OSLO), function_call("get_weather", _OSLO)]),
    ),
    generating("B14", "text, then a call", answer("Let me look. ", _WEATHER)),
    generating(
        "B15",
        "a call, and the end in an event of its own",
        chunks([says(_WEATHER), says("", finish="STOP")]),
    ),
    generating(
        "B16",
        "large arguments with every kind of value",
        answer(function_call("save", _BIG_ARGUMENTS)),
    ),
    generating(
        "B17",
        "a name with default_api. before it",
        answer(function_call("default_api.get_weather", _OSLO)),
    ),
    generating(
        "B17-colon",
        "a name with default_api: before it",
        answer(function_call("default_api:get_weather", _OSLO)),
    ),
    generating(
        "B18",
        "a call of a function that was not declared",
        answer(
            function_call("undeclared_tool", {}),
            finish="UNEXPECTED_TOOL_CALL",
            candidate={
                "finishMessage": "Unexpected tool call: Model tried to call an undeclared "
                "function: undeclared_tool"
            },
        ),
    ),
    generating(
        "B19",
        "a malformed call, with empty content",
        chunks([ends("MALFORMED_FUNCTION_CALL", content={}, finishMessage=_MALFORMED)]),
    ),
    generating(
        "B19-bare",
        "a malformed call, without content",
        chunks([ends("MALFORMED_FUNCTION_CALL", finishMessage=_MALFORMED)]),
    ),
    generating("B20", "too many calls", chunks([ends("TOO_MANY_TOOL_CALLS")])),
    generating("B20-signature", "a missing signature", chunks([ends("MISSING_THOUGHT_SIGNATURE")])),
    generating("B20-response", "a malformed response", chunks([ends("MALFORMED_RESPONSE")])),
    generating(
        "B21",
        "arguments in pieces, as Vertex AI sends them when asked to",
        chunks(
            [
                says(_partial("Os", more=True)),
                says(_partial("lo", more=False)),
                says({"functionCall": {}}, finish="STOP"),
            ]
        ),
    ),
)
