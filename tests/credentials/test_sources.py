from pathlib import Path

import msgspec
import pytest

from service.credentials.sources import find_credential, own_access_token, parse_credential
from service.errors import CredentialsError
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


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    file.write_bytes(msgspec.json.encode(COMPLETE | {"client_id": "from-file"}))
    settings = Settings(gcp_service_account_file=str(file))
    assert find_credential(settings, now=NOW).client_id == "from-file"
    inline = msgspec.json.encode(COMPLETE | {"client_id": "inline"}).decode()
    settings = Settings(gcp_service_account=Secret(inline), gcp_service_account_file=str(file))
    assert find_credential(settings, now=NOW).client_id == "inline"


def test_no_credentials_at_all_says_what_to_set(tmp_path: Path) -> None:
    settings = Settings(gcp_service_account_file=str(tmp_path / "none.json"))
    with pytest.raises(SettingsError, match=r"GCP_SERVICE_ACCOUNT .*make demo"):
        find_credential(settings, now=NOW)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="cannot be read"):
        find_credential(Settings(gcp_service_account_file=str(tmp_path)), now=NOW)


def test_credentials_do_not_print_themselves() -> None:
    credential = parse(COMPLETE | {"access_token": "ya29.secret", "expiry_date": NOW * 1000})
    assert repr(credential) == "Credential(…)"
