"""`python -m service` as a process: how it starts, and how it refuses to."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.gateway import API_KEY, HELLO, credential
from tests.processes import ENOUGH, ROOT, command, environment, free_port, process, wait_for_health
from tests.simulators.google import Google

CREDENTIAL = '{"refresh_token": "1//x", "client_id": "i", "client_secret": "s"}'
SERVICE_ACCOUNT = (
    '{"type": "service_account", "private_key": "private-words", "client_email": "a@b.example"}'
)
ENDED = '{"access_token": "ya29.x", "expiry_date": 1600000000000}'
CLIENT = {"OAUTH_CLIENT_ID": "i", "OAUTH_CLIENT_SECRET": "s"}


def test_it_starts_and_serves_with_seven_variables_and_nothing_else(google: Google) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(**environment(google, port)) as running:
        wait_for_health(url, running)
        headers = {"authorization": f"Bearer {API_KEY}"}
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
        ({"GCP_SERVICE_ACCOUNT": SERVICE_ACCOUNT}, ["service account's key", "oauth_creds.json"]),
        ({"GCP_SERVICE_ACCOUNT": ENDED}, ["no refresh_token", "Log in with the Gemini CLI again"]),
        ({"GCP_SERVICE_ACCOUNT": '{"refresh_token": ""}'} | CLIENT, ["no refresh_token"]),
        ({"GCP_SERVICE_ACCOUNT": "ya29.x"}, ["not a JSON object"]),
        ({"GCP_SERVICE_ACCOUNT": "sm://a/b"}, ["GCP_SERVICE_ACCOUNT", "sm://projects/P/secrets/S"]),
        ({"OPENAI_API_KEY": "sm://k, sk-x"}, ["OPENAI_API_KEY", "one reference"]),
        ({"GEMINI_API_KEY": "AIza\N{EN DASH}KEY"}, ["GEMINI_API_KEY must be a key", "digits"]),
    ],
    ids=[
        "nothing set",
        "no JSON",
        "no client",
        "no file",
        "wrong port",
        "no such model",
        "Cloud Run without a key",
        "service account",
        "ended",
        "empty refresh token",
        "a bare token",
        "no such reference",
        "a reference among keys",
        "a key with a pasted dash",
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
    for secret in ("1//x", "ya29.x", "private-words"):
        assert secret not in done.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not a JSON object"),
        (SERVICE_ACCOUNT, "service account's key"),
        (ENDED, "no refresh_token"),
        ('{"refresh_token": "1//x"}', "OAUTH_CLIENT_ID"),
        (None, "cannot be read"),
    ],
    ids=["no JSON", "service account", "ended", "no client", "a folder"],
)
def test_a_file_that_cannot_work_exits_78_and_is_named(
    content: str | None, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "creds.json"
    if content is None:
        file.mkdir()
    else:
        file.write_text(content)
    done = subprocess.run(
        command(),
        cwd=ROOT,
        env=ENOUGH | {"GCP_SERVICE_ACCOUNT_FILE": str(file)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith(f"{file} ")
    assert says in done.stderr


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
        "slow = ('httpx', 'aiohttp', 'google', 'openai', 'rich', 'service.commands', "
        "'service.otlp', 'service.rates.sharing'); "
        "print([name for name in slow if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_nothing_slow_is_imported_before_the_first_answer() -> None:
    """What media, tables and shared limits take is imported by who needs it."""
    code = (
        "import sys, service.__main__ as main; main.leave_out_httpx_command_line(); "
        "import service.connect; slow = ('aiohttp', 'google', 'rich', 'cryptography', 'grpc', "
        "'service.rates.sharing'); "
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
        headers = {"authorization": f"Bearer {API_KEY}"}
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        assert httpx.post(url, json=HELLO, headers=headers).status_code == 200
