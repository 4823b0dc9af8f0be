"""Failures of Code Assist's calls before generation: how often they are made, and who goes on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from service.upstream import setup
from tests.faults.ways import Ways, started
from tests.gateway import HELLO
from tests.simulators import code_assist
from tests.simulators.calls import Play
from tests.simulators.errors import error_info
from tests.simulators.google import Google
from tests.simulators.replies import document, drop, error, page

PATH = "/v1/chat/completions"
OTHER_MODEL = HELLO | {"model": "gemini-2.5-flash-lite"}
NEW_USER = document({"allowedTiers": [code_assist.FREE, code_assist.STANDARD]})
EXHAUSTED = error(429, details=[error_info("QUOTA_EXHAUSTED", "x.example")])

Start = Callable[[str], Ways]


@pytest.fixture
def start(google: Google) -> Iterator[Start]:
    """Start a gateway with these ways, which has to find its project out."""
    with ExitStack() as stack:
        yield lambda upstreams: stack.enter_context(
            started(google, upstreams=upstreams, gemini_project_id=None)
        )


def ask(ways: Ways, body: dict[str, object] | None = None) -> tuple[int, str | None]:
    with ways.gateway.client() as client:
        response = client.post(PATH, json=body or HELLO)
    return response.status_code, response.headers.get("x-upstream")


@pytest.mark.parametrize(
    ("failure", "first", "last"),
    [
        (error(500), 2, 2),
        (error(503), 2, 2),
        (page(502), 2, 2),
        (drop(), 2, 2),
        (page(200), 2, 2),
        (error(429), 1, 2),
        (EXHAUSTED, 1, 1),
        (error(403), 1, 1),
        (page(404), 1, 1),
    ],
    ids=["500", "503", "a page", "hung up on", "no JSON", "429", "a quota", "403", "404"],
)
def test_the_account_is_not_asked_about_more_often_than_a_model(
    failure: Play, first: int, last: int, start: Start, google: Google
) -> None:
    """So often with another way open, and so often without one."""
    ways = start("code_assist,vertex")
    google.reset()
    google.script(*[failure] * 9, on="loadCodeAssist")
    assert ask(ways) == (200, "vertex")
    assert len(google.calls("loadCodeAssist")) == first
    assert ask(ways, OTHER_MODEL) == (200, "vertex")
    assert len(google.calls("loadCodeAssist")) == first, "the account has no other model, either"

    alone = start("code_assist")
    google.reset()
    google.script(*[failure] * 9, on="loadCodeAssist")
    assert ask(alone)[0] >= 400
    assert len(google.calls("loadCodeAssist")) == last


@pytest.mark.parametrize("failure", [error(500), error(429)], ids=["500", "429"])
def test_an_enrolment_is_begun_once(failure: Play, start: Start, google: Google) -> None:
    alone = start("code_assist")
    google.reset()
    google.script(*[NEW_USER] * 9, on="loadCodeAssist")
    google.script(*[failure] * 9, on="onboardUser")
    assert ask(alone)[0] >= 400
    assert len(google.calls("onboardUser")) == 1


def test_an_enrolment_that_nobody_can_look_at_is_not_begun_anew(
    start: Start, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "POLL_SECONDS", 0.001)
    alone = start("code_assist")
    google.reset()
    google.script(*[NEW_USER] * 9, on="loadCodeAssist")
    google.script(*[document({"name": "operations/x", "done": False})] * 9, on="onboardUser")
    google.script(*[error(500)] * 9, on="operation")
    assert ask(alone)[0] == 500
    assert (len(google.calls("onboardUser")), len(google.calls("operation"))) == (1, 3)
