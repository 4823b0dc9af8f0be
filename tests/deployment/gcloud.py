"""Google's command line, for what it does without an account."""

import os
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from tests.programs import need


def gcloud(home: Path, *arguments: str) -> str:
    """Run gcloud with its settings in an empty folder; skip the test where there is none."""
    need("gcloud", install="the Google Cloud CLI")
    done = subprocess.run(
        ["/usr/bin/env", "gcloud", *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": _path(), "HOME": str(home), "CLOUDSDK_CONFIG": str(home)},
    )
    return done.stdout


def faults(home: Path, commands: Collection[str]) -> dict[str, str]:
    """Return what gcloud finds wrong with commands that it does not run, by the command."""
    file = home / "commands.json"
    file.write_bytes(msgspec.json.encode([{"command_string": each} for each in commands]))
    answer = gcloud(home, "meta", "lint-gcloud-commands", f"--commands-file={file}")
    checked: list[dict[str, Any]] = msgspec.json.decode(answer)
    assert len(checked) == len(set(commands))
    return {
        each["command_string"]: each["error_message"] for each in checked if not each["success"]
    }


def _path() -> str:
    return os.pathsep.join(os.get_exec_path())
