"""`credentials import` as a process."""

import time
from pathlib import Path

import msgspec
import pytest
from click import ClickException

from service.commands import destination
from service.commands.destination import PrivateFile
from service.commands.importing import configured_client, import_credential
from service.credentials.authorization_code import OAuthClient
from service.credentials.documents import parse_credential
from service.errors import CredentialsError
from service.settings import Secret, Settings
from tests.commands.installation import CLI, client_id, client_secret, install, link
from tests.commands.running import mode, run
from tests.simulators.secret_manager import SecretManager

LOGIN = {
    "access_token": "ya29.mine",
    "refresh_token": "1//mine",
    "scope": "openid",
    "token_type": "Bearer",
    "id_token": "eyJ",
    "expiry_date": 1795352604489,
}
COMPLETE = {
    "type": "authorized_user",
    "client_id": client_id(),
    "client_secret": client_secret(),
    "refresh_token": "1//mine",
    "access_token": "ya29.mine",
    "expiry_date": 1795352604489,
}
GIVEN = {"OAUTH_CLIENT_ID": "mine", "OAUTH_CLIENT_SECRET": "s-mine"}


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of someone who has logged in with the Gemini CLI."""
    package = install(tmp_path / "lib/node_modules", {"bundle/chunk.js": CLI})
    link(tmp_path / "bin/gemini", package / "bundle/gemini.js")
    login(tmp_path, LOGIN)
    return {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}


def login(home: Path, document: object) -> None:
    (home / ".gemini").mkdir(exist_ok=True)
    content = document if isinstance(document, bytes) else msgspec.json.encode(document)
    (home / ".gemini/oauth_creds.json").write_bytes(content)


def test_standard_output_is_the_whole_document_and_nothing_else(home: dict[str, str]) -> None:
    done = run("credentials", "import", **home)
    assert done.returncode == 0, done.stderr
    assert msgspec.json.decode(done.stdout) == COMPLETE
    assert done.stdout.count("\n") == 1, "it has to fit into a line of .env"
    assert "a secret" in done.stderr
    for secret in ("1//mine", "ya29.mine", client_secret()):
        assert secret not in done.stderr
    assert parse_credential(done.stdout.encode(), origin="x", now=time.time()).client_secret


def test_the_client_of_the_settings_wins(home: dict[str, str]) -> None:
    done = run("credentials", "import", **home, **GIVEN)
    document = msgspec.json.decode(done.stdout)
    assert (document["client_id"], document["client_secret"]) == ("mine", "s-mine")


def test_the_documents_own_client_wins_over_the_installations(
    home: dict[str, str], tmp_path: Path
) -> None:
    own = {"client_id": "own", "client_secret": "s-own"}
    login(tmp_path, {"type": "authorized_user", "refresh_token": "1//mine"} | own)
    done = run("credentials", "import", **home)
    assert (
        msgspec.json.decode(done.stdout)
        == {
            "type": "authorized_user",
            "refresh_token": "1//mine",
        }
        | own
    )


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (None, "no file {file}. Log in with the Gemini CLI"),
        (b"{", "not a JSON object"),
        ({"type": "service_account"}, "service account"),
        ({"access_token": "ya29.x", "expiry_date": 4e12}, "no refresh_token"),
        ({"access_token": "ya29.x"}, "no refresh_token"),
    ],
    ids=["no file", "no JSON", "service account", "for an hour", "ended"],
)
def test_what_cannot_be_imported_is_refused_before_a_client_is_searched(
    tmp_path: Path, document: object, says: str
) -> None:
    if document is not None:
        login(tmp_path, document)
    file = f"{tmp_path}/.gemini/oauth_creds.json"
    with pytest.raises(CredentialsError) as raised:
        import_credential(
            Settings(gcp_service_account_file=file), None, now=time.time(), find_client=pytest.fail
        )
    assert says.format(file=file) in str(raised.value)


@pytest.mark.parametrize("half", GIVEN)
def test_half_a_client_exits_78(home: dict[str, str], half: str) -> None:
    done = run("credentials", "import", **home, **{half: "x"})
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == (
        "OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET belong together: set both, or neither.\n"
    )


def test_a_file_is_written_for_its_owner_only(home: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    done = run("credentials", "import", "--to", str(file), **home)
    assert (done.returncode, done.stdout) == (0, "")
    assert str(file) in done.stderr
    assert msgspec.json.decode(file.read_bytes()) == COMPLETE
    assert mode(file) == 0o600
    assert not list(tmp_path.glob(".creds*")), "nothing is left beside it"


def test_another_file_is_replaced_only_if_that_is_said(
    home: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "creds.json"
    file.write_text("precious")
    refused = run("credentials", "import", "--to", str(file), **home)
    assert (refused.returncode, file.read_text()) == (1, "precious")
    assert "--force" in refused.stderr
    assert run("credentials", "import", "--to", str(file), "--force", **home).returncode == 0
    assert msgspec.json.decode(file.read_bytes()) == COMPLETE


def test_the_same_file_is_no_other_one(tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    file.write_bytes(b"same")
    PrivateFile(file, force=False).check(b"same")
    with pytest.raises(ClickException, match="--force"):
        PrivateFile(file, force=False).check(None)


@pytest.mark.parametrize(
    ("path", "says"), [("none/creds.json", "no folder"), (".", "no file")], ids=["folder", "file"]
)
def test_where_nothing_can_be_written_is_said(tmp_path: Path, path: str, says: str) -> None:
    with pytest.raises(ClickException, match=says):
        PrivateFile(tmp_path / path, force=True).check(b"x")


async def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "creds.json")
    await PrivateFile(tmp_path / "link", force=False).write(b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "creds.json").read_bytes() == b"x"


@pytest.mark.parametrize("to", ["sm://creds", "sm://projects/p/secrets/creds"])
def test_a_reference_gets_a_new_version(
    home: dict[str, str], secret_manager: SecretManager, to: str
) -> None:
    secret_manager.add("projects/p/secrets/creds", b"old")
    environ = {"SECRET_MANAGER_ENDPOINT": secret_manager.address, "GOOGLE_CLOUD_PROJECT": "p"}
    done = run("credentials", "import", "--to", to, **home, **environ)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    old, new = secret_manager.versions("projects/p/secrets/creds")
    assert (old, msgspec.json.decode(new)) == (b"old", COMPLETE)
    assert to in done.stderr


def test_a_secret_that_is_not_there_exits_78_and_says_what_to_do(
    home: dict[str, str], secret_manager: SecretManager
) -> None:
    environ = {"SECRET_MANAGER_ENDPOINT": secret_manager.address}
    done = run("credentials", "import", "--to", "sm://projects/p/secrets/none", **home, **environ)
    assert (done.returncode, done.stdout) == (78, "")
    assert "Create the secret" in done.stderr


async def test_the_clients_secret_may_be_a_reference(secret_manager: SecretManager) -> None:
    secret_manager.add("projects/p/secrets/client", b"s-kept\n")
    settings = Settings(
        oauth_client_id="id",
        oauth_client_secret=Secret("sm://projects/p/secrets/client"),
        secret_manager_endpoint=secret_manager.address,
    )
    client = await configured_client(settings, destination.secret_store)
    assert client == OAuthClient("id", "s-kept")


@pytest.mark.parametrize("to", ["sm://", "sm://a/b", "sm://creds/versions/3"])
def test_a_wrong_reference_is_refused_before_anything_else(to: str) -> None:
    with pytest.raises(ClickException, match="sm://projects/PROJECT/secrets/NAME"):
        destination.destination(to, Settings(), force=False)
