"""The client programs, each in an environment of its own, and how a test talks to one."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.gateway import API_KEY
from tests.programs import miss, need

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"


@dataclass(frozen=True)
class Client:
    program: str
    environment: str  # a folder that `make clients` fills
    arguments: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """Return what starts it; skip the test if something that it needs is missing."""
        environment = HERE / self.environment
        if self.program.endswith(".mjs"):
            need("node", install="Node.js 20 or newer with npm, then run `make clients`")
            interpreter = "node"
        else:
            interpreter = str(environment / "bin/python")
        if not environment.exists():
            miss(f"tests/clients/{self.environment} is missing: run `make clients`.")
        return [interpreter, self.program]


CLIENTS = {
    "openai-python": Client("openai_python.py", ".venv"),
    "openai-node": Client("openai_node.mjs", "node_modules"),
    "ai-sdk": Client("ai_sdk.mjs", "node_modules", ("gateway",)),
    "ai-sdk-google": Client("ai_sdk.mjs", "node_modules", ("google",)),
    "langchain": Client("langchain.py", ".venv"),
    "openai-agents": Client("openai_agents.py", ".venv"),
    "pydantic-ai": Client("pydantic_agents.py", ".venv"),
    "instructor": Client("instructor_.py", ".venv-instructor"),
}


class Program:
    """A client that runs: it answers one question after the other."""

    def __init__(self, client: Client, process: subprocess.Popen[str], errors: Path) -> None:
        self.client = client
        self._process = process
        self._errors = errors

    def ask(self, call: str, **arguments: Any) -> Any:
        """Let it call one of its functions; return what it saw, or `error` with what was raised."""
        assert self._process.stdin
        assert self._process.stdout
        question = msgspec.json.encode({"call": call, **arguments}).decode()
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._errors.read_text()
        seen = msgspec.json.decode(line)
        assert not seen.pop("strays", None), "It asked for an address beyond this machine."
        return seen


@contextmanager
def running(client: Client, gateway: str) -> Iterator[Program]:
    """Start a client against the gateway at this address, and end it."""
    command = [*client.command(), f"{gateway}/v1", API_KEY, *client.arguments]
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder, "stderr")
        with (
            errors.open("w") as stderr,
            subprocess.Popen(
                command,
                cwd=PROGRAMS,
                env={"PATH": os.environ["PATH"], "HOME": folder},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            ) as process,
        ):
            try:
                yield Program(client, process, errors)
            finally:
                process.kill()
