"""Who the service is for Vertex AI: the metadata server, a person's file, a service account's."""

import base64
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from service.credentials import identity
from service.credentials.api_key import ApiKey
from service.errors import CredentialsError
from service.settings import Secret, load
from tests.conftest import StartGateway
from tests.faults.ways import hanging, settings_of_ways
from tests.gateway import HELLO, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import document, drop, page
from tests.simulators.secret_manager import SecretManager

PATH = "/v1/chat/completions"
ACCOUNT = "robot@sim-project.iam.gserviceaccount.com"


@pytest.fixture
def start(start_gateway: StartGateway, google: Google) -> Callable[..., Gateway]:
    """Start a gateway that has Vertex AI only."""

    def start(**differs: Any) -> Gateway:
        return start_gateway(**settings_of_ways(google, **({"upstreams": "vertex"} | differs)))

    return start


def ask(gateway: Gateway) -> tuple[int, str | None]:
    with gateway.client() as client:
        response = client.post(PATH, json=HELLO)
    error = response.json().get("error")
    return response.status_code, error and error["code"]


def test_on_google_cloud_it_is_the_service_itself_without_any_secret(
    start: Callable[..., Gateway], google: Google
) -> None:
    assert ask(start(vertex_project=None, google_cloud_project=None)) == (200, None)
    (call,) = google.calls("generate")
    assert call.path.startswith(f"/v1/projects/{google.project}/locations/global/publishers/")
    assert call.headers["authorization"].startswith("Bearer ya29.c")


def test_a_metadata_server_that_is_down_at_first_is_asked_again_by_the_next_request(
    start: Callable[..., Gateway], google: Google
) -> None:
    google.script(*[drop()] * 20, on="metadata")
    gateway = start()
    assert ask(gateway) == (503, "token_endpoint_unavailable")
    google.reset()
    assert ask(gateway) == (200, None)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's way with a full listen queue")
def test_one_that_takes_no_connection_does_not_hold_up_the_other_ways(
    start: Callable[..., Gateway], google: Google
) -> None:
    with ExitStack() as stack:
        address = hanging(stack).removeprefix("http://")
        gateway = start(
            upstreams="vertex,gemini_api", gce_metadata_host=address, upstream_connect_seconds=0.2
        )
        began = time.monotonic()
        assert ask(gateway) == (200, None)
        assert time.monotonic() - began < identity.TIMEOUT
    assert [call.upstream for call in google.calls("generate")] == ["gemini_api"]


def test_a_machine_without_a_service_account_says_so(
    start: Callable[..., Gateway], google: Google
) -> None:
    google.script(page(404), on="metadata")
    assert ask(start()) == (500, "credentials_unavailable")


@pytest.mark.parametrize(
    ("location", "path"), [("global", "global"), ("eu", "eu"), ("europe-west1", "europe-west1")]
)
def test_the_location_is_in_the_path(
    location: str, path: str, start: Callable[..., Gateway], google: Google
) -> None:
    assert ask(start(vertex_location=location)) == (200, None)
    assert f"/projects/proj-test-1/locations/{path}/" in google.calls("generate")[0].path


def user(google: Google, **more: str) -> dict[str, str]:
    return {
        "type": "authorized_user",
        "client_id": google.client_id,
        "client_secret": google.client_secret,
        "refresh_token": "1//sim-refresh",
        **more,
    }


