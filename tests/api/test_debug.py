"""The debug endpoints: what existing scripts read in them, and what nobody may."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from service.app import create_app
from service.settings import Secret
from tests.conftest import StartGateway
from tests.faults.ways import settings_of_ways
from tests.gateway import API_KEY, HELLO, credential, settings_for
from tests.simulators.google import Google
from tests.simulators.replies import document, error

CACHE = ("GET", "/v1/debug/cache")
TOKEN = ("POST", "/v1/token-test")
FULL = ("POST", "/v1/test")
ALIASES = [("GET", "/v1/cache"), ("POST", "/v1/debug/token-test"), ("POST", "/v1/debug/test")]

OWN = {"source": "refresh", "backend": "memory"}


@pytest.fixture
def fresh(start_gateway: StartGateway) -> httpx.Client:
    """A client of a gateway that has no token yet."""
    return start_gateway().client()


def test_without_a_token_the_cache_says_so_and_nothing_is_refreshed(
    fresh: httpx.Client, google: Google
) -> None:
    with fresh:
        assert fresh.request(*CACHE).json() == {
            "status": "ok",
            "cached": False,
            "message": "No token found in cache",
            "source": None,
            "backend": "memory",
            "refreshed_by": None,
        }
    assert google.calls("token") == []


def test_the_cache_tells_times_and_who_refreshed(fresh: httpx.Client) -> None:
    with fresh:
        fresh.post("/v1/chat/completions", json=HELLO)
        body = fresh.request(*CACHE).json()
    assert body.pop("refreshed_by")
    left = body.pop("time_until_expiry_seconds")
    times = [datetime.fromisoformat(body.pop(name)) for name in ("cached_at", "expires_at")]
    assert 3590 < (times[1] - times[0]).total_seconds() <= 3600
    assert 3590 < left <= 3600
    assert body == {"status": "ok", "cached": True, "is_expired": False, **OWN}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (TOKEN, {"message": "Token authentication successful"}),
        (
            FULL,
            {
                "message": "Authentication and project discovery successful",
                "project_available": True,
                "upstream": "code_assist",
            },
        ),
    ],
)
def test_what_works_is_said_to_work(
    request_: tuple[str, str], said: dict[str, Any], fresh: httpx.Client
) -> None:
    with fresh:
        response = fresh.request(*request_)
    body = response.json()
    assert body.pop("refreshed_by")
    assert (response.status_code, body) == (200, {"status": "ok", **said, **OWN})


def test_the_credentials_own_token_is_named_as_such(
    start_gateway: StartGateway, google: Google
) -> None:
    google.tokens.accept("ya29.own")
    own = credential(google)[:-1] + ',"access_token":"ya29.own","expiry_date":4000000000000}'
    with start_gateway(gcp_service_account=Secret(own)).client() as client:
        assert client.request(*TOKEN).json()["source"] == "credential"
        assert client.request(*CACHE).json()["cached_at"] is None


@pytest.mark.parametrize("request_", [CACHE, TOKEN, FULL, *ALIASES])
def test_they_want_the_key_as_all_of_v1(
    request_: tuple[str, str], client: httpx.Client, stranger: httpx.Client
) -> None:
    assert client.request(*request_).status_code == 200
    assert stranger.request(*request_).status_code == 401


@pytest.mark.parametrize(
    ("peer", "status"),
    [("127.0.0.1", 200), ("127.8.9.1", 200), ("::1", 200), ("203.0.113.5", 403), ("", 403)],
)
async def test_without_a_key_only_the_same_machine_is_answered(
    peer: str, status: int, google: Google
) -> None:
    app: Any = create_app(settings_for(google, openai_api_key=None))
    transport = httpx.ASGITransport(app, client=(peer, 1), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        response = await client.get("/v1/debug/cache", headers={"x-forwarded-for": "127.0.0.1"})
    if status == 403:
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "permission_denied"
    else:
        # It was let in; nothing has started behind it here.
        assert response.status_code == 500


@pytest.mark.parametrize(
    ("operation", "failure", "request_", "code"),
    [
        ("token", document({"error": "invalid_grant"}, 400), TOKEN, "credentials_revoked"),
        ("token", document({"error": "invalid_grant"}, 400), FULL, "credentials_revoked"),
        ("loadCodeAssist", error(403, message="No."), FULL, "permission_denied"),
    ],
)
def test_a_failure_is_500_in_both_forms(
    operation: str,
    failure: Any,
    request_: tuple[str, str],
    code: str,
    *,
    start_gateway: StartGateway,
    google: Google,
) -> None:
    google.script(failure, on=operation)
    with start_gateway().client() as client:
        response = client.request(*request_)
    body = response.json()
    assert response.status_code == 500
    assert response.headers["x-should-retry"] == "false"
    assert body["status"] == "error"
    assert body["error"]["code"] == code
    assert body["message"] == body["error"]["message"] != ""


SAID = (
    "Permission 'x' denied on resource '//y/projects/sim-project/locations/global' for "
    "somebody@example.com; API not used in project my-proj-1 before: see project=other2 "
    "and the project discovery page."
)


def test_no_failure_tells_whom_or_which_project(
    start_gateway: StartGateway, google: Google
) -> None:
    google.script(error(403, message=SAID), on="loadCodeAssist")
    with start_gateway(gemini_project_id="plainname").client() as client:
        message = client.request(*FULL).json()["message"]
    for hidden in ("sim-project", "somebody", "my-proj-1", "other2", "plainname"):
        assert hidden not in message
    assert "the project discovery page" in message


@pytest.mark.parametrize("request_", [CACHE, TOKEN, FULL])
def test_no_answer_tells_the_token_the_account_or_the_project(
    request_: tuple[str, str], client: httpx.Client, google: Google
) -> None:
    client.post("/v1/chat/completions", json=HELLO)
    text = client.request(*request_).text
    for hidden in (google.tokens.current[:10], google.project, google.email, API_KEY):
        assert hidden not in text


@pytest.mark.parametrize("request_", [CACHE, TOKEN, FULL])
def test_each_of_several_ways_is_told(
    request_: tuple[str, str], start_gateway: StartGateway, google: Google
) -> None:
    google.revoked_refresh_tokens.add("1//sim-refresh")
    with start_gateway(**settings_of_ways(google)).client() as client:
        response = client.request(*request_)
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "ok")
    assert list(body["upstreams"]) == ["code_assist", "vertex", "gemini_api"]
    assert body["upstreams"]["gemini_api"]["status"] == "ok"
    if request_ != CACHE:
        assert body["upstreams"]["code_assist"]["error"]["code"] == "credentials_revoked"
        assert body["upstreams"]["vertex"]["status"] == "ok"


def test_a_key_has_no_end(start_gateway: StartGateway, google: Google) -> None:
    with start_gateway(**settings_of_ways(google, upstreams="gemini_api")).client() as client:
        body = client.request(*CACHE).json()
    assert (body["cached"], body["expires_at"], body["is_expired"]) == (True, None, False)
    assert "sim-api-key" not in str(body)


@pytest.mark.parametrize("upstream", ["code_assist", "vertex", "gemini_api"])
def test_a_way_that_google_has_closed_is_not_called_good(
    start_gateway: StartGateway, google: Google, upstream: str
) -> None:
    with start_gateway(**settings_of_ways(google, upstreams=upstream)).client() as client:
        assert client.request(*FULL).json()["status"] == "ok"
        google.script(error(403), on="countTokens")
        body = client.request(*FULL).json()
    assert (body["status"], body["error"]["code"]) == ("error", "permission_denied")
