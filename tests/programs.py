"""Programs besides Python that some tests need."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

#: Where OpenAI's SDK for Node is installed.
NODE = Path(__file__).parent / "conformance/node"


def need(program: str, *, install: str) -> None:
    """Skip the test if the program is missing, and name what to install; in CI, fail it."""
    if shutil.which(program) is None:
        miss(f"{program} is not installed: install {install}.")


def need_the_sdk_for_node() -> None:
    need("node", install="Node.js 20 or newer with npm, then run `make setup`")
    if not (NODE / "node_modules/openai").exists():
        miss("The OpenAI SDK for Node is not installed: run `make setup` where npm is.")


def need_the_firestore_emulator() -> Path:
    """Return the emulator's archive; it comes with gcloud, and runs on Java."""
    what = "gcloud with its component cloud-firestore-emulator, and Java 11 or newer"
    need("gcloud", install=what)
    need("java", install=what)
    archive = _sdk() / "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
    if not archive.exists():
        miss(f"The Firestore emulator is not installed: install {what}.")
    return archive


@cache
def _sdk() -> Path:
    command = ["gcloud", "info", "--format=value(installation.sdk_root)"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def miss(what: str) -> None:
    """Skip the test, or fail it in CI, because something that it needs is missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
