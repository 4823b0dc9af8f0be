"""OAuth 2.0: the credential document, the token endpoint's replies (RFC 6749), access tokens."""

from typing import Any

from msgspec import Struct


class Confidential(Struct):
    """A struct whose repr shows no field."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class Credential(Confidential, kw_only=True):
    """A user's credential: the Gemini CLI's `oauth_creds.json`, with the client that issued it.

    `expiry_date` is in milliseconds since 1970, as in Google's file.
    """

    access_token: str | None = None
    refresh_token: str | None = None
    expiry_date: float | None = None
    client_id: str | None = None
    client_secret: str | None = None


class TokenReply(Confidential, kw_only=True):
    """RFC 6749 section 5.1. Google leaves `refresh_token` out unless it changed."""

    access_token: str
    expires_in: Any = None
    refresh_token: str | None = None
    scope: str | None = None  # what was granted, separated by spaces


class TokenError(Struct, kw_only=True):
    """RFC 6749 section 5.2, with Google's subtype."""

    error: str
    error_description: str | None = None
    error_subtype: str | None = None


class AccessToken(Confidential):
    """A bearer token and its end, in seconds since 1970."""

    value: str
    expires_at: float


class SharedToken(Confidential, kw_only=True):
    """An access token, with when and by whom it was refreshed: what instances share.

    `refreshed_by` names an instance, `refreshed_at` is in seconds since 1970; both are None for the
    token that came with the credential.
    """

    token: AccessToken
    refreshed_at: float | None = None
    refreshed_by: str | None = None
