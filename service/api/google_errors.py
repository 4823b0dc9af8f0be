"""The gateway's errors, as Google's: for the paths on which Google's own API is spoken."""

import re

import msgspec
from litestar.types import HTTPScope

from service.errors import GatewayError
from service.schemas.gemini_native import GoogleError, GoogleErrorBody

#: https://cloud.google.com/apis/design/errors
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

_GOOGLES = re.compile(
    r"\w+ /v1beta1?(/|$)|\w+ /v1/(projects|publishers)/|POST /v1/models/|"
    # what OpenAI's clients ask, too
    r"(?P<shared>GET /v1/models(/|$))"
)


def are_for(scope: HTTPScope) -> bool:
    """Whether a client of Google's own API asks this."""
    match = _GOOGLES.match(f"{scope['method']} {scope['path']}")
    return match is not None and (match["shared"] is None or is_googles(scope))


def is_googles(scope: HTTPScope) -> bool:
    """Whether one of Google's clients asks; it says so in every request."""
    return any(name.startswith(b"x-goog-api-") for name, _ in scope["headers"])


def body(error: GatewayError) -> bytes:
    """Say it as Google would, for a response or for the last event of a stream."""
    told = GoogleError(error.status, error.message, _STATUSES.get(error.status, "UNKNOWN"))
    if error.retry_after is not None:
        # Google's own clients look here, and not into the headers.
        delay = f"{error.retry_after:g}s"
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        told.details = [{"@type": kind, "retryDelay": delay}]
    return msgspec.json.encode(GoogleErrorBody(told))
