"""Cases of the contract with OpenAI's clients, with their own runner, on the running server."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.settings import Secret
from tests.conftest import StartGateway
from tests.gateway import API_KEY

HERE = Path(__file__).parent


class Case(msgspec.Struct):
    backend: str = "any"


#: What makes the gateway use one upstream, the runner's.
MODES: dict[str, Callable[[str], dict[str, Any]]] = {
    "code_assist": lambda url: {
        "upstreams": "code_assist",
        "code_assist_endpoint": url,
        "oauth_token_url": f"{url}/token",
    },
    "developer": lambda url: {
        "upstreams": "gemini_api",
        "gemini_api_key": Secret("sim-api-key"),
        "gemini_api_endpoint": url,
    },
    "vertex": lambda url: {
        "upstreams": "vertex",
        "vertex_endpoint": url,
        "vertex_project": "proj-test-1",
        "gce_metadata_host": url.removeprefix("http://"),
    },
}
FILES = sorted(HERE.glob("*.jsonl"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_case_passes(path: Path, mode: str, start_gateway: StartGateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    gateway = start_gateway(
        openai_api_key=Secret(API_KEY),
        media_allow_hosts="127.0.0.1",  # the runner's own server has the pictures
        **MODES[mode](f"http://127.0.0.1:{port}"),
    )
    runner: list[str | Path] = [sys.executable, HERE / "run.py", "--cases", path]
    options = ["--gateway", gateway.url, "--key", API_KEY, "--sim-port", str(port)]
    done = subprocess.run(
        [*runner, *options, "--backend", mode],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = [msgspec.json.decode(line, type=Case) for line in path.read_bytes().splitlines()]
    ours = [case for case in cases if {"any", mode} & set(case.backend.split("|"))]
    passed = sum(
        int(words.split()[1]) for words in done.stdout.strip().split(";") if "pass" in words
    )
    assert passed == len(ours), done.stdout
