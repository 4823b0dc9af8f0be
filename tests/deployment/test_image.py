"""The image holds what runs, and what is uploaded holds no secret."""

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from tests.deployment.gcloud import gcloud
from tests.deployment.stand_ins import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = re.findall(r"^FROM .*\n(?:(?!FROM ).*\n?)*", DOCKERFILE, re.MULTILINE)
COPIED = [
    source
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
    for source in line.split()[:-1]
]


def reaches_the_image(path: str) -> bool:
    """Read .dockerignore as Docker does: the last pattern that fits a path or a folder of it."""
    parts = PurePosixPath(path)
    kept = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        above = [part for part in (parts, *parts.parents) if str(part) != "."]
        # `match` fits the end of a path, Docker the whole of it unless ** comes first
        anywhere = pattern.startswith("**/")
        wanted = pattern.removeprefix("**/")
        fits = [part for part in above if anywhere or part.parent == PurePosixPath(".")]
        if any(part.match(wanted) for part in fits):
            kept = line.startswith("!")
    return kept


def test_the_linter_has_nothing_to_complain_about() -> None:
    linter = str(Path(sys.executable).parent / "hadolint")
    done = subprocess.run([linter, str(ROOT / "Dockerfile")], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    assert "service" in COPIED
    for source in COPIED:
        names = [source]
        if source == "${REQUIREMENTS}":
            names = ["requirements.txt", "requirements-otlp.txt"]
        for name in names:
            assert (ROOT / name).exists()
            assert reaches_the_image(name)


def test_the_image_is_made_of_what_was_copied_from_the_stages_and_of_nothing_else() -> None:
    *_, last = STAGES
    assert re.findall(r"^COPY (.*)$", last, re.MULTILINE) == [
        "--from=packages /app/.venv .venv",
        "--from=code /app/service service",
    ]
    assert "\nRUN " not in last
    assert "\nADD " not in DOCKERFILE


def test_it_runs_as_nobody_in_particular_and_without_a_shell() -> None:
    *_, last = STAGES
    assert re.findall(r"^USER (.*)$", last, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^ENTRYPOINT (.*)$", last, re.MULTILINE) == ['["python", "-m", "service"]']
    assert "CMD" not in last


def test_packages_come_with_their_hashes() -> None:
    (installing,) = re.findall(r"pip --python \S+ install [^&]*", DOCKERFILE)
    assert "--require-hashes" in installing


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".env",
        ".venv/bin/python",
        "tests/gateway.py",
        "tests/simulators/google.py",
        "infra/terraform.tfvars",
        "infra/deploy.sh",
        "oauth_creds.json",
        "requirements-dev.txt",
        "README.md",
        "service/__pycache__/app.cpython-313.pyc",
        "service/api/__pycache__/chat.cpython-313.pyc",
    ],
)
def test_the_image_is_not_even_offered(path: str) -> None:
    assert not reaches_the_image(path)


@pytest.mark.parametrize("path", ["service/app.py", "service/api/chat.py", "requirements.txt"])
def test_the_image_is_offered(path: str) -> None:
    assert reaches_the_image(path)


SECRETS = [
    ".env",
    ".env.production",
    "infra/terraform.tfvars",
    "infra/prod.auto.tfvars",
    "infra/terraform.tfstate",
    "infra/terraform.tfstate.backup",
    "infra/.terraform/terraform.tfstate",
    "oauth_creds.json",
    ".git/config",
    ".venv/pyvenv.cfg",
]
KEPT = [
    "Dockerfile",
    "Makefile",
    ".env.example",
    "infra/deploy.sh",
    "infra/terraform.tfvars.example",
    "service/app.py",
    "tests/gateway.py",
]


def test_google_cloud_gets_all_that_its_tests_need_and_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    for name in (".gcloudignore", ".gitignore"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    for path in (*SECRETS, *KEPT):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    home = tmp_path / "home"
    home.mkdir()
    uploaded = set(gcloud(home, "meta", "list-files-for-upload", str(folder)).splitlines())
    assert uploaded == {*KEPT, ".gcloudignore", ".gitignore"}
