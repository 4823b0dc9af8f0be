"""How Code Assist's answers become a project and a tier: the Gemini CLI's decisions."""

from typing import Any

import pytest

from service.errors import GatewayError
from service.schemas.code_assist import CodeAssistProject
from service.upstream import setup
from service.upstream.http import GoogleHttp
from service.upstream.setup import Setup
from tests.simulators import code_assist
from tests.simulators.google import Google
from tests.simulators.replies import document, drop, error, page

PLATFORM = {
    "ideType": "IDE_UNSPECIFIED",
    "platform": "PLATFORM_UNSPECIFIED",
    "pluginType": "GEMINI",
}
NAME = "operations/onboard.7f3a"
NEW_USER = document({"allowedTiers": [code_assist.FREE, code_assist.STANDARD]})
PENDING = document({"name": NAME, "done": False})


@pytest.fixture(autouse=True)
def short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "POLL_SECONDS", 0.001)


async def project(http: GoogleHttp, google: Google, configured: str | None) -> CodeAssistProject:
    return await Setup(http, endpoint=google.url, configured=configured).project()


@pytest.mark.parametrize(
    ("scenario", "configured", "found"),
    [
        ("G1", None, CodeAssistProject("sim-project", "gcp-standard-tier")),
        (
            "G1",
            "mine",
            CodeAssistProject("sim-project", "gcp-standard-tier"),
        ),  # Google's own word counts
        ("G2", "mine", CodeAssistProject("mine", "gcp-standard-tier")),
        ("G3", "mine", CodeAssistProject("mine", "standard-tier")),
        ("G4", None, CodeAssistProject("cogent-x-1", "free-tier")),
        ("G5", None, CodeAssistProject("gen-lang-client-0123", "free-tier")),
        (
            "G9",
            "mine",
            CodeAssistProject("mine", "standard-tier"),
        ),  # the licence's tier is open all the same
        ("G12", "mine", CodeAssistProject("mine", "legacy-tier")),
        ("G13", "mine", CodeAssistProject("mine", "standard-tier")),
        ("G14", None, CodeAssistProject("sim-project", "gcp-standard-tier")),
        ("G15", None, CodeAssistProject("123456789012", "gcp-standard-tier")),
    ],
)
async def test_what_is_found(
    http: GoogleHttp,
    google: Google,
    scenario: str,
    configured: str | None,
    found: CodeAssistProject,
) -> None:
    google.play(scenario)
    assert await project(http, google, configured) == found


@pytest.mark.parametrize(
    ("loaded", "tier"),
    [
        ({"currentTier": {}}, "standard-tier"),
        ({"currentTier": {"id": "brand-new-tier"}}, "brand-new-tier"),
        ({"currentTier": {"id": "free-tier"}, "paidTier": {"id": "g1-pro-tier"}}, "g1-pro-tier"),
        ({"currentTier": {"id": "free-tier"}, "paidTier": None}, "free-tier"),
    ],
)
async def test_the_paid_tier_comes_before_the_current_one(
    http: GoogleHttp, google: Google, loaded: dict[str, Any], tier: str
) -> None:
    google.script(document(loaded | {"cloudaicompanionProject": "p"}), on="loadCodeAssist")
    assert (await project(http, google, None)).tier == tier


@pytest.mark.parametrize("configured", [None, "mine"])
async def test_the_configured_project_is_sent_along(
    http: GoogleHttp, google: Google, configured: str | None
) -> None:
    await project(http, google, configured)
    (call,) = google.calls("loadCodeAssist")
    named = {"cloudaicompanionProject": configured} if configured else {}
    duet = {"duetProject": configured} if configured else {}
    assert call.body == {"metadata": PLATFORM | duet, **named}


@pytest.mark.parametrize("configured", [None, "mine"])
async def test_the_free_tier_is_never_asked_for_with_a_project(
    http: GoogleHttp, google: Google, configured: str | None
) -> None:
    google.script(NEW_USER, on="loadCodeAssist")
    assert (await project(http, google, configured)).tier == "free-tier"
    (call,) = google.calls("onboardUser")
    assert call.body == {"tierId": "free-tier", "metadata": PLATFORM}


async def test_any_other_tier_is_asked_for_with_the_configured_one(
    http: GoogleHttp, google: Google
) -> None:
    google.play("G12")
    await project(http, google, "mine")
    (call,) = google.calls("onboardUser")
    assert call.body == {
        "tierId": "legacy-tier",
        "cloudaicompanionProject": "mine",
        "metadata": PLATFORM | {"duetProject": "mine"},
    }


