"""Every command for gcloud, wherever it is written, is one that it knows, with flags it has."""

import re
import shlex
from pathlib import Path

from tests.deployment import cloud_build
from tests.deployment.gcloud import faults
from tests.deployment.stand_ins import ROOT, StandIns

#: What a person is told to type, up to the end of the line, of the code or of `$(...)`.
WRITTEN = re.compile(
    r"""(?:^ *|`|\$\(|\| |: |")(gcloud [a-z](?:\\\n|[^\n`|;&()<>"']|"[^"\n]*"|'[^'\n]*')+)""",
    re.MULTILINE,
)
COMMANDS: list[dict[str, str]] = [
    {"command": "deploy"},
    {"command": "deploy", "FAILS": "builds submit"},
    {"command": "plan"},
    {"command": "rollback"},
    {"command": "rollback", "REVISION": "gemini-gateway-00001-xyz"},
    {"command": "logs"},
    {"command": "destroy"},
    {
        "command": "credentials",
        "OAUTH_CLIENT_ID": "c.apps.googleusercontent.com",
        "OAUTH_CLIENT_SECRET": "s",
    },
]


def called(stand_ins: StandIns, workspace: Path) -> tuple[set[str], str]:
    """Return what the Makefile's commands and cloudbuild.yaml call, and what they say."""
    login = stand_ins.memory / ".gemini/oauth_creds.json"
    login.parent.mkdir()
    login.write_text('{"access_token": "a", "refresh_token": "1//a-login", "expiry_date": 1}')
    said = ""
    for environ in COMMANDS:
        project = {"PROJECT": "my-project"}
        script = str(ROOT / "infra/deploy.sh")
        done = stand_ins.run(script, environ["command"], environ=environ | project)
        said += done.stdout
    _, output = cloud_build.run(stand_ins, workspace, GATEWAY="http://127.0.0.1:1", TRIES="0")
    calls = [call for call in stand_ins.calls() if call[0] == "gcloud"]
    return {shlex.join(call) for call in calls}, said + output


def told(text: str) -> set[str]:
    """Return the commands in a text, with a value where the shell puts one."""
    text = re.sub(r'"\n\s*f?"', "", text)  # two strings of Python's that are one
    found = [each.replace("\\\n", " ") for each in WRITTEN.findall(text)]
    return {re.sub(r"\$\{?\w+\}?", "a-value", " ".join(each.split())) for each in found}


def test_gcloud_knows_every_command_that_is_run(stand_ins: StandIns, tmp_path: Path) -> None:
    commands, said = called(stand_ins, tmp_path / "build")
    for needed in ("builds submit", "run deploy", "update-traffic", "secrets versions add"):
        assert needed in " ".join(commands)
    assert faults(tmp_path, commands | told(said)) == {}


def test_gcloud_knows_every_command_that_a_person_is_told(tmp_path: Path) -> None:
    files = [ROOT / "README.md", *ROOT.glob("infra/*.tf"), *ROOT.glob("service/**/*.py")]
    commands = {each for file in files for each in told(file.read_text())}
    assert "gcloud services enable aiplatform.googleapis.com" in commands
    assert faults(tmp_path, commands) == {}


def test_gcloud_sees_what_is_wrong_with_a_command(tmp_path: Path) -> None:
    wrong = {
        "gcloud run services update-traffic gateway --to-revision=gateway-1=100",
        "gcloud run service logs read gateway",
        "gcloud secrets versions add --data-file=-",
    }
    assert set(faults(tmp_path, wrong)) == wrong
