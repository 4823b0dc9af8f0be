"""The commands as processes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NOTHING = {"PATH": "/nonexistent", "HOME": "/nonexistent"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "service", *arguments]


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in an environment that holds these variables."""
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=NOTHING | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def mode(path: Path) -> int:
    return os.stat(path).st_mode & 0o777  # noqa: PTH116
