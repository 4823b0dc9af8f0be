"""Cases of the contract with OpenAI's clients, with their own runner, on the running server."""

import socket
import subprocess
import sys
from pathlib import Path

from service.settings import Secret
from tests.conftest import StartGateway
from tests.gateway import API_KEY

HERE = Path(__file__).parent


def test_every_core_case_passes_on_code_assist(start_gateway: StartGateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    gateway = start_gateway(
        code_assist_endpoint=f"http://127.0.0.1:{port}",
        oauth_token_url=f"http://127.0.0.1:{port}/token",
        openai_api_key=Secret(API_KEY),
    )
    runner: list[str | Path] = [sys.executable, HERE / "run.py", "--cases", HERE / "core.jsonl"]
    options = ["--gateway", gateway.url, "--key", API_KEY, "--sim-port", str(port)]
    done = subprocess.run(
        [*runner, *options, "--backend", "code_assist"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = (HERE / "core.jsonl").read_text().count("\n")
    passed = sum(
        int(words.split()[1]) for words in done.stdout.strip().split(";") if "pass" in words
    )
    assert passed == cases, done.stdout
