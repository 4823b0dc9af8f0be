from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from service.credentials.documents import own_access_token, parse_credential
from service.credentials.sources import (
    REREAD_SECONDS,
    ReadableSource,
    check_credential,
    find_source,
)
from service.errors import CredentialsError
from service.schemas.oauth import AccessToken, Credential
from service.settings import Secret, Settings, SettingsError

NOW = 1_800_000_000.0
COMPLETE = {"refresh_token": "1//r", "client_id": "id", "client_secret": "s"}


def parse(document: object) -> object:
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return parse_credential(body, origin="The file", now=NOW)


def test_the_clients_id_comes_from_settings_before_the_document() -> None:
    body = msgspec.json.encode(COMPLETE)
    credential = parse_credential(body, origin="x", client_id="other", now=NOW)
    assert (credential.client_id, credential.client_secret) == ("other", "s")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"{", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not a JSON object"),
        ({"type": "service_account", "private_key": "secret-key"}, "service account"),
        ({}, "no refresh_token"),
        ({"access_token": "ya29.x", "expiry_date": (NOW - 1) * 1000}, "no refresh_token"),
        ({"refresh_token": "1//r"}, "OAUTH_CLIENT_ID"),
        ({"refresh_token": "1//r", "client_id": "id"}, "OAUTH_CLIENT_SECRET"),
    ],
)
def test_what_cannot_work_is_refused_with_a_remedy(document: object, says: str) -> None:
    with pytest.raises(CredentialsError) as raised:
        parse(document)
    assert str(raised.value).startswith("The file")
    assert says in str(raised.value)
    assert "secret-key" not in str(raised.value)


def test_an_access_token_alone_works_until_it_ends() -> None:
    assert parse({"access_token": "ya29.x", "expiry_date": (NOW + 60) * 1000})


@pytest.mark.parametrize(
    ("expiry_date", "expires_at"),
    [
        pytest.param(1_800_000_000_000, NOW, id="milliseconds"),
        pytest.param(1_800_000_000, NOW, id="seconds"),
        pytest.param("1800000000000", NOW, id="text"),
        pytest.param(None, None, id="null"),
        pytest.param(0, None, id="zero"),
    ],
)
def test_the_expiry_date_is_milliseconds_and_pasted_seconds_are_understood(
    expiry_date: object, expires_at: float | None
) -> None:
    document = COMPLETE | {"access_token": "ya29.x", "expiry_date": expiry_date}
    token = own_access_token(parse_credential(msgspec.json.encode(document), origin="x", now=NOW))
    assert (token and token.expires_at) == expires_at


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param({"access_token": "ya29.x", "expiry_date": 1_800_000_060_000.5}, id="cli"),
        pytest.param({"token": "ya29.x", "expiry": "2027-01-15T08:01:00Z"}, id="iso 8601"),
        pytest.param({"token": "ya29.x", "expiry": "2027-01-15T08:01:00.25"}, id="without zone"),
        pytest.param({"access_token": "ya29.x", "expiry": "2027-01-15T09:01:00+01:00"}, id="zone"),
    ],
)
def test_other_programs_documents_are_read(shape: dict[str, object]) -> None:
    document = msgspec.json.encode(COMPLETE | {"type": "authorized_user"} | shape)
    token = own_access_token(parse_credential(document, origin="x", now=NOW))
    assert token == AccessToken("ya29.x", NOW + 60)


@pytest.mark.parametrize("expiry", ["", "soon", None])
def test_an_expiry_that_is_none_counts_as_over(expiry: str | None) -> None:
    document = msgspec.json.encode(COMPLETE | {"token": "ya29.x", "expiry": expiry})
    assert own_access_token(parse_credential(document, origin="x", now=NOW)) is None


class Store:
    """Where references lead in these tests."""

    def __init__(self, **secrets: bytes) -> None:
        self.secrets = {f"sm://{name}": value for name, value in secrets.items()}
        self.reads: list[str] = []

    async def read(self, reference: str) -> bytes:
        self.reads.append(reference)
        if reference not in self.secrets:
            raise CredentialsError("There is no such secret.")
        return self.secrets[reference]

    async def add_version(self, reference: str, payload: bytes) -> None:
        if self.secrets[reference] == b"locked":
            raise CredentialsError("The service may not add a version.")
        self.secrets[reference] = payload


