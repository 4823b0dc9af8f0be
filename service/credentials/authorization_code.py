"""A person's login: the authorization code grant, RFC 6749 section 4.1, with PKCE (RFC 7636)."""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from urllib.parse import urlencode

import httpx

from service.credentials.token_endpoint import TokenRefusedError, ask, lifetime
from service.errors import CredentialsError
from service.schemas.oauth import Confidential, Credential

CONSENT_PAGE = "https://accounts.google.com/o/oauth2/v2/auth"
_SCOPE_PREFIX = "https://www.googleapis.com/auth/"
_NEEDED_SCOPE = f"{_SCOPE_PREFIX}cloud-platform"
#: What the Gemini CLI asks for, too.
SCOPES = (_NEEDED_SCOPE, f"{_SCOPE_PREFIX}userinfo.email", f"{_SCOPE_PREFIX}userinfo.profile")


class OAuthClient(Confidential):
    """The program that a person lets in, as Google knows it."""

    client_id: str
    client_secret: str


class Consent(Confidential):
    """What is remembered of a consent page until its answer comes.

    `state` tells the answer from a stranger's; `verifier` proves at the exchange that we asked.
    """

    redirect_uri: str
    state: str
    verifier: str


def new_consent(redirect_uri: str) -> Consent:
    return Consent(redirect_uri, secrets.token_hex(32), secrets.token_urlsafe(64))


def consent_url(consent: Consent, client_id: str) -> str:
    """Return the address of the page on which the person agrees."""
    digest = hashlib.sha256(consent.verifier.encode()).digest()
    query = {
        "client_id": client_id,
        "redirect_uri": consent.redirect_uri,
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "access_type": "offline",  # brings a refresh token ...
        "prompt": "consent",  # ... also when the person has agreed before
        "state": consent.state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{CONSENT_PAGE}?{urlencode(query)}"


async def exchange(
    transport: httpx.AsyncBaseTransport,
    url: str,
    *,
    client: OAuthClient,
    consent: Consent,
    code: str,
    now: Callable[[], float] = time.time,
) -> Credential:
    """Turn the code of an answered consent page into a credential.

    It is asked once: a code that Google has seen is used up, whatever became of the answer.

    Raises:
        CredentialsError: Google refuses, or gives less than the gateway needs.
        TokenEndpointError: Google cannot be asked.

    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": consent.verifier,
        "redirect_uri": consent.redirect_uri,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
    }
    try:
        reply = await ask(transport, url, form, again=_AGAIN)
    except TokenRefusedError as refused:
        raise _refusal(refused.status, refused.error.error) from refused
    if not reply.refresh_token:
        raise CredentialsError(
            "Google gave no refresh token. Remove this program's access at "
            f"https://myaccount.google.com/connections and log in again. {_AGAIN}"
        )
    if reply.scope is not None and _NEEDED_SCOPE not in reply.scope.split():
        raise CredentialsError(
            "The login does not cover Google Cloud, without which Gemini does not answer. "
            f"{_AGAIN} Leave the box for Google Cloud data ticked."
        )
    return Credential(
        client_id=client.client_id,
        client_secret=client.client_secret,
        refresh_token=reply.refresh_token,
        access_token=reply.access_token,
        expiry_date=round((now() + lifetime(reply, otherwise=0)) * 1000),
    )


_AGAIN = "Run `python -m service credentials login` once more."


def _refusal(status: int, error: str) -> CredentialsError:
    match error:
        case "invalid_grant":
            text = f"Google did not take the login's code, which works once and soon. {_AGAIN}"
        case "invalid_client" | "unauthorized_client":
            text = (
                f"Google refused the OAuth client ({error}). Compare OAUTH_CLIENT_ID and "
                "OAUTH_CLIENT_SECRET with the client's page in the Google Cloud console."
            )
        case "redirect_uri_mismatch":
            text = (
                "Google does not let this OAuth client answer to this machine "
                "(redirect_uri_mismatch). Make a client of the type Desktop app, and set "
                "OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET to it."
            )
        case "access_denied" | "admin_policy_enforced":
            text = (
                "The administrator of this Google Workspace blocks the OAuth client. "
                "Ask them to allow it, or use another account."
            )
        case _:
            text = f"Google's token endpoint refused the login ({error or status}). {_AGAIN}"
    return CredentialsError(text)
