"""From the code of an answered consent page to a credential, over sockets."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from service.credentials.authorization_code import OAuthClient, exchange
from service.errors import CredentialsError, GatewayError, TokenEndpointError
from service.schemas.oauth import Credential
from service.transport import open_transport
from tests.commands.browsing import asking
from tests.simulators.google import Google
from tests.simulators.replies import Play, document, drop, page


@asynccontextmanager
async def logged_in(google: Google) -> AsyncGenerator[Callable[..., Awaitable[Credential]]]:
    """Get a code, and hand out the exchange."""
    async with asking(google) as asked:
        await asked.get(asked.page.agree())
        consent, code = await asked.answer

    async def exchange_(*, secret: str = google.client_secret, port: int = 0) -> Credential:
        transport = open_transport()
        try:
            return await exchange(
                transport,
                f"http://127.0.0.1:{port}/token" if port else f"{google.url}/token",
                client=OAuthClient(google.client_id, secret),
                consent=consent,
                code=code,
                now=lambda: 1_800_000_000,
            )
        finally:
            await transport.aclose()

    yield exchange_


async def test_the_code_is_exchanged_as_rfc_6749_says(google: Google) -> None:
    async with logged_in(google) as exchange_:
        credential = await exchange_()
    (call,) = google.calls("token")
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert isinstance(call.body, dict)
    assert set(call.body) == {
        "grant_type",
        "code",
        "code_verifier",
        "redirect_uri",
        "client_id",
        "client_secret",
    }
    assert credential.refresh_token in google.refresh_tokens
    assert credential.access_token == google.tokens.current
    assert credential.expiry_date == 1_800_003_599_000


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (document({"error": "invalid_grant"}, 400), CredentialsError, "login` once more"),
        (document({"error": "invalid_client"}, 401), CredentialsError, "OAUTH_CLIENT_SECRET"),
        (document({"error": "unauthorized_client"}, 401), CredentialsError, "OAUTH_CLIENT_ID"),
        (document({"error": "redirect_uri_mismatch"}, 400), CredentialsError, "Desktop app"),
        (document({"error": "access_denied"}, 403), CredentialsError, "administrator"),
        (document({"error": "what"}, 400), CredentialsError, "(what)"),
        (page(404), CredentialsError, "(404)"),
        (page(503), TokenEndpointError, "status 503"),
        (page(200), TokenEndpointError, "no token"),
        (drop(), TokenEndpointError, "could not be reached"),
        (document({"access_token": "t"}), CredentialsError, "no refresh token"),
        (
            document({"access_token": "t", "refresh_token": "r", "scope": "openid"}),
            CredentialsError,
            "ticked",
        ),
    ],
)
async def test_a_failed_exchange_says_what_to_do(
    google: Google, reply: Play, error: type[GatewayError], says: str
) -> None:
    async with logged_in(google) as exchange_:
        google.script(reply, on="token")
        with pytest.raises(error) as raised:
            await exchange_()
    assert says in raised.value.message
    assert len(google.calls("token")) == 1, "a code that Google has seen is used up"
    assert google.client_secret not in raised.value.message


@pytest.mark.parametrize("expires_in", ["3599", None], ids=["text", "missing"])
async def test_a_lifetime_that_is_no_number_does_no_harm(
    google: Google, expires_in: object
) -> None:
    google.tokens.expires_in = expires_in
    async with logged_in(google) as exchange_:
        expected = 1_800_000_000_000 + (3_599_000 if expires_in else 0)
        assert (await exchange_()).expiry_date == expected
