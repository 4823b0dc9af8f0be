"""A fleet: instances of the gateway, each a process with a socket of its own."""

import gc
import multiprocessing
import os
import socket
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx
import msgspec

from service import logs
from service.app import create_app
from service.server import server
from service.settings import Settings
from tests.gateway import API_KEY, HELLO, events, text_of

#: What costs time to import. `service.connect` is not here: it names the instance.
_PRELOADED = [
    "pytest",  # every child looks at what its parent's main module imports
    "service.credentials.firestore",
    "service.credentials.provider",
    "service.credentials.secret_manager",
    "service.upstream.code_assist",
    "service.upstream.project",
    "service.upstream.retry",
    "tests.fleet.instances",
]
_SECONDS = 30


class Instance:
    """One of the fleet."""

    def __init__(self, process: ForkServerProcess, port: int, name: str, log: Path) -> None:
        self.process = process
        self.name = name  # what it calls itself in Firestore
        # Loading certificates that nobody needs here takes longer than a test.
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {API_KEY}"},
            timeout=_SECONDS,
            verify=False,  # noqa: S501
        )
        self._log = log

    def chat(self) -> httpx.Response:
        return self._client.post("/v1/chat/completions", json=HELLO)

    def stream(self) -> str:
        """Return the text of a streamed answer; fail if it does not end as it should."""
        request = HELLO | {"stream": True}
        with self._client.stream("POST", "/v1/chat/completions", json=request) as response:
            assert response.status_code == 200, response.read()
            response.read()
        chunks = events(response)
        assert chunks[-1] == b"[DONE]", chunks[-1]
        return text_of(chunks)

    def log(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self._log.read_bytes().splitlines()]

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.join()

    def close(self) -> None:
        self.kill()
        self.process.close()
        self._client.close()


class Fleet:
    """Starts instances; closing it, or the end of the test run, ends all of them.

    Their parent is a process that has imported everything before, so that each costs a quarter of a
    second. It inherits the environment of the test that is the first to start an instance.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        self._instances: list[Instance] = []

    def start(self, count: int, settings: Settings) -> list[Instance]:
        """Start so many at once; return when they listen."""
        started = []
        for number in range(len(self._instances), len(self._instances) + count):
            ours, theirs = self._context.Pipe()
            log = self._logs / f"{number}.log"
            process = self._context.Process(
                target=_serve, args=(settings, log, theirs), daemon=True
            )
            process.start()
            theirs.close()
            started.append((process, ours, log))
        instances = []
        for process, ours, log in started:
            with ours:
                assert ours.poll(_SECONDS), "An instance does not start."
                port, name = ours.recv()
            instances.append(Instance(process, port, name, log))
        self._instances += instances
        return instances

    def close(self) -> None:
        for instance in self._instances:
            instance.close()


def _serve(settings: Settings, log: Path, started: Connection) -> None:
    gc.freeze()  # what was imported before stays: to look at it would be to copy it
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    with log.open("w", buffering=1) as lines:
        logs.configure(settings.log_level, "json", lines)
        from service.connect import INSTANCE  # noqa: PLC0415  (made anew in each process)

        listener = socket.create_server(("127.0.0.1", 0))
        instance = server(create_app(settings), settings)
        started.send((listener.getsockname()[1], INSTANCE))
        instance.run([listener])


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
