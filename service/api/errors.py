"""The gateway's errors, as OpenAI's: https://platform.openai.com/docs/guides/error-codes."""

import logging
import math
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from service.api import google_errors
from service.errors import (
    ClientDisconnectedError,
    GatewayError,
    InvalidRequestError,
    MethodNotSupportedError,
    RequestTooLargeError,
    UnknownUrlError,
)
from service.logs import redact
from service.schemas.openai import Error, ErrorBody
from service.telemetry import annotate, is_client_gone

logger = logging.getLogger(__name__)

_LONGEST_RETRY_AFTER = 60  # seconds; openai's Node SDK sleeps for as long as it is told


def body(error: GatewayError) -> bytes:
    """Say it as OpenAI would, for a response or for the last event of a stream."""
    return msgspec.json.encode(ErrorBody(error_object(error)))


def error_object(error: GatewayError) -> Error:
    return Error(message=error.message, type=error.type, param=error.param, code=error.code)


def respond(
    error: GatewayError,
    headers: dict[str, str] | None = None,
    *,
    asked: Request[Any, Any, Any] | None = None,
) -> Response[bytes]:
    """Make a response of an error; in Google's words where the request was in Google's."""
    annotate(code=error.code or error.type)
    in_googles = asked is not None and google_errors.are_for(asked.scope)
    return Response(
        google_errors.body(error) if in_googles else body(error),
        status_code=error.status,
        media_type="application/json",
        headers={**_retry_headers(error), **(headers or {})},
    )


def _retry_headers(error: GatewayError) -> dict[str, str]:
    """Tell the SDKs whether to try again, and when."""
    headers = {}
    should_retry = error.should_retry
    if error.retry_after is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after))
        headers["retry-after-ms"] = str(math.ceil(error.retry_after * 1000))
        if error.retry_after > _LONGEST_RETRY_AFTER:
            should_retry = False
    if should_retry is not None:
        headers["x-should-retry"] = str(should_retry).lower()
    return headers


def on_gateway_error(request: Request[Any, Any, Any], error: GatewayError) -> Response[bytes]:
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else None  # noqa: PLR2004
    return respond(error, headers, asked=request)


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Reword what Litestar refused itself: a wrong path, a wrong method, too large a body."""
    known = _reworded(request, error)
    if known is None:
        return on_bug(request, error)
    allowed = {name.lower(): value for name, value in (error.headers or {}).items()}
    headers = {"allow": allowed.get("allow", "")} if error.status_code == 405 else None  # noqa: PLR2004
    return respond(known, headers, asked=request)


def _reworded(request: Request[Any, Any, Any], error: HTTPException) -> GatewayError | None:
    asked = f"{request.method} {redact(request.url.path)}"  # a key in it need not be repeated
    match error.status_code:
        case 404:
            return UnknownUrlError(f"Unknown request URL: {asked}. GET / lists the endpoints.")
        case 405:
            allowed = {name.lower(): value for name, value in (error.headers or {}).items()}
            use = allowed.get("allow", "another")
            return MethodNotSupportedError(f"Method not supported: {asked}. Use {use}.")
        case 413:
            limit = request.route_handler.resolve_request_max_body_size()
            return RequestTooLargeError(f"The request is larger than {limit} bytes.")
        case 400 if isinstance(error, ValidationException):
            return InvalidRequestError("The body of the request must be a JSON object.")
        case status if status < 500:  # noqa: PLR2004
            return InvalidRequestError(error.detail)
        case _ if is_client_gone():  # it left in the middle of its own request
            return ClientDisconnectedError()
        case _:
            return None


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return respond(unexpected(error), asked=request)


def unexpected(error: Exception) -> GatewayError:
    """Log a bug, and return what the client is told of it."""
    logger.error("unexpected error", exc_info=error)
    return GatewayError("The gateway failed in a way that it does not know. Its log says more.")


def respond_to(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Make a response of whatever went wrong, for Litestar or without it."""
    if isinstance(error, GatewayError):
        return on_gateway_error(request, error)
    if isinstance(error, HTTPException):
        return on_http_exception(request, error)
    return on_bug(request, error)
