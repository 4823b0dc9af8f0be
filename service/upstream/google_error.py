"""Google's error object, out of whatever it arrives in.

It comes bare or in an array, with a status of 200, as JSON inside its own message, with stray
commas and spaces, or not at all: as HTML from a front end, or as nothing.
https://cloud.google.com/apis/design/errors has the standard form.
"""

import re
from typing import Any

import msgspec

from service.surrogates import replace_lone_surrogates

_DOUBLED_COMMA = re.compile(rb",\s*(?=,)")
_NESTING_LIMIT = 5

_STATUS_CODES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}

# google.rpc.Code, which is what a long-running operation's error has for a code
_RPC_CODES = {
    1: 499,
    2: 500,
    3: 400,
    4: 504,
    5: 404,
    6: 409,
    7: 403,
    8: 429,
    9: 400,
    10: 409,
    11: 400,
    12: 501,
    13: 500,
    14: 503,
    15: 500,
    16: 401,
}


class GoogleError(msgspec.Struct):
    """What an error says, of all that it may say. Strings are empty where it said nothing."""

    code: int  # an HTTP status
    status: str = ""
    message: str = ""
    reason: str = ""
    metadata: dict[str, str] = {}
    retry_delay: float | None = None  # seconds, from RetryInfo
    quota_ids: list[str] = []  # from QuotaFailure: which quotas, over which time
    field: str = ""  # from BadRequest: the first field at fault, in snake_case
    links: list[str] = []  # where to read on or to put things right, the most useful first


def read_error(http_status: int, body: bytes) -> GoogleError:
    """Read an error body, whatever it looks like.

    Args:
        http_status: the response's; a 2xx counts for less than the code inside the body.
        body: all of it, or the data of one server-sent event.

    """
    error = _find(_decode(body)) or {}
    for _ in range(_NESTING_LIMIT):
        inner = _find(_decode(_text(error.get("message")).encode()))
        if inner is None:
            break
        error = {**error, **inner}

    status = _text(error.get("status"))
    code = http_status
    if http_status < 400:  # noqa: PLR2004
        code = _int(error.get("code")) or _STATUS_CODES.get(status, 502)
        code = _RPC_CODES.get(code, code)
    google = GoogleError(code=code, status=status, message=_text(error.get("message")))
    for detail in _dicts(error.get("details")):
        _add_detail(google, {str(key).strip(): value for key, value in detail.items()})
    return google


def is_error(body: bytes) -> bool:
    """Whether the JSON is an error object, or an array of one."""
    return _find(_decode(body)) is not None


def _decode(body: bytes) -> Any:
    if body.lstrip()[:1] not in (b"{", b"["):
        return None
    for repair in (bytes, _repair):
        try:
            return msgspec.json.decode(repair(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return None


def _repair(body: bytes) -> bytes:
    return _DOUBLED_COMMA.sub(b"", replace_lone_surrogates(body))


def _find(value: Any) -> dict[str, Any] | None:
    if isinstance(value, list):
        value = value[0] if value else None
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else None


_LINKS = ("validation_url", "validation_link", "appeal_url", "activationUrl")


def _add_detail(google: GoogleError, detail: dict[str, Any]) -> None:
    match _text(detail.get("@type")).rpartition(".")[2]:
        case "ErrorInfo":
            google.reason = _text(detail.get("reason"))
            metadata = detail.get("metadata")
            if isinstance(metadata, dict):
                google.metadata = {str(key): _text(value) for key, value in metadata.items()}
                found = [google.metadata[key] for key in _LINKS if google.metadata.get(key)]
                google.links = [*found, *google.links]
        case "RetryInfo":
            google.retry_delay = seconds(_text(detail.get("retryDelay")))
        case "QuotaFailure":
            google.quota_ids = [
                f"{violation.get('quotaId', '')} {violation.get('quotaMetric', '')}"
                for violation in _dicts(detail.get("violations"))
            ]
        case "BadRequest":
            for violation in _dicts(detail.get("fieldViolations"))[:1]:
                google.field = _text(violation.get("field"))
        case "Help":
            google.links += [_text(link.get("url")) for link in _dicts(detail.get("links"))]
        case _:
            pass  # LocalizedMessage, DebugInfo: words for people


_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


def seconds(duration: str) -> float | None:
    """Read a duration such as `0.54s`, `539.47ms` or `13h19m1.2s`; None for anything else."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration.strip():
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _int(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