async def test_and_not_at_all_without_one(http: GoogleHttp, google: Google) -> None:
    google.play("G12")
    with pytest.raises(GatewayError):
        await project(http, google, None)
    assert google.calls("onboardUser") == []


async def test_an_enrolment_is_polled_until_it_is_done(http: GoogleHttp, google: Google) -> None:
    google.play("G5")
    await project(http, google, None)
    assert len(google.calls("onboardUser")) == 1
    polls = google.calls("operation")
    assert [(poll.method, poll.path) for poll in polls] == [("GET", f"/v1internal/{NAME}")] * 3


@pytest.mark.parametrize(
    "operation",
    [
        {"done": False},  # without a name there is nothing to poll
        {"done": True},
        {"done": True, "response": {}},
        {"done": True, "response": {"cloudaicompanionProject": {}}},
    ],
)
async def test_an_enrolment_may_bring_no_project(
    http: GoogleHttp, google: Google, operation: dict[str, Any]
) -> None:
    for configured in ("mine", None):
        google.script(NEW_USER, on="loadCodeAssist")
        google.script(document(operation), on="onboardUser")
        if configured:
            assert (await project(http, google, configured)).id == "mine"
            continue
        with pytest.raises(GatewayError) as raised:
            await project(http, google, configured)
        assert raised.value.code == "project_required"
    assert google.calls("operation") == []


@pytest.mark.parametrize("failure", [error(500), error(503), page(502), drop(), error(504)])
async def test_what_only_asks_is_tried_again(
    http: GoogleHttp, google: Google, failure: Any
) -> None:
    google.script(failure, NEW_USER, on="loadCodeAssist")
    google.script(PENDING, on="onboardUser")
    google.script(failure, PENDING, failure, failure, on="operation")
    assert (await project(http, google, None)).id == google.project
    assert len(google.calls("loadCodeAssist")) == 2
    assert len(google.calls("onboardUser")) == 1
    assert len(google.calls("operation")) == 5


async def test_but_not_for_ever(http: GoogleHttp, google: Google) -> None:
    google.script(*[error(500)] * 9, on="loadCodeAssist")
    with pytest.raises(GatewayError) as raised:
        await project(http, google, None)
    assert (raised.value.status, raised.value.code) == (500, "server_error")
    assert len(google.calls("loadCodeAssist")) == 2


async def test_an_enrolment_is_sent_once(http: GoogleHttp, google: Google) -> None:
    google.script(NEW_USER, on="loadCodeAssist")
    google.script(error(500), on="onboardUser")
    with pytest.raises(GatewayError) as raised:
        await project(http, google, None)
    assert raised.value.status == 500
    assert len(google.calls("onboardUser")) == 1


# google.rpc.Code -> status and code of the error
@pytest.mark.parametrize(
    ("rpc", "status", "code"),
    [
        (1, 504, "upstream_timeout"),
        (2, 500, "server_error"),
        (3, 403, "setup_refused"),
        (4, 504, "upstream_timeout"),
        (5, 403, "setup_refused"),
        (6, 403, "setup_refused"),
        (7, 403, "permission_denied"),
        (8, 429, "rate_limit_exceeded"),
        (9, 403, "setup_refused"),
        (12, 403, "setup_refused"),
        (13, 500, "server_error"),
        (14, 503, "server_is_overloaded"),
        (16, 500, "upstream_authentication_error"),
        (403, 403, "permission_denied"),
        (99, 502, "upstream_invalid_response"),
    ],
)
async def test_a_failed_enrolment_says_why(
    http: GoogleHttp, google: Google, rpc: int, status: int, code: str
) -> None:
    failed = {"name": NAME, "done": True, "error": {"code": rpc, "message": "No room in here."}}
    google.script(NEW_USER, on="loadCodeAssist")
    google.script(PENDING, on="onboardUser")
    google.script(document(failed), on="operation")
    with pytest.raises(GatewayError) as raised:
        await project(http, google, "mine")
    assert (raised.value.status, raised.value.code) == (status, code)
    assert rpc == 16 or "No room in here." in raised.value.message


async def test_an_error_with_status_200_is_one(http: GoogleHttp, google: Google) -> None:
    body = {"error": {"code": 403, "message": "Not you.", "status": "PERMISSION_DENIED"}}
    google.script(document(body), on="loadCodeAssist")
    with pytest.raises(GatewayError, match="Not you") as raised:
        await project(http, google, None)
    assert raised.value.code == "permission_denied"
