"""Google's refusals and the network's failures, as the gateway's errors.

The client's view of each is the contract of OpenAI's API: the right status, `type` and `code`, and
whether to ask again. Google's status and reasons decide; its wording only where nothing else is
there.
"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType

import httpx
import msgspec

from service.errors import (
    GatewayError,
    InvalidRequestError,
    QuotaExhaustedError,
    UpstreamDisconnectedError,
    UpstreamResponseError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from service.logs import redact
from service.sse import EventTooLargeError
from service.upstream.google_error import GoogleError, read_error, seconds
from service.upstream.refusals import Row, row_of

_MAX_MESSAGE = 2000
_BAD_REQUEST = 400


class upstream_failures:  # noqa: N801  (used as a function is)
    """`with`, around every read from Google: lets only `GatewayError` out."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and (told := _told(error)) is not None:
            raise told from error


def failure_of(error: Exception) -> GatewayError:
    """Return what `upstream_failures` would raise; raise what it would let out."""
    told = error if isinstance(error, GatewayError) else _told(error)
    if told is None:
        raise error
    if told is not error:
        told.__cause__ = error
    return told


def _told(error: BaseException) -> GatewayError | None:
    match error:
        case httpx.ReadTimeout():
            return UpstreamTimeoutError("Gemini did not answer in time.")
        case httpx.TransportError():
            return _broken(error)
        case httpx.DecodingError():
            return UpstreamResponseError("Gemini's answer could not be decompressed. Ask again.")
        case EventTooLargeError():
            return UpstreamResponseError("Gemini sent an event that is too large to be one.")
        case msgspec.DecodeError() | UnicodeDecodeError() | RecursionError():
            return UpstreamResponseError("Gemini's answer could not be read. Ask again.")
        case _:
            return None


def _broken(error: httpx.TransportError) -> GatewayError:
    if isinstance(error, httpx.ConnectTimeout):
        return UpstreamUnreachableError("Gemini took no connection in time. Ask again.")
    name = type(error.__cause__ or error).__name__
    if isinstance(error, httpx.ConnectError):
        return UpstreamUnreachableError(f"Gemini could not be reached ({name}). Ask again.")
    return UpstreamDisconnectedError(f"The connection to Gemini broke ({name}). Ask again.")


def refusal(
    http_status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> GatewayError:
    """Choose the error for a refusal.

    Args:
        http_status: of the response; 200 when the error came inside a stream.
        body: of the response, or the event's data.
        headers: of the response, for `retry-after`.

    """
    google = read_error(http_status, body)
    row = row_of(google)
    said = said_by(google)
    if row.ignores_delay:
        said = _RETRY_IN_TEXT.sub("", said).strip()
    delay = _delay(google, headers or {}, row)
    if row.code == "context_length_exceeded":
        return _too_long(google, said)
    if row.error is QuotaExhaustedError:
        said += _reset(google, said, delay)
    return row.error(
        with_link(row.sentence(said), row.links(google)),
        param=_param(google.field) if google.code == _BAD_REQUEST else None,
        code=row.code,
        retry_after=delay,
    )


def said_by(google: GoogleError) -> str:
    """Return Google's sentence, fit to be passed on; one of ours where Google has none."""
    nothing = f"Gemini answered with status {google.code} and no error of its own."
    if google.status and google.code not in _OWN_WORDS:
        nothing = f"Gemini answered {google.status}, and nothing more."
    return quotable(google.message) or _OWN_WORDS.get(google.code, nothing)


def quotable(message: str) -> str:
    return redact(message[:_MAX_MESSAGE])


def with_link(said: str, links: Iterable[str]) -> str:
    """Add where Google says to go: to verify an account, to switch an API on, to appeal."""
    unsaid = [link for link in links if link not in said]
    return " ".join([said, *(f"See {link}" for link in unsaid[:1])])


# for errors that arrive as a page, or as nothing
_OWN_WORDS = {
    404: "There is nothing under this address.",
    413: "The request is larger than Gemini accepts: shorten the messages or the files in them.",
    429: "Too many requests. Wait before asking again.",
    500: "Gemini failed. Ask again.",
    503: "Gemini is overloaded. Ask again.",
}
_NUMBER = re.compile(r"\d[\d,]*")


def _too_long(google: GoogleError, said: str) -> InvalidRequestError:
    """Each of the phrases is what some client looks for."""
    match _NUMBER.findall(google.message):
        case [has, limit, *_]:
            fact = f"This model's maximum context length is {limit} tokens, but the input has {has}"
        case _:
            fact = "The input is longer than this model's maximum context length"
    return InvalidRequestError(
        f"{fact} (context_length_exceeded). Input tokens exceed the configured limit; "
        f"reduce the length of the messages. Google says: {said}",
        param="messages",
        code="context_length_exceeded",
    )


# The first match counts, so the longer names stand first.
_PARAMS = {
    "generation_config.temperature": "temperature",
    "generation_config.top_p": "top_p",
    "generation_config.top_k": "top_k",
    "generation_config.max_output_tokens": "max_tokens",
    "generation_config.stop_sequences": "stop",
    "generation_config.seed": "seed",
    "contents": "messages",
    "system_instruction": "messages",
}


def _param(field: str) -> str | None:
    """Return the client's name for the field that Google complains of, where there is one."""
    path = field.removeprefix("request.")
    return next((param for name, param in _PARAMS.items() if path.startswith(name)), None)


#: Whose words are never the client's.
_SAYS_WHEN = (429, 503)
_DURATION = r"((?:[\d.]+(?:ms|h|m|s))+)"
_RESET_IN_TEXT = re.compile(rf"(?:reset after|resets in) {_DURATION}", re.IGNORECASE)
_RETRY_IN_TEXT = re.compile(rf"\s*(?:please )?retry in {_DURATION}\.?", re.IGNORECASE)


def _delay(google: GoogleError, headers: Mapping[str, str], row: Row) -> float | None:
    """Return the seconds after which to ask again, if Google says so in any of its ways."""
    if row.error.closing is None:
        return None
    heeded = [_reset_delay(google)]
    if not row.ignores_delay:
        in_header = _retry_after(headers.get("retry-after", ""))
        heeded = [google.retry_delay, *heeded, _said_in(google, _RETRY_IN_TEXT), in_header]
    return next((delay for delay in heeded if delay is not None), row.delay)


def _reset_delay(google: GoogleError) -> float | None:
    delay = seconds(google.metadata.get("quotaResetDelay", ""))
    if delay is None:
        delay = _until(google.metadata.get("quotaResetTimeStamp", ""))
    return _said_in(google, _RESET_IN_TEXT) if delay is None else delay


def _said_in(google: GoogleError, pattern: re.Pattern[str]) -> float | None:
    found = pattern.search(google.message) if google.code in _SAYS_WHEN else None
    return seconds(found[1]) if found else None


def _until(moment: str) -> float | None:
    try:
        when = datetime.fromisoformat(moment)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _reset(google: GoogleError, said: str, delay: float | None) -> str:
    """Say when the quota is there again, where Google knows and does not say so itself."""
    if _RESET_IN_TEXT.search(said) or _RETRY_IN_TEXT.search(said):
        return ""
    if at := google.metadata.get("quotaResetTimeStamp"):
        return f" The quota resets at {at}."
    return "" if delay is None else f" The quota resets in {timedelta(seconds=math.ceil(delay))}."


def _retry_after(header: str) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date."""
    try:
        return max(0.0, float(header)) if math.isfinite(float(header)) else None
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
