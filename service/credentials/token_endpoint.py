"""Google's token endpoint, for whatever grant: RFC 6749 sections 4 to 6."""

from collections.abc import Mapping
from urllib.parse import urlencode

import httpx
import msgspec

from service.errors import TokenEndpointError
from service.schemas.oauth import TokenError, TokenReply

_replies = msgspec.json.Decoder(TokenReply)
_errors = msgspec.json.Decoder(TokenError)

_TIMEOUT = 4.0


class TokenRefusedError(Exception):
    """RFC 6749 section 5.2: `status` is HTTP's, `error` what was said, empty if that is unknown."""

    def __init__(self, status: int, error: TokenError) -> None:
        super().__init__(error.error)
        self.status = status
        self.error = error


async def ask(
    transport: httpx.AsyncBaseTransport, url: str, form: Mapping[str, str], *, again: str
) -> TokenReply:
    """Send one request.

    Args:
        transport: the pool to use.
        url: the endpoint.
        form: the grant.
        again: the sentence that says how to ask once more.

    Raises:
        TokenRefusedError: the endpoint refuses.
        TokenEndpointError: it cannot be asked now, or answers with something else.

    """
    request = httpx.Request(
        "POST",
        url,
        content=urlencode(form).encode(),
        headers={
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
            "accept-encoding": "identity",
        },
        extensions={"timeout": {"connect": _TIMEOUT, "read": _TIMEOUT}},
    )
    try:
        response = await transport.handle_async_request(request)
        try:
            content = await response.aread()
        finally:
            await response.aclose()
    except httpx.HTTPError as error:
        msg = f"Google's token endpoint could not be reached. {again}"
        raise TokenEndpointError(msg) from error
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise TokenEndpointError(f"Google's token endpoint answered with status {status}. {again}")
    try:
        if response.is_success:
            return _replies.decode(content)
        refused = _errors.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if response.is_success:
            msg = f"Google's token endpoint answered with something that is no token. {again}"
            raise TokenEndpointError(msg) from error
        refused = TokenError(error="")
    raise TokenRefusedError(status, refused)


def lifetime(reply: TokenReply, *, otherwise: float) -> float:
    """Return the seconds that a token lasts, as far as the reply says."""
    try:
        return float(reply.expires_in)
    except (TypeError, ValueError):
        return otherwise
