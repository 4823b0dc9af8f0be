"""The client of Secret Manager against a gRPC server that speaks Google's own messages."""

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from service.credentials import secret_manager
from service.credentials.secret_manager import SecretManager, crc32c
from service.errors import CredentialsError
from tests.simulators.google import Google
from tests.simulators.secret_manager import SecretManager as Simulated
from tests.simulators.secret_manager import crc32c as crc32c_as_defined

OAUTH = "projects/own/secrets/oauth"
REFERENCE = f"sm://{OAUTH}"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def client(secret_manager: Simulated) -> SecretManager:
    return SecretManager(secret_manager.address, "own")


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_manager, "RETRY_DELAYS", (0.001, 0.001, 0.001))


async def refusal(reading: SecretManager, reference: str = REFERENCE) -> str:
    with pytest.raises(CredentialsError) as raised:
        await reading.read(reference)
    assert raised.value.code == "credentials_unavailable"
    assert reference in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("reference", "asked", "payload"),
    [
        ("sm://oauth", f"{OAUTH}/versions/latest", b"two"),
        ("sm://oauth/versions/1", f"{OAUTH}/versions/1", b"one"),
        ("sm://projects/own/secrets/oauth", f"{OAUTH}/versions/latest", b"two"),
        ("sm://projects/own/secrets/oauth/versions/1", f"{OAUTH}/versions/1", b"one"),
        (
            "sm://projects/other/secrets/key",
            "projects/other/secrets/key/versions/latest",
            bytes(range(256)),
        ),
    ],
)
async def test_a_reference_is_read(
    client: SecretManager, secret_manager: Simulated, reference: str, asked: str, payload: bytes
) -> None:
    secret_manager.add(OAUTH, b"one")
    secret_manager.add(OAUTH, b"two")
    secret_manager.add("projects/other/secrets/key", bytes(range(256)))
    assert await client.read(reference) == payload
    assert secret_manager.calls == [("AccessSecretVersion", asked)]


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("sm://none", "does not exist"),
        (f"{REFERENCE}/versions/9", "no such version"),
        (f"{REFERENCE}/versions/canary", "no such version"),
        (f"{REFERENCE}/versions/2", "Enable that version, or add another"),
        (REFERENCE, "no older version stands in"),
    ],
)
async def test_a_version_that_cannot_be_read_is_named_with_the_remedy(
    client: SecretManager, secret_manager: Simulated, reference: str, says: str
) -> None:
    secret_manager.add(OAUTH, b"one")
    secret_manager.add(OAUTH, b"two")
    secret_manager.disable(OAUTH, 2)
    assert says in await refusal(client, reference)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("PERMISSION_DENIED", "Grant roles/secretmanager.secretAccessor on this secret"),
        ("INVALID_ARGUMENT", "answered INVALID_ARGUMENT"),
        ("INTERNAL", "answered INTERNAL"),
    ],
)
async def test_a_refusal_is_told_at_once(
    client: SecretManager, secret_manager: Simulated, status: str, says: str
) -> None:
    secret_manager.add(OAUTH, b"one")
    secret_manager.fail("AccessSecretVersion", status)
    assert says in await refusal(client)
    assert len(secret_manager.calls) == 1
    assert await client.read(REFERENCE) == b"one"


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("status", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
async def test_an_outage_is_tried_again_four_times_in_all(
    client: SecretManager, secret_manager: Simulated, status: str
) -> None:
    secret_manager.add(OAUTH, b"one")
    secret_manager.fail("AccessSecretVersion", status, times=3)
    assert await client.read(REFERENCE) == b"one"
    secret_manager.fail("AccessSecretVersion", status, times=4)
    assert status in await refusal(client)
    assert len(secret_manager.calls) == 8


async def test_a_payload_with_a_wrong_checksum_is_not_taken(
    client: SecretManager, secret_manager: Simulated
) -> None:
    secret_manager.add(OAUTH, b"one")
    secret_manager.corrupt = True
    assert "wrong checksum" in await refusal(client)


async def test_a_server_that_does_not_answer_is_given_up(
    client: SecretManager, secret_manager: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_manager.add(OAUTH, b"one")
    assert await client.read(REFERENCE) == b"one", "the import is not part of the time below"
    monkeypatch.setattr("service.credentials.secret_manager.CALL_SECONDS", 0.1)
    gate = secret_manager.hold()
    assert "could not be reached" in await refusal(client)
    with pytest.raises(CredentialsError, match="could not be reached"):
        await client.add_version(REFERENCE, b"two")
    gate.open()


@pytest.mark.usefixtures("short_waits")
async def test_a_server_that_comes_back_is_read_at_once() -> None:
    with Simulated() as server:
        client = SecretManager(server.address, None)
        server.add(OAUTH, b"one")
        for _ in range(3):
            server.stop()
            assert "could not be reached (UNAVAILABLE)" in await refusal(client)
            server.start()
            assert await client.read(REFERENCE) == b"one"


async def test_references_are_read_side_by_side(
    client: SecretManager, secret_manager: Simulated
) -> None:
    names = [f"secret-{number}" for number in range(4)]
    for name in names:
        secret_manager.add(f"projects/own/secrets/{name}", name.encode())
    gate = secret_manager.hold()
    reading = asyncio.gather(*(client.read(f"sm://{name}") for name in names))
    await asyncio.to_thread(secret_manager.wait_for, "AccessSecretVersion", 4)
    gate.open()
    assert await reading == [name.encode() for name in names]


@pytest.mark.parametrize("reference", ["sm://oauth", f"{REFERENCE}/versions/1"])
async def test_a_version_is_added(
    client: SecretManager, secret_manager: Simulated, reference: str
) -> None:
    secret_manager.add(OAUTH, b"one")
    await client.add_version(reference, b"two")
    assert secret_manager.versions(OAUTH) == [b"one", b"two"]
    assert secret_manager.calls == [("AddSecretVersion", OAUTH)]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("PERMISSION_DENIED", "Grant roles/secretmanager.secretVersionAdder"),
        ("NOT_FOUND", "Create the secret"),
        ("UNAVAILABLE", "could not be reached"),
    ],
)
async def test_an_addition_that_is_refused_is_not_repeated(
    client: SecretManager, secret_manager: Simulated, status: str, says: str
) -> None:
    secret_manager.add(OAUTH, b"one")
    secret_manager.fail("AddSecretVersion", status)
    with pytest.raises(CredentialsError, match=says) as raised:
        await client.add_version(REFERENCE, b"secret-two")
    assert REFERENCE in str(raised.value)
    assert "secret-two" not in repr(raised.value)
    assert len(secret_manager.calls) == 1
    assert secret_manager.versions(OAUTH) == [b"one"]


