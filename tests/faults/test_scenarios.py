"""What the client sees of everything that Google may send, by the ids of the simulated scenarios.

`python -m tests.simulators --list` says what each is. A row is played twice: for a stream, and for
an answer in one piece.
"""

from collections.abc import Sequence

import httpx
import pytest

from tests.conftest import StartGateway
from tests.gateway import HELLO, Gateway, events, text_of
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, Reset, answer, chunks, rewritten
from tests.simulators.scenarios.table import says
from tests.simulators.wire import Step

PATH = "/v1/chat/completions"
STREAM = HELLO | {"stream": True}
RECOVERED = 'Hello from the simulated Google! You said: "Hello!".'


def ids(names: str) -> list[str]:
    return names.split()


def joined(steps: Sequence[Step]) -> bytes:
    return b"".join(step for step in steps if isinstance(step, bytes))


# scenario -> the whole text and the finish reason
ANSWERS = {
    **dict.fromkeys(
        ids("A1 A2 A3 A4 A5 A7 A8 A9 A10 A16 A17 A27 A28 A29 A30 A31 A34 C12 D1 D3 D4 D5 D9"),
        ("Hello", "stop"),
    ),
    **dict.fromkeys(ids("A6 B33 B34 B35 C10 C11"), ("Hi", "stop")),
    **dict.fromkeys(ids("B4 B6 B7"), ("Use B.", "stop")),
    "A11": ("café!", "stop"),
    "A12": ("世!", "stop"),
    "A13": ("😀!", "stop"),
    "A14": ("😀!", "stop"),
    "A18": ("".join(f"{n} " for n in range(50)), "stop"),
    "A19": ("a\u2028b\u2029c\u0085d", "stop"),
    "A20": ("a\0b\x1fc\u2028d<e>&f='g'", "stop"),
    "B1": ("One, two, three.", "stop"),
    "B22": ("Here: Done.", "stop"),
    "B29": ("Hi", "stop"),
    "B38": ("a\n \nb\n", "stop"),
    "B39": ("<thinking>not thought</thinking> a </think> **b**", "stop"),
    "C1": ("Once upon a time", "length"),
    "C2": ("", "length"),
    "C4": ("Well, ", "content_filter"),
    "C5": ("", "content_filter"),
    "C6": ("Call me I", "content_filter"),
    "C7-spii": ("Partial ", "content_filter"),
    "C7-other": ("Partial ", "stop"),
    "C8": ("", "content_filter"),
    "C9": ("Well, ", "content_filter"),
    # one more try helped
    **dict.fromkeys(
        ids("A32 A33 A35 B18 B19 B19-bare B20 B32 C13 E9 E20 E24"), (RECOVERED, "stop")
    ),
    **dict.fromkeys(ids("E30 E31 E35 E36 E39 E39-504 E41 E48"), (RECOVERED, "stop")),
}

# scenario -> status, code, how often Google was asked
REFUSALS = {
    "E1": (400, "invalid_argument", 1),
    "E2": (400, "invalid_argument", 1),
    "E3": (400, "context_length_exceeded", 1),
    "E7": (500, "upstream_authentication_error", 1),
    "E8": (403, "permission_denied", 1),
    "E10": (500, "upstream_authentication_error", 2),
    "E11": (403, "permission_denied", 1),
    "E13": (403, "permission_denied", 1),
    "E19": (404, "model_not_found", 1),
    "E19-html": (404, "model_not_found", 1),
    "E22": (429, "insufficient_quota", 1),
    "E23": (429, "rate_limit_exceeded", 1),
    "E25": (429, "rate_limit_exceeded", 1),
    "E26": (429, "insufficient_quota", 1),
    "E27": (429, "insufficient_quota", 1),
    "E28": (503, "server_is_overloaded", 1),
    "E33": (429, "rate_limit_exceeded", 1),
    "E34": (429, "rate_limit_exceeded", 1),
    "E37": (500, "server_error", 2),
    "E38": (503, "server_is_overloaded", 1),
    "E39-413": (413, "request_too_large", 1),
}

