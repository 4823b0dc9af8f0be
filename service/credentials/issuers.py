"""Who makes access tokens."""

import asyncio
import math
import time
from collections.abc import Callable

import httpx

from service.credentials.token_endpoint import TokenRefusedError, ask, lifetime
from service.errors import CredentialsError, TokenEndpointError
from service.interfaces import Refreshed
from service.schemas.oauth import AccessToken, Credential, TokenError

#: Seconds before each further try, as Google's own library waits.
RETRY_DELAYS = (0.1, 0.5, 1.5)
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
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credential.refresh_token,
            "client_id": credential.client_id or "",
            "client_secret": credential.client_secret or "",
        }
        for delay in RETRY_DELAYS:
            try:
                return await self._ask(form)
            except TokenEndpointError:
                await asyncio.sleep(delay)
        return await self._ask(form)

    async def _ask(self, form: dict[str, str]) -> Refreshed:
        try:
            reply = await ask(self._transport, self._url, form, again="Ask again.")
        except TokenRefusedError as refused:
            raise _refusal(refused.status, refused.error) from refused
        # In whole seconds it stays the same through Firestore.
        ends = math.floor(self._now() + lifetime(reply, otherwise=_DEFAULT_LIFETIME))
        return Refreshed(AccessToken(reply.access_token, ends), reply.refresh_token)


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


def _refusal(status: int, error: TokenError) -> CredentialsError:
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
