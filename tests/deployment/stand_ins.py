"""Programs that stand in for Google Cloud's, and what they were asked."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = ("gcloud", "terraform", "docker", "curl", "make")
BUILDER = "gemini-gateway-build@my-project.iam.gserviceaccount.com"
OUTPUTS = """\
api_key_secret = "gemini-gateway-api-key"
build_bucket = "my-project-gemini-gateway-build"
build_service_account = "projects/my-project/serviceAccounts/{builder}"
gemini_api_key_secret = "gemini-gateway-gemini-api-key"
image = "{region}-docker.pkg.dev/my-project/gemini-gateway/gateway"
oauth_secret = "gemini-gateway-oauth-credentials"
region = "{region}"
requirements = "requirements.txt"
smoke_model = "gemini-2.5-flash"
alerts_tell = ""
url = "https://gateway.example"
"""


class StandIns:
    """A folder of programs for `PATH`, and one of what they remember.

    Args:
        folder: an empty one.
        region: where the service is, once it has been made.

    """

    def __init__(self, folder: Path, region: str = "europe-west1") -> None:
        self.programs = folder / "programs"
        self.memory = folder / "memory"
        self.programs.mkdir()
        self.memory.mkdir()
        script = self.programs / "stand_in.sh"
        shutil.copy(Path(__file__).parent / "stand_in.sh", script)
        script.chmod(0o755)
        for name in PROGRAMS:
            (self.programs / name).symlink_to(script)
        (self.memory / "outputs").write_text(OUTPUTS.format(region=region, builder=BUILDER))
        self.set_state({})

    def set_state(self, values: dict[str, Any]) -> None:
        """Let Terraform's state hold one resource with these values."""
        resources = [{"address": "google_cloud_run_v2_service.this", "values": values}]
        state = {"format_version": "1.0", "values": {"root_module": {"resources": resources}}}
        (self.memory / "state").write_bytes(msgspec.json.encode(state))

    def run(
        self, *arguments: str, cwd: Path = ROOT, environ: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program with the stand-ins before all others; standard error is in the output."""
        return subprocess.run(
            arguments,
            cwd=cwd,
            env={
                "PATH": f"{self.programs}:{os.defpath}",
                "HOME": str(self.memory),
                "STAND_IN": str(self.memory),
                "CURL": shutil.which("curl") or "curl",
                **(environ or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def remembers(self, name: str) -> str | None:
        """Return what the stand-ins put into a file of theirs; None if there is none."""
        file = self.memory / name
        return file.read_text() if file.exists() else None

    def calls(self) -> list[list[str]]:
        """Return all calls so far: the program and its arguments."""
        lines = (self.remembers("calls") or "").splitlines()
        return [line.split("\x1f")[:-1] for line in lines]

    def forget_calls(self) -> None:
        (self.memory / "calls").unlink(missing_ok=True)