# scenario -> what the client got before it broke off, and the code of the error event
BREAKS = {
    "A27-cut": ("Hel", "upstream_truncated"),
    "A36": ("one two three ", "upstream_unreachable"),
    "A37": ("Hello", "upstream_unreachable"),
    "A38": ("Hello", "upstream_truncated"),
    "E42": ("Hello wor", "server_is_overloaded"),
    "E43": ("Hello wor", "server_is_overloaded"),
    "E44": ("Hello wor", "server_error"),
    "E45": ("Hello wor", "server_is_overloaded"),
}


@pytest.mark.parametrize(("scenario", "expected"), ANSWERS.items(), ids=list(ANSWERS))
def test_an_answer_arrives_whole(
    scenario: str, expected: tuple[str, str], client: httpx.Client, google: Google
) -> None:
    google.scale = 0.001
    google.play(scenario)
    chunks = events(client.post(PATH, json=STREAM))
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]]
    assert (text_of(chunks), reasons[-1]) == expected
    assert set(reasons[:-1]) == {None}
    assert chunks[-1] == b"[DONE]"

    google.reset()
    google.play(scenario)
    (choice,) = client.post(PATH, json=HELLO).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == expected


def test_the_halves_of_a_character_in_two_events_do_not_break_the_stream(
    client: httpx.Client, google: Google
) -> None:
    google.play("A15")
    chunks = events(client.post(PATH, json=STREAM))
    assert text_of(chunks) == "\ufffd\ufffd"
    assert chunks[-1] == b"[DONE]"


@pytest.mark.parametrize(
    ("scenario", "headers"),
    [
        ("E22", {"retry-after": "47942", "x-should-retry": "false"}),
        ("E23", {"retry-after": "301", "retry-after-ms": "301000", "x-should-retry": "false"}),
        ("E25", {"retry-after": "60", "retry-after-ms": "60000"}),
        ("E26", {"x-should-retry": "false"}),
        ("E28", {"retry-after": "9", "retry-after-ms": "9000"}),
        ("E33", {"retry-after": "3", "retry-after-ms": "3000"}),
        ("E37", {}),
    ],
)
def test_the_sdks_are_told_whether_to_try_again_and_when(
    scenario: str, headers: dict[str, str], client: httpx.Client, google: Google
) -> None:
    google.play(scenario)
    got = client.post(PATH, json=HELLO).headers
    names = ("retry-after", "retry-after-ms", "x-should-retry")
    told = {name: got[name] for name in names if name in got}
    if scenario == "E22":
        del told["retry-after-ms"]  # to the millisecond, it says nothing
    assert told == headers


@pytest.mark.parametrize("body", [STREAM, HELLO], ids=["stream", "whole"])
@pytest.mark.parametrize(("scenario", "expected"), REFUSALS.items(), ids=list(REFUSALS))
def test_a_refusal_before_the_first_byte_keeps_its_status(
    scenario: str,
    expected: tuple[int, str, int],
    body: dict[str, object],
    client: httpx.Client,
    google: Google,
) -> None:
    google.play(scenario)
    response = client.post(PATH, json=body)
    status, code, calls = expected
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.headers["content-type"] == "application/json"
    assert len(google.calls("generate")) == calls


@pytest.mark.parametrize(("scenario", "expected"), BREAKS.items(), ids=list(BREAKS))
def test_a_failure_after_the_first_byte_is_an_error_event(
    scenario: str, expected: tuple[str, str], client: httpx.Client, google: Google
) -> None:
    google.play(scenario)
    *chunks, error, done = events(client.post(PATH, json=STREAM))
    assert (text_of(chunks), error["error"]["code"]) == expected
    assert set(error["error"]) == {"message", "type", "param", "code"}
    assert {chunk["choices"][0]["finish_reason"] for chunk in chunks} == {None}
    assert done == b"[DONE]"
    assert len(google.calls("generate")) == 1, "what was sent cannot be taken back"