async def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    file.write_bytes(msgspec.json.encode(COMPLETE | {"client_id": "from-file"}))
    inline = Secret(msgspec.json.encode(COMPLETE | {"client_id": "inline"}).decode())
    for given, expected in ((None, "from-file"), (inline, "inline")):
        settings = Settings(gcp_service_account=given, gcp_service_account_file=str(file))
        check_credential(settings)
        assert (await find_source(settings, Store()).load()).client_id == expected


def test_no_credentials_at_all_says_what_to_set(tmp_path: Path) -> None:
    settings = Settings(gcp_service_account_file=str(tmp_path / "none.json"))
    with pytest.raises(SettingsError, match=r"GCP_SERVICE_ACCOUNT .*make demo"):
        check_credential(settings)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="cannot be read"):
        check_credential(Settings(gcp_service_account_file=str(tmp_path)))


def test_what_is_in_secret_manager_is_not_looked_at_before_the_start() -> None:
    check_credential(Settings(gcp_service_account=Secret("sm://oauth")))


@pytest.mark.parametrize("document", [b"{", b"{}", b'{"type": "service_account"}'])
async def test_a_bad_document_in_secret_manager_is_told_by_its_reference(document: bytes) -> None:
    settings = Settings(gcp_service_account=Secret("sm://oauth"))
    with pytest.raises(CredentialsError, match="sm://oauth"):
        await find_source(settings, Store(oauth=document)).load()


async def test_document_and_client_secret_may_both_be_references() -> None:
    settings = Settings(
        gcp_service_account=Secret("sm://oauth"), oauth_client_secret=Secret("sm://client")
    )
    store = Store(oauth=msgspec.json.encode(COMPLETE), client=b"from-sm\n")
    source = find_source(settings, store)
    assert (await source.load()).client_secret == "from-sm"
    assert await source.load() is await source.load()
    assert len(store.reads) == 2


async def test_it_is_read_again_once_a_minute_and_a_failure_keeps_the_old_one() -> None:
    now = 1000.0
    found = [Credential(refresh_token="1//a"), Credential(refresh_token="1//b")]

    async def read() -> Credential:
        if not found:
            raise CredentialsError("gone")
        return found.pop(0)

    source = ReadableSource(read, now=lambda: now)
    assert (await source.load()).refresh_token == "1//a"
    assert (await source.reload()).refresh_token == "1//b"
    now += REREAD_SECONDS - 1
    found.append(Credential(refresh_token="1//c"))
    assert (await source.reload()).refresh_token == "1//b"
    now += 1
    assert (await source.reload()).refresh_token == "1//c"
    now += REREAD_SECONDS
    assert (await source.reload()).refresh_token == "1//c"


async def test_a_new_refresh_token_goes_where_the_credential_came_from() -> None:
    store = Store(oauth=msgspec.json.encode(COMPLETE))
    source = find_source(Settings(gcp_service_account=Secret("sm://oauth")), store)
    credential = structs.replace(await source.load(), refresh_token="1//new")
    await source.keep(credential)
    assert msgspec.json.decode(store.secrets["sm://oauth"]) == {
        "type": "authorized_user",
        "refresh_token": "1//new",
        "client_id": "id",
        "client_secret": "s",
    }
    assert await source.load() is credential


@pytest.mark.parametrize("document", ["sm://oauth", msgspec.json.encode(COMPLETE).decode()])
async def test_a_new_refresh_token_that_cannot_be_written_is_warned_of(
    document: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(oauth=msgspec.json.encode(COMPLETE))
    source = find_source(Settings(gcp_service_account=Secret(document)), store)
    credential = structs.replace(await source.load(), refresh_token="1//new")
    store.secrets["sm://oauth"] = b"locked"
    await source.keep(credential)
    assert await source.load() is credential
    assert "in memory only" in caplog.text
    assert "1//new" not in caplog.text


def test_credentials_do_not_print_themselves() -> None:
    credential = parse(COMPLETE | {"access_token": "ya29.secret", "expiry_date": NOW * 1000})
    assert repr(credential) == "Credential(…)"
