"""The search for credentials in git finds one wherever it was put."""

import secrets
import string
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.audit.credentials import found_in
from tests.programs import need

ROOT = Path(__file__).parents[2]
_LETTERS = string.ascii_letters + string.digits + "-_"


def some(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def private_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key.decode()


def service_account() -> str:
    document = {
        "type": "service_account",
        "private_key": private_key(),
        "client_email": "gateway@p.iam.gserviceaccount.com",
    }
    return msgspec.json.encode(document).decode()


# None of them may stand here as it is: the search would find it.
PLANTED = {
    "an API key of Google's": lambda: "AIza" + some(35),
    # The public one of the Gemini CLI has this form, too, and is no less a find.
    "an OAuth client's secret": lambda: "GOCSPX-" + some(28),
    "a refresh token": lambda: "1//0" + some(60),
    "an access token": lambda: "ya29." + some(150),
    "a private key": private_key,
    "a service account's key": service_account,
}


def copy_of(folder: Path, *names: str) -> Path:
    """Make a repository with these files of ours."""
    need("git", install="git")
    subprocess.run(["git", "init", "--quiet", folder], check=True)  # noqa: S607
    for name in names:
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    keep(folder)
    return folder


def keep(folder: Path) -> None:
    subprocess.run(["git", "add", "."], cwd=folder, check=True)  # noqa: S607


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize(
    "name", ["service/draining.py", ".env.example", "tests/clients/.npmrc", "notes.svg"]
)
def test_a_credential_is_found_wherever_it_is(kind: str, name: str, tmp_path: Path) -> None:
    copy = copy_of(tmp_path, *([name] if (ROOT / name).exists() else []))
    assert found_in(copy) == []
    with (copy / name).open("a") as file:
        file.write(f'\nIT = "{PLANTED[kind]()}"\n')
    keep(copy)
    (place, *_) = found_in(copy)
    assert place.startswith(f"{name}:")


#: Where detect-secrets does not look, or takes what it finds for something else.
HIDDEN = {
    "an argument": ("a.py", 'key = decrypt("{}")\n', "utf-8"),
    "an index": ("a.js", 'const key = keys["{}"];\n', "utf-8"),
    "a comment of its own": ("a.ini", "[a]\nb = 1\n; {}\n", "utf-8"),
    "a step of a path": ("a.md", "https://x.example/{}/a\n", "utf-8"),
    "a name that it skips": ("swagger/a.json", '"{}"\n', "utf-8"),
    "a name with a space": ("a b é.txt", "{}\n", "utf-8"),
    "a line that is excused": ("a.py", 'KEY = "{}"  # pragma: allowlist secret\n', "utf-8"),
    "a picture": ("a.png", "\x89PNG\r\n\x1a\n\0ÿ{}\0ÿ", "latin-1"),
    "another encoding": ("a.txt", "{}\n", "utf-16"),
}


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_credential_is_found_however_it_is_hidden(hidden: str, kind: str, tmp_path: Path) -> None:
    copy = copy_of(tmp_path)
    name, around, encoding = HIDDEN[hidden]
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_bytes(around.replace("{}", PLANTED[kind]()).encode(encoding))
    keep(copy)
    (place, *_) = found_in(copy)
    assert place.startswith(f"{name}:")


@pytest.mark.parametrize("kind", [None, *PLANTED])
def test_the_command_fails_if_there_is_one(kind: str | None, tmp_path: Path) -> None:
    copy = copy_of(tmp_path, ".gitignore", "service/draining.py")
    if kind:
        (copy / "creds.json").write_text(PLANTED[kind]())
        keep(copy)
    command = [sys.executable, "-m", "tests.audit.credentials", str(copy)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == (1 if kind else 0), done.stderr
    assert done.stdout.startswith("creds.json:1: ") if kind else not done.stdout


@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_printed_is_not_the_credential(kind: str, tmp_path: Path) -> None:
    copy = copy_of(tmp_path)
    credential = PLANTED[kind]()
    (copy / "creds.json").write_text(credential)
    keep(copy)
    (place, *more) = found_in(copy)
    assert not [line for line in (place, *more) if credential[8:40] in line]


def test_what_git_does_not_keep_is_not_searched(tmp_path: Path) -> None:
    copy = copy_of(tmp_path, ".gitignore")
    (copy / ".env").write_text(PLANTED["a refresh token"]())
    keep(copy)
    assert found_in(copy) == []


def test_without_git_it_fails_instead_of_finding_nothing(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        found_in(tmp_path)
