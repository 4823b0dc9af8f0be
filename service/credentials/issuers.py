"""Who makes access tokens."""

import asyncio
import math
import time
from collections.abc import Callable
from urllib.parse import urlencode

import aiohttp
import httpx
import msgspec

from service.errors import CredentialsError, TokenEndpointError
from service.interfaces import Refreshed
from service.schemas.oauth import AccessToken, Credential, TokenError, TokenReply

_replies = msgspec.json.Decoder(TokenReply)
_errors = msgspec.json.Decoder(TokenError)

#: Seconds before each further try, as Google's own library waits.
RETRY_DELAYS = (0.1, 0.5, 1.5)
_TIMEOUT = 4.0
_DEFAULT_LIFETIME = 3600.0


class RefreshTokenGrant:
    """A `TokenIssuer`: RFC 6749 section 6.

    Args:
        transport: the pool to use.
        url: the token endpoint.
        now: seconds since 1970.

    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        url: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport
        self._url = url
        self._now = now

    async def issue(self, credential: Credential) -> Refreshed:
        """Refresh; raise `CredentialsError` for a refusal, `TokenEndpointError` for an outage."""
        if not credential.refresh_token:
            msg = (
                f"The access token has ended, and there is no refresh token. {_LOGIN_AGAIN}{_TELL}"
            )
            raise CredentialsError(msg, code="credentials_revoked")
        body = urlencode(
            {
                "grant_type": "refresh_token",
                "refresh_token": credential.refresh_token,
                "client_id": credential.client_id or "",
                "client_secret": credential.client_secret or "",
            }
        ).encode()
        for delay in RETRY_DELAYS:
            try:
                return await self._ask(body)
            except TokenEndpointError:
                await asyncio.sleep(delay)
        return await self._ask(body)

    async def _ask(self, body: bytes) -> Refreshed:
        request = httpx.Request(
            "POST",
            self._url,
            content=body,
            headers={
                "content-type": "application/x-www-form-urlencoded",
                "accept": "application/json",
                "accept-encoding": "identity",
            },
            extensions={"timeout": {"connect": _TIMEOUT, "read": _TIMEOUT}},
        )
        try:
            response = await self._transport.handle_async_request(request)
            try:
                content = await response.aread()
            finally:
                await response.aclose()
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            raise TokenEndpointError(
                "Google's token endpoint could not be reached. Ask again."
            ) from error
        if not response.is_success:
            raise refusal(response.status_code, content)
        try:
            reply = _replies.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = "Google's token endpoint answered with something that is no token. Ask again."
            raise TokenEndpointError(msg) from error
        # In whole seconds it stays the same through Firestore.
        ends = math.floor(self._now() + _lifetime(reply.expires_in))
        return Refreshed(AccessToken(reply.access_token, ends), reply.refresh_token)


def _lifetime(expires_in: object) -> float:
    try:
        return float(expires_in)  # type: ignore[arg-type] # whatever it is, it may be a number
    except (TypeError, ValueError):
        return _DEFAULT_LIFETIME


_LOGIN_AGAIN = (
    "Log in with the Gemini CLI again and run `python -m service credentials import`, "
    "or run `python -m service credentials login`."
)
_TELL = " The operator of this gateway has to act; your API key is fine."
_REFUSALS = {
    "reauthentication_required": (
        f"The Google Workspace of this account asks for a new login. {_LOGIN_AGAIN}"
    ),
    "credentials_revoked": (
        f"Google no longer takes the refresh token (expired or revoked). {_LOGIN_AGAIN}"
    ),
    "oauth_client_invalid": (
        "Google refused the OAuth client. OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET must be those "
        "of the client that issued the refresh token."
    ),
    "admin_policy_enforced": (
        "The administrator of this Google Workspace blocks the OAuth client. "
        "Ask them to allow it, or use another account."
    ),
}


def refusal(status: int, content: bytes) -> CredentialsError | TokenEndpointError:
    """Choose the error for a refusal of the token endpoint, RFC 6749 section 5.2."""
    try:
        error = _errors.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        error = TokenError(error="")
    if status == 429 or status >= 500:  # noqa: PLR2004
        return TokenEndpointError(
            f"Google's token endpoint answered with status {status}. Ask again."
        )
    match error.error:
        case "invalid_grant" if error.error_subtype == "invalid_rapt":
            code = "reauthentication_required"
        case "invalid_grant":
            code = "credentials_revoked"
        case "invalid_client" | "unauthorized_client":
            code = "oauth_client_invalid"
        case "access_denied" | "admin_policy_enforced":
            code = "admin_policy_enforced"
        case _:
            said = f"Google's token endpoint refused the refresh ({error.error or status})."
            return CredentialsError(said + _TELL)
    return CredentialsError(_REFUSALS[code] + _TELL, code=code)


def remembered_refusal(code: str) -> CredentialsError | None:
    """Return the error of that code; None for a code that no refusal of a refresh has."""
    text = _REFUSALS.get(code)
    return None if text is None else CredentialsError(text + _TELL, code=code)
