"""The gateway's errors, as Google's: for the paths on which Google's own API is spoken."""

import re

import msgspec

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

_GOOGLES = re.compile(r"\w+ /v1beta1?(/|$)|POST /v1/(models|projects|publishers)/")


def are_for(method: str, path: str) -> bool:
    """Whether a client of Google's own API asks this."""
    return _GOOGLES.match(f"{method} {path}") is not None


def body(error: GatewayError) -> bytes:
    """Say it as Google would, for a response or for the last event of a stream."""
    told = GoogleError(error.status, error.message, _STATUSES.get(error.status, "UNKNOWN"))
    if error.retry_after is not None:
        # Google's own clients look here, and not into the headers.
        delay = f"{error.retry_after:g}s"
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        told.details = [{"@type": kind, "retryDelay": delay}]
    return msgspec.json.encode(GoogleErrorBody(told))
