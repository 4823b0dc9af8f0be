from pathlib import Path

import pytest

from service.commands.installed_client import clients_in, installed_client
from service.errors import CredentialsError
from tests.commands.installation import (
    CLI,
    LIBRARY,
    client_id,
    client_secret,
    declared,
    install,
    link,
)

ENTRY = "bundle/gemini.js"


@pytest.fixture(autouse=True)
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop may have a real CLI."""
    monkeypatch.setenv("PATH", "/nonexistent")


@pytest.mark.parametrize(
    ("files", "clients"),
    [
        pytest.param({"bundle/chunk-A.js": CLI}, [1], id="one, beside a library's"),
        pytest.param({"bundle/a.js": CLI, "bundle/b.js": CLI}, [1], id="the same, twice"),
        pytest.param({"dist/src/oauth2.js": CLI}, [1], id="before there was a bundle"),
        pytest.param({"bundle/a.mjs": CLI}, [1], id="a module"),
        pytest.param({"bundle/a.js": CLI.replace('"', "'")}, [1], id="other quotes"),
        pytest.param({"bundle/a.js": LIBRARY}, [], id="a library's only"),
        pytest.param({"bundle/a.js": f'x = "{client_secret()}"'}, [], id="a secret only"),
        pytest.param(
            {"bundle/a.js": LIBRARY + f'x = "{client_secret()}"'}, [], id="far from each other"
        ),
        pytest.param(
            {"bundle/a.js": CLI, "bundle/b.js": declared(client_id(2), client_secret(2))},
            [1, 2],
            id="two, in two files",
        ),
        pytest.param(
            {"bundle/a.js": declared(client_id(2), client_secret(2)) + "\n" * 500 + CLI},
            [2, 1],
            id="two, in one file",
        ),
        pytest.param({"README.md": CLI, "bundle/gemini.js": ""}, [], id="not in a program"),
        pytest.param({}, [], id="nothing"),
    ],
)
def test_a_client_is_an_id_and_a_secret_that_stand_together(
    tmp_path: Path, files: dict[str, str], clients: list[int]
) -> None:
    found = clients_in(install(tmp_path, files))
    assert [(client.client_id, client.client_secret) for client in found] == [
        (client_id(number), client_secret(number)) for number in clients
    ]


def test_the_installation_is_found_behind_the_command(tmp_path: Path) -> None:
    package = install(tmp_path / "prefix/lib/node_modules", {"bundle/chunk.js": CLI})
    program = link(tmp_path / "bin/gemini", package / ENTRY)
    client, place = installed_client(str(program), places=[])
    assert (client.client_id, place) == (client_id(), package)


@pytest.mark.parametrize("where", ["lib/node_modules", "libexec/lib/node_modules"])
def test_it_is_found_beside_a_command_that_is_a_script_of_its_own(
    tmp_path: Path, where: str
) -> None:
    package = install(tmp_path / "prefix" / where, {ENTRY: CLI})
    program = tmp_path / "prefix/bin/gemini"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    assert installed_client(str(program), places=[]).place == package


def test_it_is_found_where_npm_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = install(tmp_path / "global", {ENTRY: CLI})
    npm = tmp_path / "bin/npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\n[ "$*" = "root -g" ] && echo {tmp_path}/global\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent))
    assert installed_client(places=[]).place == package


def test_it_is_found_in_the_usual_places(tmp_path: Path) -> None:
    package = install(tmp_path / "versions/v22/lib/node_modules", {ENTRY: CLI})
    places = [f"{tmp_path}/nothing", f"{tmp_path}/versions/*/lib/node_modules"]
    assert installed_client(places=places).place == package


def test_it_is_found_in_the_library_that_used_to_hold_it(tmp_path: Path) -> None:
    install(tmp_path, {ENTRY: ""})
    core = install(tmp_path, {"dist/oauth2.js": CLI}, name="@google/gemini-cli-core")
    assert installed_client(places=[str(tmp_path)]).place == core


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (None, "was not found"),
        ({ENTRY: ""}, "names no OAuth client"),
        ({ENTRY: CLI, "b.js": declared(client_id(2), client_secret(2))}, "names 2 OAuth clients"),
    ],
    ids=["no installation", "no client", "two clients"],
)
def test_what_cannot_be_found_is_named_with_the_settings_to_use(
    tmp_path: Path, files: dict[str, str] | None, says: str
) -> None:
    if files is not None:
        install(tmp_path, files)
    with pytest.raises(CredentialsError) as raised:
        installed_client(places=[str(tmp_path)])
    assert says in str(raised.value)
    assert "Set OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET" in str(raised.value)
    assert client_secret() not in str(raised.value)


def test_clients_do_not_print_themselves(tmp_path: Path) -> None:
    install(tmp_path, {ENTRY: CLI})
    assert client_secret() not in repr(installed_client(places=[str(tmp_path)]))
