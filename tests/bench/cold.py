"""Starts: from the process's beginning to its first answer, and to its first streamed token."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from tests.bench.asking import BEGINNING
from tests.bench.cases import CASES, request
from tests.bench.measures import Row
from tests.bench.servers import running
from tests.bench.targets import Bench, MissingError
from tests.firestore_emulator import FirestoreEmulator
from tests.processes import command, free_port
from tests.programs import need_the_firestore_emulator

#: Seconds after which a process that was started does nothing of itself any more.
_AT_REST = 1.5
_PATIENCE = 30
_PROJECT = "bench-project"


def first_answer(bench: Bench, name: str) -> Row:
    """Start a target; raise `MissingError` or `RuntimeError` if that does not work."""
    with bench.start(name) as server:
        cpu = server.cpu()
        time.sleep(_AT_REST)
        return {"seconds": server.started, "cpu_s": cpu, "rss_mb": server.rss() / 1e6}


def first_token(bench: Bench, environ: Mapping[str, str]) -> Row:
    """Start the gateway and ask it as soon as it listens.

    Raise `RuntimeError` if it does not start, or answers otherwise.
    """
    port = free_port()
    log = bench.folder / "gateway-token.log"
    environ = {**environ, "PORT": str(port)}
    with running("gateway", command(), port, log, environ=environ, ready="") as server:
        begun = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection:
            connection.sendall(request(CASES["burst10"], server.path))
            received = b""
            while BEGINNING not in received:
                data = connection.recv(65536)
                received += data
                if not data or not received.startswith(b"HTTP/1.1 200"[: len(received)]):
                    raise RuntimeError(f"No answer came: {received[:300]!r}")
        seconds = server.started + time.perf_counter() - begun
        return {"seconds": seconds, "cpu_s": server.cpu()}


@contextmanager
def cloud(bench: Bench) -> Iterator[dict[str, str]]:
    """Emulate Secret Manager and Firestore; return the settings of a gateway that asks them.

    Raise `MissingError` where the Firestore emulator is missing.
    """
    from tests.simulators.secret_manager import SecretManager  # noqa: PLC0415  (imports gRPC)

    try:
        archive = need_the_firestore_emulator()
    except pytest.skip.Exception as missing:
        raise MissingError(str(missing)) from None
    environ = bench.environ(tls=False, way="code_assist")
    secrets = {
        "GCP_SERVICE_ACCOUNT": "oauth",
        "OAUTH_CLIENT_SECRET": "client",
        "OPENAI_API_KEY": "key",
    }
    with SecretManager() as manager, FirestoreEmulator(archive) as firestore:
        for variable, name in secrets.items():
            manager.add(f"projects/{_PROJECT}/secrets/{name}", environ[variable].encode())
        yield {
            **environ,
            **{variable: f"sm://{name}" for variable, name in secrets.items()},
            "GOOGLE_CLOUD_PROJECT": _PROJECT,
            "SECRET_MANAGER_ENDPOINT": manager.address,
            "TOKEN_CACHE": "firestore",
            "FIRESTORE_EMULATOR_HOST": firestore.address,
        }
