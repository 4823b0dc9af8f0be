"""Where the long-lived credential is kept: inline in the environment, or in a file."""

from pathlib import Path

import msgspec
from msgspec import structs

from service.errors import CredentialsError
from service.schemas.oauth import AccessToken, Credential
from service.settings import Settings, SettingsError

_documents = msgspec.json.Decoder(Credential, strict=False)


class StaticSource:
    """A `CredentialSource` that was read once, at start."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    async def load(self) -> Credential:
        return self._credential


def parse_credential(
    document: bytes,
    *,
    origin: str,
    client_id: str | None = None,
    client_secret: str | None = None,
    now: float,
) -> Credential:
    """Read a credential document and complete it with the OAuth client from settings.

    Args:
        document: JSON as the Gemini CLI keeps it, or Google's `authorized_user` form.
        origin: where it came from, for the error's sentence.
        client_id: from settings; wins over the document's.
        client_secret: likewise.
        now: seconds since 1970.

    Raises:
        CredentialsError: it cannot work; the sentence says why, and what to do.

    """
    try:
        credential = _documents.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "is not a JSON object of the kind that the Gemini CLI writes"
        raise CredentialsError(f"{origin} {reason}.") from error
    if credential.type == "service_account":
        raise CredentialsError(
            f"{origin} holds a service account's key, and Code Assist serves people only. "
            "Give it the oauth_creds.json that the Gemini CLI wrote after a person's login."
        )
    credential = structs.replace(
        credential,
        client_id=client_id or credential.client_id,
        client_secret=client_secret or credential.client_secret,
    )
    if not credential.refresh_token:
        token = own_access_token(credential)
        if token is not None and token.expires_at > now:
            return credential
        raise CredentialsError(
            f"{origin} holds no refresh_token, and no access_token that is still valid. "
            "Log in with the Gemini CLI again, and give the whole oauth_creds.json that it writes."
        )
    if not (credential.client_id and credential.client_secret):
        raise CredentialsError(
            f"{origin} does not name the OAuth client that issued it, and it works with no other. "
            "Set OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET, "
            "or add client_id and client_secret to the document."
        )
    return credential


_SECONDS_BELOW = 1e11  # in milliseconds that would be 1973


def own_access_token(credential: Credential) -> AccessToken | None:
    """Return the access token that the document holds, which may have ended."""
    if not credential.access_token or not credential.expiry_date:
        return None
    expiry = credential.expiry_date
    return AccessToken(
        credential.access_token, expiry if expiry < _SECONDS_BELOW else expiry / 1000
    )


def read_file(path: Path) -> bytes | None:
    """Return the file's content, or None if there is no such file."""
    try:
        return path.expanduser().read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}.") from error


def find_credential(settings: Settings, *, now: float) -> Credential:
    """Return the credential that settings name: inline, or in a file.

    Raise `SettingsError` if there is none, `CredentialsError` if it cannot work.
    """
    if settings.gcp_service_account is not None:
        origin = "GCP_SERVICE_ACCOUNT"
        document: bytes | None = settings.gcp_service_account.reveal().encode()
    else:
        origin = settings.gcp_service_account_file
        document = read_file(Path(origin))
    if document is None:
        raise SettingsError(
            f"No Google credentials were found: GCP_SERVICE_ACCOUNT is not set, and there is no "
            f"file {origin}. Set GCP_SERVICE_ACCOUNT to the content of the oauth_creds.json that "
            "the Gemini CLI writes after a login, or GCP_SERVICE_ACCOUNT_FILE to its path. "
            "To see the gateway work without an account: make demo"
        )
    secret = settings.oauth_client_secret
    return parse_credential(
        document,
        origin=origin,
        client_id=settings.oauth_client_id,
        client_secret=secret.reveal() if secret else None,
        now=now,
    )
