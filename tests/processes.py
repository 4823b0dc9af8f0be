"""The gateway as a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.gateway import API_KEY
from tests.simulators.google import Google

ROOT = Path(__file__).parent.parent
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
            if running.stdout and not running.stdout.closed:
                running.communicate()  # so that `tests.leaks` sees what nobody has read


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
        "OPENAI_API_KEY": API_KEY,
        "PORT": str(port),
        "CODE_ASSIST_ENDPOINT": google.url,
        "OAUTH_TOKEN_URL": f"{google.url}/token",
        "GCP_SERVICE_ACCOUNT": '{"refresh_token": "1//sim-refresh"}',
        "OAUTH_CLIENT_ID": google.client_id,
        "OAUTH_CLIENT_SECRET": google.client_secret,
        **({"SSL_CERT_FILE": str(google.certificate)} if google.certificate else {}),
    }
