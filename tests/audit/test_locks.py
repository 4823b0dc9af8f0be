"""Lock files: what pyproject.toml asks for, all with a hash, and no address of a registry."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.audit.locks import faults, pins

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
SERVICE = PYPROJECT["project"]["dependencies"]
OTLP = PYPROJECT["project"]["optional-dependencies"]["otlp"]
DEV = PYPROJECT["dependency-groups"]["dev"]
CLIENTS = ROOT / "tests" / "clients"


def lines_of(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


WANTED = {
    "requirements.txt": SERVICE,
    "requirements-otlp.txt": SERVICE + OTLP,
    "requirements-dev.txt": SERVICE + OTLP + DEV,
    "tests/clients/requirements.txt": lines_of(CLIENTS / "requirements.in"),
    "tests/clients/instructor.txt": lines_of(CLIENTS / "instructor.in"),
}


@pytest.mark.parametrize("name", WANTED)
def test_a_lock_file_is_what_it_was_made_from(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert faults(lock, WANTED[name]) == []
    assert "://" not in lock


def test_the_packages_that_are_tested_are_those_that_are_served() -> None:
    tested = set(pins((ROOT / "requirements-dev.txt").read_text()))
    for name in ("requirements.txt", "requirements-otlp.txt"):
        assert set(pins((ROOT / name).read_text())) <= tested


HASH = "--hash=sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("lock", "wanted", "fault"),
    [
        (f"a-b==1.5 \\\n    {HASH}\n    # via x\n", "A.b>=1,<2", None),
        (f"a==1.5 ; sys_platform == 'win32' \\\n    {HASH} \\\n    {HASH}\n", "a", None),
        ("a==1.5\n", "a", "a has no hash"),
        (f"a==1.5 {HASH}\n", "a>=2", "a is locked at 1.5, not >=2"),
        (f"a==1.5 {HASH}\n", "b", "b is not locked"),
        (f"a>=1.5 {HASH}\n", "a", "a is not pinned to a version"),
        (f"a {HASH}\n", "a", "a is not pinned to a version"),
        (f"a @ https://x.example/a.whl {HASH}\n", "a", "a is not pinned to a version"),
        ("--index-url https://x.example\n", "a", "'--index-url https://x.example' is no pin"),
    ],
)
def test_what_is_wrong_is_told(lock: str, wanted: str, fault: str | None) -> None:
    found = faults(lock, [wanted])
    assert fault in found if fault else found == []
