"""`credentials import`: one complete document from the Gemini CLI's login and its OAuth client."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import structs

from service.commands.installed_client import Found, installed_client
from service.credentials.authorization_code import OAuthClient
from service.credentials.documents import parse_credential
from service.credentials.sources import SecretStore, resolve
from service.errors import CredentialsError
from service.schemas.oauth import Credential
from service.settings import Settings, SettingsError


class Imported(NamedTuple):
    credential: Credential
    client_from: str


def import_credential(
    settings: Settings,
    client: OAuthClient | None,
    *,
    now: float,
    find_client: Callable[[], Found] = installed_client,
) -> Imported:
    """Complete the login that the Gemini CLI keeps in a file.

    Args:
        settings: name the file.
        client: from settings, too; else the document's own, or that of the CLI's installation.
        now: seconds since 1970.
        find_client: looks for an installation.

    Raises:
        CredentialsError: there is no login, or none that could work, or no client for it.

    """
    origin = settings.gcp_service_account_file
    document = _read(origin)
    # With any client at all: first whether the document is worth searching one for.
    login = parse_credential(document, origin=origin, client_id="-", client_secret="-", now=now)  # noqa: S106
    if not login.refresh_token:
        raise CredentialsError(
            f"{origin} holds no refresh_token, so it would work for an hour at most. "
            "Log in with the Gemini CLI again."
        )
    client_from = "the settings"
    if client is None:
        client, client_from = _inside(document), origin
    if client is None:
        client, place = find_client()
        client_from = str(place)
    return Imported(
        structs.replace(login, client_id=client.client_id, client_secret=client.client_secret),
        client_from,
    )


def _read(origin: str) -> bytes:
    try:
        return Path(origin).expanduser().read_bytes()
    except FileNotFoundError as error:
        raise CredentialsError(
            f"There is no file {origin}. Log in with the Gemini CLI (`gemini`) and come again, or "
            "name the file that it wrote with GCP_SERVICE_ACCOUNT_FILE, or log in with an OAuth "
            "client of your own: python -m service credentials login"
        ) from error
    except OSError as error:
        raise CredentialsError(f"{origin} cannot be read: {error.strerror}.") from error


def _inside(document: bytes) -> OAuthClient | None:
    inside = msgspec.json.decode(document, type=Credential, strict=False)
    if inside.client_id and inside.client_secret:
        return OAuthClient(inside.client_id, inside.client_secret)
    return None


async def configured_client(
    settings: Settings, store: Callable[[Settings], SecretStore]
) -> OAuthClient | None:
    """Return the OAuth client that settings name; raise `SettingsError` for half of one."""
    client_id, secret = settings.oauth_client_id, settings.oauth_client_secret
    if client_id is None and secret is None:
        return None
    if client_id is None or secret is None:
        raise SettingsError(
            "OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET belong together: set both, or neither."
        )
    if secret.reference is None:
        return OAuthClient(client_id, secret.reveal())
    return OAuthClient(client_id, await resolve(secret, store(settings)) or "")


def document_of(credential: Credential) -> bytes:
    """Write a credential as `GCP_SERVICE_ACCOUNT` takes it: one line of JSON."""
    expiry = credential.expiry_date
    document = {
        "type": "authorized_user",
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
        "refresh_token": credential.refresh_token,
        "access_token": credential.access_token,
        "expiry_date": None if expiry is None else round(expiry),
    }
    known = {name: value for name, value in document.items() if value is not None}
    return msgspec.json.encode(known) + b"\n"
