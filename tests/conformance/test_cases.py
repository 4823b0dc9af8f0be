"""Cases of the contract with OpenAI's clients, with their own runner, on the running server."""

import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from service.settings import Secret
from tests.conftest import StartGateway
from tests.gateway import API_KEY

HERE = Path(__file__).parent


class Case(msgspec.Struct):
    backend: str = "any"


@pytest.mark.parametrize("name", ["core", "fidelity"])
def test_every_case_passes_on_code_assist(name: str, start_gateway: StartGateway) -> None:
    path = HERE / f"{name}.jsonl"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    gateway = start_gateway(
        code_assist_endpoint=f"http://127.0.0.1:{port}",
        oauth_token_url=f"http://127.0.0.1:{port}/token",
        openai_api_key=Secret(API_KEY),
        media_allow_hosts="127.0.0.1",  # the runner's own server has the pictures
    )
    runner: list[str | Path] = [sys.executable, HERE / "run.py", "--cases", path]
    options = ["--gateway", gateway.url, "--key", API_KEY, "--sim-port", str(port)]
    done = subprocess.run(
        [*runner, *options, "--backend", "code_assist"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = [msgspec.json.decode(line, type=Case) for line in path.read_bytes().splitlines()]
    ours = [case for case in cases if {"any", "code_assist"} & set(case.backend.split("|"))]
    passed = sum(
        int(words.split()[1]) for words in done.stdout.strip().split(";") if "pass" in words
    )
    assert passed == len(ours), done.stdout
