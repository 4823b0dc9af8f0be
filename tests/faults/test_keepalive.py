"""Silence is bridged with comments, so that nobody between us and the client hangs up."""

import httpx
import pytest

from tests.conftest import StartGateway
from tests.gateway import HELLO, Gateway, events, text_of
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, Play, answer, error, hold

PATH = "/v1/chat/completions"
STREAM = HELLO | {"stream": True}
COMMENT = b": keepalive\n\n"


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Gateway:
    return start_gateway(sse_keepalive_seconds=0.05)


def stream(gateway: Gateway, go: Gate, text: bytes = b"") -> httpx.Response:
    """Read a stream; let Google go on after the second comment that follows the text."""
    with gateway.client() as client, client.stream("POST", PATH, json=STREAM) as response:
        content = b""
        for chunk in response.iter_raw():
            content += chunk
            if content[content.find(text) :].count(COMMENT) >= 2 and text in content:
                go.open()
    return httpx.Response(response.status_code, headers=response.headers, content=content)


def test_in_mid_stream(gateway: Gateway, google: Google) -> None:
    go = Gate()
    google.script(answer("Hel", Hold(go), "lo"))
    response = stream(gateway, go, b"Hel")
    assert text_of(events(response)) == "Hello"
    before, _, after = response.content.rpartition(COMMENT)
    assert b"Hel" in before
    assert b"lo" in after


def test_before_the_first_event(gateway: Gateway, google: Google) -> None:
    go = Gate()
    google.script(hold(go, answer("Hello")))
    response = stream(gateway, go)
    assert response.content.startswith(COMMENT)
    assert text_of(events(response)) == "Hello"


@pytest.mark.parametrize(
    ("late", "code"),
    [(error(403), "permission_denied"), (error(400), "invalid_argument")],
    ids=["403", "400"],
)
def test_a_refusal_that_comes_after_a_comment_is_an_error_event(
    late: Play, code: str, gateway: Gateway, google: Google
) -> None:
    go = Gate()
    google.script(hold(go, late))
    response = stream(gateway, go)
    assert response.status_code == 200
    first, done = events(response)
    assert first["error"]["code"] == code
    assert done == b"[DONE]"


def test_a_lively_stream_has_none(start_gateway: StartGateway) -> None:
    with start_gateway(sse_keepalive_seconds=5).client() as client:
        lines = client.post(PATH, json=STREAM).content.split(b"\n")
    assert not any(line.startswith(b":") for line in lines)
