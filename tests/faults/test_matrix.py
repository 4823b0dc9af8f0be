"""Every fault on every way to Gemini: what the client sees, and who else was asked.

A row is played on one way first, so that the next one answers if it is asked; then on both, so that
the client sees the fault itself.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from tests.faults.ways import ENDPOINTS, Ways, hanging, only_on, started
from tests.gateway import HELLO, events, text_of
from tests.simulators.calls import Play
from tests.simulators.errors import error_info, retry_info
from tests.simulators.google import Google
from tests.simulators.replies import (
    Gate,
    Hold,
    Reset,
    answer,
    by_method,
    chunks,
    drop,
    error,
    hung,
    page,
    plain,
)
from tests.simulators.scenarios import scenario
from tests.simulators.scenarios.a_framing import gzipped
from tests.simulators.scenarios.table import says

PATH = "/v1/chat/completions"
RECOVERED = 'Hello from the simulated Google! You said: "Hello!".'
OTHER = {"code_assist": "vertex", "vertex": "gemini_api", "gemini_api": "code_assist"}


class Seen(NamedTuple):
    """What becomes of a request that meets a fault."""

    status: int
    code: str
    #: How often the way was asked, when another one was open and when none was.
    asked: tuple[int, int]
    #: Whether the other way was asked.
    goes_on: bool
    #: Whether the way is left alone after that.
    closes: bool = True
    #: Of a stream that breaks in the middle: what came before.
    text: str = ""


def stop(status: int, code: str, times: int = 1, text: str = "") -> Seen:
    """It is told: no other way would help."""
    return Seen(status, code, (times, times), goes_on=False, closes=False, text=text)


def on(
    status: int, code: str, first: int = 1, last: int | None = None, *, closes: bool = True
) -> Seen:
    """The next way is asked."""
    return Seen(status, code, (first, last or first), goes_on=True, closes=closes)


class Fault(NamedTuple):
    play: Play
    stream: Seen
    whole: Seen


def same(play: Play, seen: Seen) -> Fault:
    return Fault(play, seen, seen)


def of(name: str) -> Play:
    """Return the first reply of a scenario."""
    return scenario(name).scripts["generate"][0]


CREDENTIALS = "upstream_authentication_error"
ARGUMENT = stop(400, "invalid_argument")
DENIED = on(403, "permission_denied")
QUOTA = on(429, "insufficient_quota")
BUSY = on(429, "rate_limit_exceeded", 1, 2)
BUSY_FOR_LONG = on(429, "rate_limit_exceeded")
NO_ROOM = on(503, "server_is_overloaded", 1, 2)
OVERLOADED = on(503, "server_is_overloaded", 2)
INVALID = on(502, "upstream_invalid_response", 2)
BROKEN = on(502, "upstream_unreachable", 2)
TIMEOUT = on(504, "upstream_timeout", 2)
CUT_OFF = on(502, "upstream_truncated", 2)
EMPTY = stop(502, "upstream_truncated", 2)
TOO_LARGE = on(413, "request_too_large", closes=False)
HALF = "Hello wor"

#: Refusals that come as a status of their own, or inside a 200 as the first event.
REFUSALS = {
    "E1": ARGUMENT,
    "E2": ARGUMENT,
    "E3": stop(400, "context_length_exceeded"),
    "E5": ARGUMENT,
    "E6": ARGUMENT,
    "E7": on(500, CREDENTIALS),
    "E8": DENIED,
    "E11": DENIED,
    "E12": on(403, "validation_required"),
    "E13": DENIED,
    "E14": DENIED,
    "E15": DENIED,
    "E16": DENIED,
    "E17": DENIED,
    "E18": DENIED,
    "E19": on(404, "model_not_found"),
    "E19-html": on(404, "model_not_found"),
    "E20": BUSY,
    "E21": BUSY,
    "E22": QUOTA,
    "E23": BUSY_FOR_LONG,
    "E24": BUSY,
    "E25": BUSY_FOR_LONG,
    "E26": QUOTA,
    "E27": QUOTA,
    "E28": on(503, "server_is_overloaded"),
    "E29": on(503, "server_is_overloaded"),
    "E30": BUSY,
    "E31": BUSY,
    "E32": QUOTA,
    "E33": BUSY_FOR_LONG,
    "E33-date": BUSY_FOR_LONG,
    "E34": BUSY_FOR_LONG,
    "E35": TIMEOUT,
    "E36": on(500, "server_error", 2),
    "E38": on(503, "server_is_overloaded"),
    "E39": INVALID,
    "E39-413": TOO_LARGE,
    "E39-408": TIMEOUT,
    "E39-504": TIMEOUT,
    "E40": OVERLOADED,
    "E46": INVALID,
    "E47": INVALID,
    "E49": on(500, "server_error", 2),
}
FAULTS = {
    **{name: same(of(name), seen) for name, seen in REFUSALS.items()},
    "a bare 403": same(error(403), DENIED),
    "409": same(error(409), INVALID),
    "501": same(error(501), INVALID),
    "502 in JSON": same(error(502), INVALID),
    "503, with a short wait": same(error(503, details=[retry_info("0.01s")]), OVERLOADED),
    "503, with a long wait": same(
        error(503, details=[retry_info("40s")]), on(503, "server_is_overloaded")
    ),
    "500, with a long wait": same(error(500, details=[retry_info("25s")]), on(500, "server_error")),
    "no capacity, and when": same(
        error(
            429,
            details=[error_info("MODEL_CAPACITY_EXHAUSTED", "x.example"), retry_info("0.01s")],
        ),
        NO_ROOM,
    ),
    "hung up on": same(drop(), BROKEN),
    "reset after the headers": Fault(of("A35"), stream=BROKEN, whole=BROKEN),
    "HTML instead of JSON": same(page(200), INVALID),
    "200 and nothing else": Fault(plain(200, b"", "application/json"), CUT_OFF, INVALID),
    "an answer that says nothing": same(chunks([{"candidates": [{}]}]), EMPTY),
    "too large": same(
        error(400, message="Request payload size exceeds the limit: 20971520 bytes."), TOO_LARGE
    ),
    "half of the JSON": Fault(of("E48"), stream=INVALID, whole=INVALID),
    "a malformed call": same(
        chunks([{"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}]),
        stop(502, "upstream_malformed_response", 2),
    ),
    "truncated gzip": Fault(
        by_method(
            stream=of("A27-cut"),
            unary=gzipped(plain(200, b'{"candidates": [{"content"', "application/json"), cut=True),
        ),
        stream=stop(200, "upstream_truncated", text="Hel"),
        whole=INVALID,
    ),
    "no gzip at all": Fault(
        plain(200, b"hello", "application/json", {"Content-Encoding": "gzip"}), INVALID, INVALID
    ),
    "an error after some words": Fault(
        of("E42"), stream=stop(200, "server_is_overloaded", text=HALF), whole=OVERLOADED
    ),
    "an error in plain lines": Fault(
        of("E44"), stream=stop(200, "server_error", text=HALF), whole=on(500, "server_error", 2)
    ),
    "reset in the middle": Fault(
        chunks([says("Hello "), says("wor")], then=Reset()),
        stream=stop(200, "upstream_unreachable", text=HALF),
        whole=BROKEN,
    ),
    "cut without a finish reason": Fault(
        chunks([says("Hello "), says("wor")]),
        stream=stop(200, "upstream_truncated", text=HALF),
        whole=stop(502, "upstream_truncated", 1),
    ),
}


@pytest.fixture(scope="module")
def patient(one_google: Google) -> Iterator[dict[str, Ways]]:
    """A gateway for each way as the first of two."""
    with ExitStack() as stack:
        yield {
            first: stack.enter_context(started(one_google, upstreams=f"{first},{second}"))
            for first, second in OTHER.items()
        }


@pytest.fixture(scope="module")
def impatient(one_google: Google) -> Iterator[dict[str, Ways]]:
    """The same, with no time to lose."""
    limits = {"upstream_first_byte_seconds": 0.4, "upstream_idle_seconds": 0.2}
    with ExitStack() as stack:
        yield {
            first: stack.enter_context(started(one_google, upstreams=f"{first},{second}", **limits))
            for first, second in OTHER.items()
        }


def ask(ways: Ways, *, stream: bool) -> tuple[int, str | None, str, str | None]:
    """Return status, code, text and who answered."""
    with ways.gateway.client() as client:
        response = client.post(PATH, json=HELLO | {"stream": stream})
    upstream = response.headers.get("x-upstream")
    if response.headers["content-type"] == "application/json":
        body = response.json()
        if "error" in body:
            return response.status_code, body["error"]["code"], "", upstream
        return 200, None, body["choices"][0]["message"]["content"], upstream
    *chunks_, last, done = events(response)
    assert done == b"[DONE]"
    if "error" in last:
        assert {chunk["choices"][0]["finish_reason"] for chunk in chunks_} <= {None}
        return 200, last["error"]["code"], text_of(chunks_), upstream
    return 200, None, text_of([*chunks_, last]), upstream


def times_asked(google: Google) -> dict[str | None, int]:
    asked: dict[str | None, int] = {}
    for call in google.calls("generate"):
        asked[call.upstream] = asked.get(call.upstream, 0) + 1
    return asked


def check(ways: Ways, google: Google, first: str, fault: Fault, *, stream: bool) -> None:
    """Play a fault on the first way, and then on both."""
    seen = fault.stream if stream else fault.whole
    second = OTHER[first]
    ways.forget()
    google.script(*[only_on(first, play=fault.play)] * 10)
    answer_ = ask(ways, stream=stream)
    assert ways.connections_in_use == 0
    if seen.goes_on:
        assert answer_ == (200, None, RECOVERED, second)
        assert times_asked(google) == {first: seen.asked[0], second: 1}
        ask(ways, stream=stream)
        again = 0 if seen.closes else seen.asked[0]  # it is left alone now
        assert times_asked(google) == {first: seen.asked[0] + again, second: 2}
    else:
        assert answer_[:3] == (seen.status, seen.code, seen.text)
        assert times_asked(google) == {first: seen.asked[0]}
        return

    ways.forget()
    google.reset()
    google.script(*[fault.play] * 10)
    assert ask(ways, stream=stream)[:3] == (seen.status, seen.code, "")
    assert times_asked(google) == {first: seen.asked[0], second: seen.asked[1]}
    assert ways.connections_in_use == 0


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("first", OTHER)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_what_google_says(
    fault: Fault, first: str, patient: dict[str, Ways], google: Google, *, stream: bool
) -> None:
    check(patient[first], google, first, fault, stream=stream)


SILENCES = {
    "no first byte": same(hung(), on(504, "upstream_timeout")),
    "silence in the middle": Fault(
        answer("Hello ", "wor", Hold(Gate()), "ld"),
        stream=stop(200, "upstream_timeout", text=HALF),
        whole=on(504, "upstream_timeout"),
    ),
}


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("first", OTHER)
@pytest.mark.parametrize("fault", SILENCES.values(), ids=list(SILENCES))
def test_what_google_does_not_say(
    fault: Fault, first: str, impatient: dict[str, Ways], google: Google, *, stream: bool
) -> None:
    check(impatient[first], google, first, fault, stream=stream)


def _refusing(stack: ExitStack) -> str:
    """Return an address that is taken, so that nobody else listens there meanwhile, and silent."""
    taken = stack.enter_context(socket.socket())
    taken.bind(("127.0.0.1", 0))
    return f"http://127.0.0.1:{taken.getsockname()[1]}"


#: Makes an address that cannot be talked to; gets the simulated Google's, too.
Unreachable = Callable[[ExitStack, Google], str]
UNREACHABLE: dict[str, Unreachable] = {
    "refused connection": lambda stack, _: _refusing(stack),
    "connect time-out": lambda stack, _: hanging(stack),
    "TLS failure": lambda _, google: f"https://{google.metadata_host}",
    "DNS failure": lambda *_: "http://google.invalid",
}


@pytest.fixture
def no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the name be unknown at once, whatever the machine's resolver would do."""
    ask_resolver = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "google.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask_resolver(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.usefixtures("no_such_name")
@pytest.mark.parametrize("first", OTHER)
@pytest.mark.parametrize("unreachable", UNREACHABLE.values(), ids=list(UNREACHABLE))
def test_google_cannot_be_reached(unreachable: Unreachable, first: str, google: Google) -> None:
    second = OTHER[first]
    with ExitStack() as stack:
        address = unreachable(stack, google)
        ways = stack.enter_context(
            started(
                google,
                upstreams=f"{first},{second}",
                upstream_connect_seconds=0.1,
                **{ENDPOINTS[first]: address},
            )
        )
        for stream in (True, False):
            ways.forget()
            google.reset()
            for _ in range(2):
                assert ask(ways, stream=stream) == (200, None, RECOVERED, second)
            assert times_asked(google) == {second: 2}
            assert ways.connections_in_use == 0

        alone = stack.enter_context(
            started(
                google, upstreams=first, upstream_connect_seconds=0.1, **{ENDPOINTS[first]: address}
            )
        )
        for stream in (True, False):
            assert ask(alone, stream=stream)[:2] == (502, "upstream_unreachable")
            assert alone.connections_in_use == 0
