"""Google's own Firestore emulator, a Java program that comes with gcloud."""

import os
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import Self

import httpx

_STARTED = "Dev App Server is now running"
_ENDED = "The emulator has ended."
# `cat` ends with the test run, however that ends, and takes the whole process group along.
_SUPERVISOR = f"{{ \"$@\" 2>&1; echo '{_ENDED}'; }} & cat >/dev/null; kill -9 0"


class FirestoreEmulator:
    """`with FirestoreEmulator(archive) as firestore`: serves until the end of the block.

    What it holds is lost when it stops; it starts on the same port again.
    """

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._port = int(server.getsockname()[1])
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> Self:
        """Start and wait until it serves: two seconds."""
        java = ["java", "-Xmx256m", "-Duser.language=en", "-cp", str(self._archive)]
        main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
        options = ["start", "--host=127.0.0.1", f"--port={self._port}"]
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SUPERVISOR, "emulator", *java, main, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        output: list[str] = []
        settled = threading.Event()
        self._reader = threading.Thread(target=_read, args=(self._process, output, settled))
        self._reader.start()
        if not settled.wait(30) or any(_ENDED in line for line in output):
            self.stop()
            raise RuntimeError("The Firestore emulator does not start:\n" + "".join(output))
        return self

    def stop(self) -> None:
        """Kill it, as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._reader.join()
            with self._process:
                self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def clear(self, project: str = "sim-project", database: str = "(default)") -> None:
        """Delete every document of a database."""
        where = f"projects/{project}/databases/{database}/documents"
        with httpx.Client(verify=False) as client:  # noqa: S501  (plain HTTP, as in tests.gateway)
            client.delete(f"http://{self.address}/emulator/v1/{where}").raise_for_status()


def _read(process: subprocess.Popen[str], output: list[str], settled: threading.Event) -> None:
    """Read what it prints, lest it wait for a reader, and tell when it is up or has ended."""
    assert process.stdout is not None
    for line in process.stdout:
        output.append(line)
        if _STARTED in line or _ENDED in line:
            settled.set()
