"""cloudbuild.yaml, read and run as Cloud Build does."""

from pathlib import Path
from string import Template
from typing import Any

import msgspec

from tests.deployment.stand_ins import ROOT, StandIns

FILE = ROOT / "cloudbuild.yaml"
BUILT_IN = {"PROJECT_ID": "my-project", "BUILD_ID": "b0000000-0000-4000-8000-000000000000"}


def steps() -> list[dict[str, Any]]:
    """Return the steps with all substitutions made, in the order in which they may run."""
    build: dict[str, Any] = msgspec.yaml.decode(FILE.read_bytes())
    names = dict(BUILT_IN)
    for name, value in build["substitutions"].items():
        names[name] = Template(value).substitute(names)
    return [
        {
            "id": step["id"],
            "command": [
                step["entrypoint"],
                *(Template(each).substitute(names) for each in step["args"]),
            ],
            "env": dict(
                Template(each).substitute(names).split("=", 1) for each in step.get("env", [])
            ),
        }
        for step in build["steps"]
    ]


def scripts() -> dict[str, str]:
    """Return what bash runs, by the step's name."""
    return {
        step["id"]: step["command"][-1] for step in steps() if step["command"][1].startswith("-c")
    }


def run(stand_ins: StandIns, workspace: Path, **environ: str) -> tuple[list[str], str]:
    """Run the steps until one fails; return the names of those that did not, and the output."""
    workspace.mkdir(exist_ok=True)
    (workspace / "infra").symlink_to(ROOT / "infra")
    passed: list[str] = []
    output = ""
    for step in steps():
        done = stand_ins.run(*step["command"], cwd=workspace, environ=step["env"] | environ)
        output += done.stdout
        if done.returncode:
            break
        passed.append(step["id"])
    return passed, output