def robot(google: Google) -> dict[str, str]:
    """Make a key of a service account, which the simulated Google knows."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    google.service_accounts[ACCOUNT] = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": "robots-project",
        "private_key": private.decode(),
        "private_key_id": "1",
        "client_email": ACCOUNT,
        "token_uri": f"{google.url}/token",
    }


@pytest.fixture
def use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[..., Gateway], google: Google
) -> Callable[[dict[str, str]], Gateway]:
    """Start a gateway off Google Cloud, with a file of credentials."""
    for name in ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)

    def use(document_: dict[str, str]) -> Gateway:
        path = tmp_path / "credentials.json"
        path.write_bytes(msgspec.json.encode(document_))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        return start(
            google_application_credentials=str(path),
            gce_metadata_host=None,
            vertex_project=None,
            oauth_token_url=f"{google.url}/token",
        )

    return use


Use = Callable[[dict[str, str]], Gateway]


def test_a_persons_file_is_refreshed_and_their_quota_project_pays(use: Use, google: Google) -> None:
    assert ask(use(user(google, quota_project_id="payer-1"))) == (200, None)
    (call,) = google.calls("generate")
    assert call.headers["x-goog-user-project"] == "payer-1"
    assert "/projects/payer-1/" in call.path, "where nothing else names one"
    assert google.calls("token")[0].body["grant_type"] == "refresh_token"


def test_a_service_accounts_file_signs_for_its_token(use: Use, google: Google) -> None:
    assert ask(use(robot(google))) == (200, None)
    (call,) = google.calls("generate")
    assert "/projects/robots-project/" in call.path
    assert "x-goog-user-project" not in call.headers
    assertion = google.calls("token")[0].body["assertion"]
    head = assertion.split(".")[0]
    assert (
        msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"]
        == "RS256"
    )


def test_a_refused_file_says_what_to_run(use: Use, google: Google) -> None:
    google.revoked_refresh_tokens.add("1//sim-refresh")
    assert ask(use(user(google, quota_project_id="p-1"))) == (500, "credentials_revoked")


def test_an_outage_of_the_token_endpoint_is_one(use: Use, google: Google) -> None:
    google.script(*[document({"error": "internal_failure"}, 503)] * 20, on="token")
    assert ask(use(user(google, quota_project_id="p-1"))) == (503, "token_endpoint_unavailable")


async def test_a_key_is_read_again_when_it_is_rejected_but_not_each_time() -> None:
    keys, now = ["old", "new"], 0.0

    async def read() -> str | None:
        return keys.pop(0) if keys else None

    key = ApiKey(read, now=lambda: now)
    first = await key.token()
    assert await key.token() is first
    assert (await key.token(rejected=first)).value == "old", "it was read just now"
    assert str(key.refusal).startswith("Google rejected the gateway's API key.")
    now = 61.0
    second = await key.token(rejected=first)
    assert (first.value, second.value) == ("old", "new")
    assert key.refusal is None
    now = 200.0
    assert await key.token(rejected=second) is second, "what cannot be read changes nothing"


async def test_a_key_that_is_not_there_is_told() -> None:
    async def read() -> str | None:
        return ""

    with pytest.raises(CredentialsError):
        await ApiKey(read).token()


@pytest.mark.parametrize("value", ["AIza\N{EN DASH}KEY", "AIza\nKEY"])
async def test_a_key_that_no_header_can_hold_is_told(value: str) -> None:
    async def read() -> str | None:
        return value

    with pytest.raises(CredentialsError, match="cannot be a key") as raised:
        await ApiKey(read).token()
    assert "AIza" not in str(raised.value)


@pytest.mark.parametrize("token", ["ya29.\N{EN DASH}", "ya29.\nx"])
def test_a_token_that_no_header_can_hold_closes_that_way_only(
    token: str, start: Callable[..., Gateway], google: Google
) -> None:
    broken = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
    google.script(*[document(broken)] * 9, on="token")
    assert ask(start(upstreams="code_assist")) == (500, "upstream_authentication_error")
    assert ask(start(upstreams="code_assist,gemini_api")) == (200, None)


def test_a_key_may_be_in_secret_manager(
    start: Callable[..., Gateway], secret_manager: SecretManager, google: Google
) -> None:
    secret_manager.add("projects/p/secrets/key", b"sim-api-key\n")
    gateway = start(
        upstreams="gemini_api",
        gemini_api_key=Secret("sm://projects/p/secrets/key"),
        secret_manager_endpoint=secret_manager.address,
    )
    assert ask(gateway) == (200, None)
    (call,) = google.calls("generate")
    assert call.headers["x-goog-api-key"] == "sim-api-key"
    assert "authorization" not in call.headers
    assert "sim-api-key" not in f"{call.path}{call.query}"


def test_one_way_that_cannot_be_read_does_not_close_the_others(
    start: Callable[..., Gateway], secret_manager: SecretManager
) -> None:
    gateway = start(
        upstreams="gemini_api,vertex",
        gemini_api_key=Secret("sm://projects/p/secrets/none"),
        secret_manager_endpoint=secret_manager.address,
    )
    assert ask(gateway) == (200, None)
    with gateway.client() as client:
        assert client.get("/ready").status_code == 200


def test_when_no_way_can_be_read_the_gateway_is_not_ready(
    start: Callable[..., Gateway], secret_manager: SecretManager
) -> None:
    gateway = start(
        upstreams="gemini_api,code_assist",
        gemini_api_key=Secret("sm://projects/p/secrets/none"),
        gcp_service_account=Secret("sm://projects/p/secrets/none"),
        secret_manager_endpoint=secret_manager.address,
    )
    assert ask(gateway)[0] == 500
    with gateway.client() as client:
        assert client.get("/ready").status_code == 503


def test_a_key_that_google_rejected_is_known_to_be_dead(
    start: Callable[..., Gateway], google: Google
) -> None:
    google.api_keys.clear()
    gateway = start(upstreams="gemini_api")
    assert ask(gateway) == (500, "upstream_authentication_error")
    assert len(google.calls("generate")) == 1, "the same key is not tried again"
    with gateway.client() as client:
        response = client.get("/ready")
    assert response.status_code == 503
    assert "https://aistudio.google.com/apikey" in response.text
    assert "sim-api-key" not in response.text


@pytest.mark.parametrize(
    ("environ", "ways"),
    [
        ({"K_SERVICE": "s"}, ["vertex"]),
        ({"K_SERVICE": "s", "GEMINI_API_KEY": "k"}, ["gemini_api"]),
        ({"GEMINI_API_KEY": "k"}, ["gemini_api"]),
        ({"GCP_SERVICE_ACCOUNT": "{}", "GEMINI_API_KEY": "k"}, ["code_assist", "gemini_api"]),
        ({"VERTEX_PROJECT": "p-1"}, ["vertex"]),
        ({}, ["code_assist"]),
        ({"UPSTREAMS": "vertex, code_assist,vertex"}, ["vertex", "code_assist"]),
    ],
)
def test_unset_the_ways_are_what_the_credentials_allow(
    environ: dict[str, str], ways: list[str]
) -> None:
    always = {"ALLOW_UNAUTHENTICATED": "true", "GCP_SERVICE_ACCOUNT_FILE": "/nonexistent/x"}
    assert load(always | environ).ways == ways
