"""The user's refresh token at work, over sockets."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import pytest

from service.credentials import issuers
from service.settings import Secret
from tests.conftest import StartGateway
from tests.gateway import HELLO, Gateway, credential, events, text_of
from tests.simulators.google import Google
from tests.simulators.replies import Play, document, drop, page

PATH = "/v1/chat/completions"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuers, "RETRY_DELAYS", (0.001, 0.001, 0.001))


def refused(error: str, status: int = 400, **more: str) -> Play:
    return document({"error": error, "error_description": "Said."} | more, status)


def test_the_refresh_grant_is_sent_as_rfc_6749_says(
    start_gateway: StartGateway, google: Google
) -> None:
    with start_gateway().client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200
        assert client.post(PATH, json=HELLO).status_code == 200
    (call,) = google.calls("token")
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert call.body == {
        "grant_type": "refresh_token",
        "refresh_token": "1//sim-refresh",
        "client_id": google.client_id,
        "client_secret": google.client_secret,
    }


def test_the_credentials_own_access_token_is_used_while_it_lasts(
    start_gateway: StartGateway, google: Google
) -> None:
    google.tokens.accept("ya29.own")
    document_ = msgspec.json.decode(credential(google)) | {
        "access_token": "ya29.own",
        "expiry_date": 4_000_000_000_000,
    }
    inline = Secret(msgspec.json.encode(document_).decode())
    with start_gateway(gcp_service_account=inline).client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200
        assert google.calls("token") == []
        google.tokens.revoke("ya29.own")
        assert client.post(PATH, json=HELLO).status_code == 200
    assert len(google.calls("token")) == 1, "a rejected token is not kept for its date's sake"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_fifty_requests_that_meet_a_401_share_one_refresh(
    gateway: Gateway, google: Google, *, stream: bool
) -> None:
    with gateway.client() as client, ThreadPoolExecutor(50) as pool:
        client.post(PATH, json=HELLO)
        google.reset()
        google.tokens.revoke_all()  # the gateway does not know

        def ask(_: int) -> str:
            response = client.post(PATH, json=HELLO | {"stream": stream})
            if stream:
                return text_of(events(response))
            return str(response.json()["choices"][0]["message"]["content"])

        answers = list(pool.map(ask, range(50)))
    assert len(answers) == 50
    assert all(text.startswith("Hello from") for text in answers)
    assert len(google.calls("token")) == 1
    assert len(google.calls("generate")) > 50, "some of them met the 401"


def test_a_401_that_stays_is_not_the_clients(client: httpx.Client, google: Google) -> None:
    google.play("E10")
    response = client.post(PATH, json=HELLO)
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "upstream_authentication_error"
    assert response.headers["x-should-retry"] == "false"
    assert len(google.calls("token")) == 1
    assert len(google.calls("generate")) == 2


REFUSALS = {
    "invalid_grant": (refused("invalid_grant"), "credentials_revoked", "credentials login"),
    "invalid_grant, foreign": (
        refused("invalid_grant", error_description="Bad Request"),
        "credentials_revoked",
        "credentials import",
    ),
    "invalid_rapt": (
        refused("invalid_grant", error_subtype="invalid_rapt"),
        "reauthentication_required",
        "credentials login",
    ),
    "invalid_client": (refused("invalid_client", 401), "oauth_client_invalid", "OAUTH_CLIENT_ID"),
    "unauthorized_client": (
        refused("unauthorized_client", 401),
        "oauth_client_invalid",
        "OAUTH_CLIENT_ID",
    ),
    "access_denied": (refused("access_denied", 403), "admin_policy_enforced", "administrator"),
    "admin_policy": (
        refused("admin_policy_enforced", 403),
        "admin_policy_enforced",
        "administrator",
    ),
    "our bug": (refused("unsupported_grant_type"), "upstream_authentication_error", "operator"),
    "our other bug": (refused("invalid_request"), "upstream_authentication_error", "operator"),
    "no error at all": (page(404), "upstream_authentication_error", "operator"),
}


@pytest.mark.parametrize(("reply", "code", "remedy"), REFUSALS.values(), ids=list(REFUSALS))
def test_a_refusal_of_the_refresh_says_what_to_do(
    reply: Play, code: str, remedy: str, start_gateway: StartGateway, google: Google
) -> None:
    google.script(reply, on="token")
    with start_gateway().client() as client:
        responses = [client.post(PATH, json=HELLO) for _ in range(2)]
        for response in responses:
            error = response.json()["error"]
            assert (response.status_code, error["type"]) == (500, "server_error")
            assert error["code"] == code
            assert remedy in error["message"]
            assert response.headers["x-should-retry"] == "false"
        ready = client.get("/ready")
        assert (ready.status_code, ready.json()["error"]["code"]) == (503, code)
        assert client.get("/health").status_code == 200
    assert len(google.calls("token")) == 1, "nothing changes by asking again at once"
    assert google.calls("generate") == []


@pytest.mark.parametrize(
    "reply",
    [page(503), refused("internal_failure", 500), drop(), document(["no token"]), page(429)],
    ids=["503 page", "500", "dropped", "no token", "429 page"],
)
def test_an_outage_of_the_token_endpoint_is_tried_three_times_more(
    reply: Play, start_gateway: StartGateway, google: Google
) -> None:
    with start_gateway().client() as client:
        google.script(*[reply] * 4, on="token")
        response = client.post(PATH, json=HELLO)
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "token_endpoint_unavailable"
        assert client.get("/ready").status_code == 200
        assert len(google.calls("token")) == 4

        google.script(*[reply] * 3, on="token")
        assert client.post(PATH, json=HELLO).status_code == 200
    assert len(google.calls("token")) == 8


@pytest.mark.parametrize("expires_in", [3599, "3599", None], ids=["number", "text", "missing"])
def test_the_lifetime_of_a_token_is_understood(
    expires_in: object, start_gateway: StartGateway, google: Google
) -> None:
    google.tokens.expires_in = expires_in
    with start_gateway().client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200
        assert client.post(PATH, json=HELLO).status_code == 200
    assert len(google.calls("token")) == 1


def test_a_token_that_ends_within_five_minutes_is_refreshed_first(
    start_gateway: StartGateway, google: Google
) -> None:
    google.tokens.expires_in = 200
    with start_gateway().client() as client:
        client.post(PATH, json=HELLO)
        client.post(PATH, json=HELLO)
    assert len(google.calls("token")) >= 2
