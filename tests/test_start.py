"""A process whose secrets are in Secret Manager, and whose token state is in Firestore."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.firestore_emulator import FirestoreEmulator
from tests.gateway import API_KEY, HELLO, credential
from tests.processes import environment, free_port, process, wait_for_health
from tests.simulators.google import Google
from tests.simulators.secret_manager import SecretManager

PROJECT = "sim-project"
SECRETS = f"projects/{PROJECT}/secrets"


def test_it_is_healthy_before_secrets_are_read_and_ready_after(
    google: Google, secret_manager: SecretManager, firestore: FirestoreEmulator
) -> None:
    secret_manager.add(f"{SECRETS}/oauth", credential(google).encode())
    secret_manager.add(f"{SECRETS}/client", google.client_secret.encode())
    secret_manager.add(f"{SECRETS}/key", API_KEY.encode())
    port = free_port()
    environ = environment(google, port) | {
        "GCP_SERVICE_ACCOUNT": "sm://oauth",
        "OAUTH_CLIENT_SECRET": "sm://client",
        "OPENAI_API_KEY": "sm://key",
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "SECRET_MANAGER_ENDPOINT": secret_manager.address,
        "TOKEN_CACHE": "firestore",
        "FIRESTORE_EMULATOR_HOST": firestore.address,
    }
    gate = secret_manager.hold()
    url = f"http://127.0.0.1:{port}"
    with (
        process(**environ) as running,
        ThreadPoolExecutor() as pool,
        httpx.Client(base_url=url, timeout=20, verify=False) as client,  # noqa: S501  (plain HTTP)
    ):
        wait_for_health(url, running)
        secret_manager.wait_for("AccessSecretVersion", 3, timeout=20)
        asking = pool.submit(
            client.post,
            "/v1/chat/completions",
            json=HELLO,
            headers={"authorization": f"Bearer {API_KEY}"},
        )
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 503
        assert not asking.done()
        gate.open()
        assert asking.result().json()["object"] == "chat.completion"
        assert client.get("/ready").status_code == 200
        running.terminate()
        assert running.wait(10) == 0  # by then the token is in Firestore
    assert len(google.calls("token")) == 1
    with process(**environ | {"PORT": str(port := free_port())}) as running:
        url = f"http://127.0.0.1:{port}"
        wait_for_health(url, running)
        answer = httpx.post(
            f"{url}/v1/chat/completions",
            json=HELLO,
            headers={"authorization": f"Bearer {API_KEY}"},
            timeout=20,
        )
        assert answer.status_code == 200
    assert len(google.calls("token")) == 1, "the second process found the token in Firestore"
