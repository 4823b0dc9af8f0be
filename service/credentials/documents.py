"""Credential documents, in every form that people have them in."""

import math
from datetime import UTC, datetime

import msgspec

from service.errors import CredentialsError
from service.schemas.oauth import AccessToken, Confidential, Credential


class _Document(Confidential, kw_only=True):
    """A credential as people have it: the Gemini CLI's, `authorized_user`, or other programs'."""

    type: str | None = None
    access_token: str | None = None
    token: str | None = None  # the same, elsewhere
    refresh_token: str | None = None
    expiry_date: float | None = None  # milliseconds since 1970
    expiry: str | None = None  # the same, as ISO 8601 has it
    client_id: str | None = None
    client_secret: str | None = None


_documents = msgspec.json.Decoder(_Document, strict=False)


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
        given = _documents.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "is not a JSON object of the kind that the Gemini CLI writes"
        raise CredentialsError(
            f"{origin} {reason}. Log in with the Gemini CLI, run `python -m service credentials "
            "import`, and give what that prints."
        ) from error
    if given.type == "service_account":
        raise CredentialsError(
            f"{origin} holds a service account's key, and Code Assist serves people only. "
            "Give it the oauth_creds.json that the Gemini CLI wrote after a person's login."
        )
    credential = Credential(
        access_token=given.access_token or given.token,
        refresh_token=given.refresh_token,
        expiry_date=given.expiry_date or _milliseconds(given.expiry),
        client_id=client_id or given.client_id,
        client_secret=client_secret or given.client_secret,
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


def _milliseconds(moment: str | None) -> float | None:
    try:
        when = datetime.fromisoformat(moment or "")
    except ValueError:
        return None
    # Python's own libraries write UTC and do not say so.
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000


_SECONDS_BELOW = 1e11  # in milliseconds that would be 1973


def own_access_token(credential: Credential) -> AccessToken | None:
    """Return the access token that the document holds, which may have ended."""
    token = credential.access_token
    if not token or not credential.expiry_date:
        return None
    if not (token.isascii() and token.isprintable()):
        return None  # damaged on its way here, and the refresh token may not be
    expiry = credential.expiry_date
    seconds = expiry if expiry < _SECONDS_BELOW else expiry / 1000
    return AccessToken(token, math.floor(seconds))