def test_a_connection_lost_after_the_end_loses_nothing(
    client: httpx.Client, google: Google
) -> None:
    google.script(answer("Hel", "lo", then=Reset()))
    chunks = events(client.post(PATH, json=STREAM))
    assert text_of(chunks) == "Hello"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1] == b"[DONE]"


FAILED = {"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}


def test_words_that_come_in_one_read_with_a_failure_are_not_lost(
    client: httpx.Client, google: Google
) -> None:
    go = Gate()
    spoken = chunks([says("Hel"), says("lo"), FAILED])
    google.script(rewritten(spoken, lambda steps: [steps[0], Hold(go), joined(steps[1:])]))
    with client.stream("POST", PATH, json=STREAM) as response:
        content = b""
        for chunk in response.iter_raw():
            content += chunk
            go.open()
    *before, error, _ = events(httpx.Response(200, headers=response.headers, content=content))
    assert text_of(before) == "Hello"
    assert error["error"]["code"] == "upstream_malformed_response"


def test_an_event_that_is_cut_off_at_the_end_is_told_as_such(
    client: httpx.Client, google: Google
) -> None:
    google.script(chunks([says("Hel")], then=b'data: {"response": {"candidates": [{"cont'))
    *before, error, _ = events(client.post(PATH, json=STREAM))
    assert text_of(before) == "Hel"
    assert error["error"]["code"] == "upstream_truncated"


def test_a_failure_before_the_first_words_is_tried_once_more(
    client: httpx.Client, google: Google
) -> None:
    google.script(chunks([FAILED]), answer("Hello"))
    assert text_of(events(client.post(PATH, json=STREAM))) == "Hello"


def test_a_failure_after_the_first_words_is_an_error_event_however_the_reads_fall(
    client: httpx.Client, google: Google
) -> None:
    google.script(
        rewritten(chunks([says("Hel"), FAILED]), lambda steps: [joined(steps)]), answer("Hello")
    )
    *before, error, _ = events(client.post(PATH, json=STREAM))
    assert text_of(before) == "Hel"
    assert error["error"]["code"] == "upstream_malformed_response"


@pytest.fixture
def impatient(start_gateway: StartGateway, google: Google) -> Gateway:
    """A gateway that has its token and project, and waits for little else."""
    gateway = start_gateway(upstream_first_byte_seconds=0.5, upstream_idle_seconds=0.2)
    with gateway.client() as client:
        client.post(PATH, json=HELLO)
    google.reset()
    return gateway


def test_silence_in_the_middle_ends_the_stream_with_an_error(
    impatient: Gateway, google: Google
) -> None:
    google.play("A26")
    with impatient.client() as client:
        *chunks, error, _ = events(client.post(PATH, json=STREAM))
    assert text_of(chunks) == "one two "
    assert error["error"]["code"] == "upstream_timeout"
    (call,) = google.calls("generate")
    assert call.left.wait(1), "the connection to Google must not stay open"


@pytest.mark.parametrize("scenario", ["A24", "A25"])
@pytest.mark.parametrize("body", [STREAM, HELLO], ids=["stream", "whole"])
def test_an_answer_that_does_not_begin_in_time_is_504(
    scenario: str, body: dict[str, object], impatient: Gateway, google: Google
) -> None:
    google.play(scenario)
    with impatient.client() as client:
        response = client.post(PATH, json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (504, "upstream_timeout")
    (call,) = google.calls("generate")
    assert call.left.wait(1), "the connection to Google must not stay open"


def test_nobody_there_is_502(start_gateway: StartGateway) -> None:
    gateway = start_gateway(code_assist_endpoint="http://127.0.0.1:9", gemini_project_id="p")
    with gateway.client() as client:
        response = client.post(PATH, json=STREAM)
    assert (response.status_code, response.json()["error"]["code"]) == (502, "upstream_unreachable")
