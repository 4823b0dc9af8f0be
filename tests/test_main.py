"""`python -m service` as a process: how it starts, and how it refuses to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.gateway import HELLO, credential
from tests.simulators.google import Google

ROOT = Path(__file__).parent.parent
CREDENTIAL = '{"refresh_token": "1//x", "client_id": "i", "client_secret": "s"}'
ENOUGH = {"PATH": os.defpath, "HOME": "/nonexistent"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "service", *arguments]


@contextmanager
def process(**environ: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command(),
        cwd=ROOT,
        env=ENOUGH | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for_health(url: str, running: subprocess.Popen[str]) -> None:
    with httpx.Client(verify=False) as client:  # noqa: S501  (plain HTTP; saves loading certificates)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and running.poll() is None:
            try:
                if client.get(f"{url}/health").status_code == 200:
                    return
            except httpx.ConnectError:
                continue
    raise AssertionError(running.communicate()[0])


def environment(google: Google, port: int) -> dict[str, str]:
    """What a gateway needs, and nothing else."""
    return {
        "OPENAI_API_KEY": "k",
        "PORT": str(port),
        "CODE_ASSIST_ENDPOINT": google.url,
        "OAUTH_TOKEN_URL": f"{google.url}/token",
        "GCP_SERVICE_ACCOUNT": '{"refresh_token": "1//sim-refresh"}',
        "OAUTH_CLIENT_ID": google.client_id,
        "OAUTH_CLIENT_SECRET": google.client_secret,
    }


def test_it_starts_and_serves_with_seven_variables_and_nothing_else(google: Google) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(**environment(google, port)) as running:
        wait_for_health(url, running)
        headers = {"authorization": "Bearer k"}
        response = httpx.post(f"{url}/v1/chat/completions", json=HELLO, headers=headers)
        assert response.json()["object"] == "chat.completion"
        running.send_signal(signal.SIGTERM)
        output, _ = running.communicate(timeout=10)
    assert running.returncode == 0
    for secret in ("1//sim-refresh", google.client_secret, google.tokens.current, "Hello!"):
        assert secret not in output


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, ["GCP_SERVICE_ACCOUNT", "oauth_creds.json", "make demo"]),
        ({"GCP_SERVICE_ACCOUNT": "{"}, ["GCP_SERVICE_ACCOUNT", "not a JSON object"]),
        ({"GCP_SERVICE_ACCOUNT": '{"refresh_token": "1//x"}'}, ["OAUTH_CLIENT_ID"]),
        ({"GCP_SERVICE_ACCOUNT_FILE": "/nonexistent/x.json"}, ["/nonexistent/x.json"]),
        ({"PORT": "http"}, ["PORT must be a whole number"]),
        (
            {"DEFAULT_MODEL": "gpt-4o", "GCP_SERVICE_ACCOUNT": CREDENTIAL},
            ["DEFAULT_MODEL must be the id of a Gemini model"],
        ),
        ({"K_SERVICE": "gateway"}, ["OPENAI_API_KEY", "ALLOW_UNAUTHENTICATED"]),
    ],
    ids=[
        "nothing set",
        "no JSON",
        "no client",
        "no file",
        "wrong port",
        "no such model",
        "Cloud Run without a key",
    ],
)
def test_what_cannot_work_exits_78_with_what_to_set(
    environ: dict[str, str], says: list[str]
) -> None:
    done = subprocess.run(
        command(), cwd=ROOT, env=ENOUGH | environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 78
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for words in says:
        assert words in done.stderr
    assert "1//x" not in done.stderr


def test_cloud_run_without_a_key_can_be_asked_for(google: Google) -> None:
    port = free_port()
    environ = environment(google, port) | {
        "K_SERVICE": "gateway",
        "OPENAI_API_KEY": "",
        "ALLOW_UNAUTHENTICATED": "true",
    }
    with process(**environ) as running:
        wait_for_health(f"http://127.0.0.1:{port}", running)


def test_an_unknown_command_says_how_to_use_it() -> None:
    done = subprocess.run(
        command("dance"), cwd=ROOT, env=ENOUGH, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m service")


def test_nothing_slow_is_imported_before_the_server_listens() -> None:
    """The HTTP client takes as long as Litestar; it is imported beside the start, not before."""
    code = (
        "import sys, service.__main__; "
        "slow = ('httpx', 'aiohttp', 'google', 'openai', 'rich', 'service.commands'); "
        "print([name for name in slow if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_document_of_the_google_side_is_used_inline(google: Google) -> None:
    port = free_port()
    environ = environment(google, port)
    for name in ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"):
        del environ[name]
    environ["GCP_SERVICE_ACCOUNT"] = credential(google)
    with process(**environ) as running:
        wait_for_health(f"http://127.0.0.1:{port}", running)
        headers = {"authorization": "Bearer k"}
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        assert httpx.post(url, json=HELLO, headers=headers).status_code == 200
