"""Gateways whose secrets are behind references: start, failure, healing, rotation."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from service import app
from service.credentials import provider, sources
from service.settings import Secret
from tests.conftest import StartGateway
from tests.gateway import API_KEY, HELLO, AccessLog, Gateway, credential
from tests.leaks import LEAKS
from tests.simulators import oauth
from tests.simulators.calls import Call
from tests.simulators.google import Google
from tests.simulators.secret_manager import SecretManager
from tests.simulators.wire import Reply

PATH = "/v1/chat/completions"
OAUTH = "projects/own/secrets/oauth"
CLIENT = "projects/own/secrets/client"
KEY = "projects/own/secrets/key"
REFERENCES = {
    "gcp_service_account": Secret("sm://oauth"),
    "oauth_client_secret": Secret("sm://client"),
    "openai_api_key": Secret("sm://key"),
}
LEAKS.learn("sim-private-key")
SERVICE_ACCOUNT = msgspec.json.encode({"type": "service_account", "private_key": "sim-private-key"})

Start = Callable[..., Gateway]
Pool = ThreadPoolExecutor


@pytest.fixture
def secrets(secret_manager: SecretManager, google: Google) -> SecretManager:
    """A Secret Manager that holds all that a gateway needs."""
    secret_manager.add(OAUTH, credential(google).encode())
    secret_manager.add(CLIENT, f"{google.client_secret}\n".encode())
    secret_manager.add(KEY, API_KEY.encode())
    return secret_manager


@pytest.fixture
def start(secrets: SecretManager, start_gateway: StartGateway) -> Start:
    """Start a gateway that has nothing inline."""

    def begin(**differs: Any) -> Gateway:
        place: dict[str, Any] = {
            "secret_manager_endpoint": secrets.address,
            "google_cloud_project": "own",
        }
        return start_gateway(**(REFERENCES | place | differs))

    return begin


@pytest.fixture
def pool() -> Iterator[Pool]:
    with ThreadPoolExecutor() as pool:
        yield pool


def error_of(response: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    return error


def wait_until_ready(client: httpx.Client, *, ready: bool = True) -> httpx.Response:
    """Ask until the service is ready, or says why it is not."""
    deadline = time.monotonic() + 10
    while True:
        response = client.get("/ready")
        starting = "starting" in response.text
        if response.status_code == (200 if ready else 503) and not starting:
            return response
        assert time.monotonic() < deadline, response.text


def ask(client: httpx.Client, pool: Pool) -> Future[httpx.Response]:
    """Ask for a completion; return when the gateway has it before it."""
    asking = pool.submit(client.post, PATH, json=HELLO)
    assert client.get("/health").status_code == 200
    return asking


def test_every_reference_is_read_at_once(start: Start, secrets: SecretManager, pool: Pool) -> None:
    gate = secrets.hold()
    with start().client() as client:
        secrets.wait_for("AccessSecretVersion", 3)
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 503
        asking = ask(client, pool)
        assert not asking.done()
        gate.open()
        assert asking.result().status_code == 200
        assert client.get("/ready").status_code == 200
    assert sorted(secrets.calls) == [
        ("AccessSecretVersion", f"{name}/versions/latest") for name in sorted((CLIENT, KEY, OAUTH))
    ]


def test_a_request_waits_for_the_first_read_and_no_longer_than_ten_seconds(
    start: Start, secrets: SecretManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.LONGEST_WAIT == 10
    monkeypatch.setattr(app, "LONGEST_WAIT", 0.05)
    gate = secrets.hold()
    with start().client() as client:
        response = client.post(PATH, json=HELLO)
        gate.open()
    assert response.status_code == 503
    assert error_of(response)["code"] == "server_is_overloaded"
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("key", ["sm://key", "sm://projects/own/secrets/key", "sk-wrong"])
def test_no_reference_is_a_key(start: Start, secrets: SecretManager, key: str) -> None:
    with start().client(key) as client:
        for _ in range(2):
            response = client.post(PATH, json=HELLO)
            assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")
    assert secrets.calls, "the reference was read, and is still no key"


def test_no_reference_is_a_key_while_it_cannot_be_read(
    start: Start, secrets: SecretManager
) -> None:
    secrets.fail("AccessSecretVersion", "PERMISSION_DENIED", times=3)
    with start().client("sm://key") as client:
        response = client.post(PATH, json=HELLO)
    assert (response.status_code, error_of(response)["code"]) == (500, "credentials_unavailable")


def test_several_keys_may_be_in_one_secret(start: Start, secrets: SecretManager) -> None:
    LEAKS.learn("sk-first", "sk-second")
    secrets.add(KEY, b"sk-first, sk-second\n")
    gateway = start()
    for key, status in (("sk-first", 200), ("sk-second", 200), (API_KEY, 401)):
        with gateway.client(key) as client:
            assert client.post(PATH, json=HELLO).status_code == status


def document(**differs: str | float | None) -> bytes:
    """A credential that works, but for these fields."""
    usual = {"refresh_token": "1//sim-refresh", "client_id": "i", "client_secret": "s"}
    return msgspec.json.encode(usual | differs)


UNREADABLE = "credentials_unavailable"
UNWORKABLE = "upstream_authentication_error"


class Fault(NamedTuple):
    name: str  # of the secret
    content: bytes | None
    code: str
    says: list[str]


FAULTS = {
    "no secret": Fault(
        OAUTH,
        None,
        UNREADABLE,
        ["sm://oauth does not exist", "Create the secret and add a version"],
    ),
    "no permission": Fault(
        OAUTH,
        b"PERMISSION_DENIED",
        UNREADABLE,
        ["sm://", "may not be read", "Grant roles/secretmanager.secretAccessor"],
    ),
    "disabled": Fault(
        OAUTH,
        b"DISABLED",
        UNREADABLE,
        ["sm://oauth is disabled", "Enable that version, or add another"],
    ),
    "service account": Fault(
        OAUTH,
        SERVICE_ACCOUNT,
        UNWORKABLE,
        ["sm://oauth holds a service account's key", "Give it the oauth_creds.json"],
    ),
    "no JSON": Fault(
        OAUTH,
        b"{",
        UNWORKABLE,
        ["sm://oauth is not a JSON object", "the Gemini CLI writes"],
    ),
    "no text": Fault(OAUTH, b"\xff\x00", UNWORKABLE, ["sm://oauth is not a JSON object"]),
    "no refresh token": Fault(
        OAUTH,
        document(refresh_token=None, access_token="ya29.sim-old", expiry_date=1),
        UNWORKABLE,
        ["sm://oauth holds no refresh_token", "Log in with the Gemini CLI again"],
    ),
    "no client": Fault(
        OAUTH,
        document(client_id=None),
        UNWORKABLE,
        ["sm://oauth does not name the OAuth client", "Set OAUTH_CLIENT_ID"],
    ),
    "client's secret missing": Fault(
        CLIENT, None, UNREADABLE, ["sm://client does not exist", "Create"]
    ),
    "client's secret no text": Fault(
        CLIENT, b"\xff", UNWORKABLE, ["sm://client does not hold text"]
    ),
    "key missing": Fault(KEY, None, UNREADABLE, ["sm://key does not exist", "Create the secret"]),
    "key no text": Fault(KEY, b"\xff", UNWORKABLE, ["sm://key does not hold text"]),
    "key empty": Fault(KEY, b" , \n", UNREADABLE, ["sm://key holds no API key", "Add a version"]),
}


def break_(secrets: SecretManager, fault: Fault) -> None:
    match fault.content:
        case None:
            secrets.remove(fault.name)
        case b"PERMISSION_DENIED":
            secrets.fail("AccessSecretVersion", "PERMISSION_DENIED", times=10_000)
        case b"DISABLED":
            secrets.disable(fault.name, 1)
        case content:
            secrets.add(fault.name, content)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_behind_a_reference_is_told_and_heals(
    fault: Fault, start: Start, secrets: SecretManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.RETRY_SECONDS == 60
    monkeypatch.setattr(app, "RETRY_SECONDS", 0.02)
    (good,) = secrets.versions(fault.name)
    break_(secrets, fault)
    with start().client() as client:
        assert client.get("/health").status_code == 200
        response = client.post(PATH, json=HELLO)
        ready = wait_until_ready(client, ready=False)
        assert client.get("/health").status_code == 200
        secrets.mend()
        secrets.add(fault.name, good)
        wait_until_ready(client)
        assert client.post(PATH, json=HELLO).status_code == 200
    assert response.status_code == 500
    assert response.headers["x-should-retry"] == "false"
    for error in (error_of(response), error_of(ready)):
        assert error["code"] == fault.code
        assert all(words in error["message"] for words in fault.says), error["message"]
        assert "sim-private-key" not in error["message"]


def test_a_request_that_waits_for_the_read_gets_its_error(
    start: Start, secrets: SecretManager, pool: Pool
) -> None:
    secrets.fail("AccessSecretVersion", "PERMISSION_DENIED", times=3)
    gate = secrets.hold()
    with start().client() as client:
        secrets.wait_for("AccessSecretVersion", 3)
        asking = ask(client, pool)
        gate.open()
        assert error_of(asking.result())["code"] == "credentials_unavailable"


@pytest.fixture
def revoked(google: Google) -> Callable[[], None]:
    """Let Google forget the credential, and know the one that `replacement` holds."""

    def revoke() -> None:
        google.revoked_refresh_tokens.add("1//sim-refresh")
        google.refresh_tokens.add("1//sim-second")
        google.tokens.revoke_all()

    return revoke


def replacement(google: Google) -> bytes:
    return credential(google).replace("1//sim-refresh", "1//sim-second").encode()


def test_a_version_that_is_there_before_the_refusal_heals_within_the_request(
    start: Start, secrets: SecretManager, google: Google, revoked: Callable[[], None]
) -> None:
    with start().client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200
        secrets.add(OAUTH, replacement(google))
        revoked()
        assert client.post(PATH, json=HELLO).status_code == 200
        assert client.get("/ready").status_code == 200
    refused, healed = google.calls("token")[-2:]
    assert refused.body["refresh_token"] == "1//sim-refresh"
    assert healed.body["refresh_token"] == "1//sim-second"


def test_a_version_that_is_added_after_a_refusal_heals_without_a_restart(
    start: Start,
    secrets: SecretManager,
    google: Google,
    revoked: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with start().client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200
        revoked()
        for response in (client.post(PATH, json=HELLO), client.get("/ready")):
            assert response.status_code in {500, 503}
            assert error_of(response)["code"] == "credentials_revoked"
            assert "python -m service credentials login" in error_of(response)["message"]
        asked, reads = len(google.calls("token")), len(secrets.calls)
        secrets.add(OAUTH, replacement(google))
        assert error_of(client.post(PATH, json=HELLO))["code"] == "credentials_revoked"
        assert len(google.calls("token")) == asked, "Google is left alone for a minute"
        assert len(secrets.calls) == reads, "and so is Secret Manager"
        with monkeypatch.context() as patch:
            patch.setattr(provider, "QUIET_SECONDS", 0)  # a minute later
            patch.setattr(sources, "REREAD_SECONDS", 0)
            assert client.post(PATH, json=HELLO).status_code == 200
        assert client.get("/ready").status_code == 200
    assert google.calls("token")[-1].body["refresh_token"] == "1//sim-second"


def rotating(call: Call) -> Reply:
    return oauth.granted(call.world, refresh_token="1//sim-rotated")


def test_a_new_refresh_token_becomes_a_version_and_is_used(
    start: Start, secrets: SecretManager, google: Google, access_log: AccessLog
) -> None:
    google.script(rotating, on="token")
    with start().client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200
        access_log.wait_for(path=PATH)  # comes when what ran beside the answer is done
        google.tokens.revoke_all()
        google.revoked_refresh_tokens.add("1//sim-refresh")
        assert client.post(PATH, json=HELLO).status_code == 200
    _, added = secrets.versions(OAUTH)
    assert msgspec.json.decode(added) == {
        "type": "authorized_user",
        "refresh_token": "1//sim-rotated",
        "client_id": google.client_id,
        "client_secret": google.client_secret,
    }
    assert google.calls("token")[-1].body["refresh_token"] == "1//sim-rotated"
    with start().client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200, "the next start reads it"


def test_a_new_version_that_the_next_start_will_not_read_is_warned_of(
    start: Start,
    secrets: SecretManager,
    google: Google,
    access_log: AccessLog,
    caplog: pytest.LogCaptureFixture,
) -> None:
    google.script(rotating, on="token")
    pinned = {"gcp_service_account": Secret("sm://oauth/versions/1")}
    with start(**pinned).client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200
        access_log.wait_for(path=PATH)  # comes when what ran beside the answer is done
    (warning,) = [line for line in caplog.messages if "GCP_SERVICE_ACCOUNT" in line]
    assert "sm://oauth/versions/1" in warning
    assert len(secrets.versions(OAUTH)) == 2


def test_a_new_refresh_token_that_may_not_be_added_is_kept_in_memory(
    start: Start,
    secrets: SecretManager,
    google: Google,
    access_log: AccessLog,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secrets.fail("AddSecretVersion", "PERMISSION_DENIED")
    google.script(rotating, on="token")
    with start().client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200
        access_log.wait_for(path=PATH)  # comes when what ran beside the answer is done
        google.tokens.revoke_all()
        google.revoked_refresh_tokens.add("1//sim-refresh")
        assert client.post(PATH, json=HELLO).status_code == 200
    assert google.calls("token")[-1].body["refresh_token"] == "1//sim-rotated"
    assert len(secrets.versions(OAUTH)) == 1
    (warning,) = [line for line in caplog.messages if "in memory only" in line]
    assert "sm://oauth" in warning
    assert "Grant roles/secretmanager.secretVersionAdder" in warning
    assert "1//" not in caplog.text