async def test_a_reference_without_a_project_needs_the_own_one(secret_manager: Simulated) -> None:
    client = SecretManager(secret_manager.address, None)
    assert "GOOGLE_CLOUD_PROJECT" in await refusal(client, "sm://oauth")


async def test_without_a_google_identity_the_login_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    client = SecretManager(None, "own")
    assert "gcloud auth application-default login" in await refusal(client)
    with pytest.raises(CredentialsError, match="application-default login"):
        await client.add_version(REFERENCE, b"two")


def test_on_google_cloud_the_identity_knows_the_project(google: Google, tmp_path: Path) -> None:
    program = (
        "from service.credentials.secret_manager_calls import open_calls\n"
        "print(open_calls(None).project)"
    )
    address = google.metadata_host
    environ = {
        "GCE_METADATA_HOST": address,
        "GCE_METADATA_IP": address,  # where Google's library asks whether there is one
        "CLOUDSDK_CONFIG": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == google.project


def test_googles_library_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys, service.credentials.secret_manager\n"
        "print({'grpc', 'google.auth', 'google.cloud'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "set()"


async def test_the_library_logs_no_secret_even_where_it_logs_everything(
    client: SecretManager,
    secret_manager: Simulated,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_manager.add(OAUTH, b"one")
    await client.read(REFERENCE)
    monkeypatch.setattr(logging.getLogger("google"), "propagate", True)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="google")
    assert await client.read(REFERENCE) == b"one"
    await client.add_version(REFERENCE, b"two")
    assert [record for record in caplog.records if record.name.startswith("google")] == []


@pytest.mark.parametrize("data", [b"", b"123456789", bytes(range(256)), b"\xff" * 1000])
def test_the_checksum_is_that_of_its_definition(data: bytes) -> None:
    assert crc32c(data) == crc32c_as_defined(data)


def test_the_checksum_has_its_known_value() -> None:
    assert crc32c(b"123456789") == 0xE3069283
