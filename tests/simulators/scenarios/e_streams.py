"""E, third part: errors inside a 200, and bodies that are no answer at all."""

from tests.simulators.calls import Call
from tests.simulators.errors import error
from tests.simulators.generation import echo
from tests.simulators.rendering import pretty
from tests.simulators.replies import by_method, chunks, document, plain
from tests.simulators.scenarios.table import generating, says
from tests.simulators.wire import Reply

_HTML = "text/html; charset=UTF-8"
_LOGIN = b"<!DOCTYPE html>\n<title>Sign in</title>\n<p>Sign in to continue.\n"
_OVERLOADED = error(503)
_TWO = [says("Hello "), says("wor")]
_INTERNAL = error(500)
_IN_LINES = pretty(_INTERNAL.value).replace(b"\n", b"\r\n")

_E38 = b"""\
[{
  "error": {
    "code": 503,
    "message": "No capacity available for model gemini-3-pro-preview on the server",
    "errors": [{"message": "No capacity available for model gemini-3-pro-preview on the server",\
"domain": "global","reason": "backendError"}],
    "status": "UNAVAILABLE",
    "details": [
      {"@type": "type.googleapis.com/google.rpc.ErrorInfo","reason": "MODEL_CAPACITY_EXHAUSTED",\
"domain": "cloudcode-pa.googleapis.com","metadata": {"model": "gemini-3-pro-preview"}},
      {"@type": "type.googleapis.com/google.rpc.RetryInfo","retryDelay": "9s"}
    ]
  }
}
]
"""


def _typed_as_stream(call: Call) -> Reply:
    headers = (
        ("Content-Type", "text/event-stream"),
        ("Content-Disposition", "attachment"),
        ("X-Cloudaicompanion-Trace-Id", call.trace_id),
        ("Server", "ESF"),
    )
    return Reply(503, headers, (_E38,))


SCENARIOS = (
    generating("E38", "503 in an array, as text/event-stream", _typed_as_stream),
    generating(
        "E40",
        "200 with an error in it",
        by_method(stream=chunks([_OVERLOADED]), unary=document(_OVERLOADED.value)),
    ),
    generating("E41", "an error as the first event", chunks([_OVERLOADED])),
    generating("E42", "an error after two events", chunks(_TWO, then=_OVERLOADED)),
    generating(
        "E43",
        "an error in a list after two events",
        chunks(_TWO, then=error(503, array=True)),
    ),
    generating(
        "E44",
        "an error in plain lines after two events",
        by_method(stream=chunks(_TWO, then=_IN_LINES), unary=_INTERNAL),
    ),
    generating(
        "E45",
        "an error, and then it goes on",
        chunks([*_TWO, _OVERLOADED, says("ld", finish="STOP")]),
    ),
    generating(
        "E46",
        "302 to a login page on another host",
        plain(302, _LOGIN, _HTML, {"Location": "http://accounts.sim.invalid/ServiceLogin"}),
    ),
    generating("E47", "200 with a login page", plain(200, _LOGIN, _HTML)),
    generating(
        "E48",
        "200 with half of its JSON, once",
        plain(200, b'{\n  "response": {\n    "candi', "application/json; charset=UTF-8"),
        echo,
    ),
    generating(
        "E49",
        "500 with bytes that are no UTF-8",
        plain(500, b'{"error": {"code": 500,"message": "\xff\xfe\xc3"}}', "application/json"),
    ),
    generating("E50", "500 with a body of 5 MB", error(500, message="x" * 5_000_000)),
)
