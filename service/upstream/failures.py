"""Google's refusals and the network's failures, as the gateway's errors.

The client's view of each is the contract of OpenAI's API: the right status, `type` and `code`, and
whether to ask again. Google's status and reasons decide; its wording only where nothing else is
there.
"""

import math
import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import httpx
import msgspec

from service.errors import (
    CredentialsError,
    GatewayError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTooLargeError,
    SignatureRefusedError,
    TokenRateLimitError,
    UpstreamDeadlineError,
    UpstreamInternalError,
    UpstreamResponseError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from service.logs import redact
from service.sse import EventTooLargeError
from service.upstream.google_error import GoogleError, read_error, seconds

_MAX_MESSAGE = 2000


@contextmanager
def upstream_failures() -> Generator[None]:
    """Around every read from Google: let only `GatewayError` out."""
    try:
        yield
    except httpx.ReadTimeout as error:
        raise UpstreamTimeoutError("Gemini did not answer in time.") from error
    except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
        cause = type(error.__cause__ or error).__name__
        msg = f"The connection to Gemini failed ({cause}). Ask again."
        raise UpstreamUnreachableError(msg) from error
    except EventTooLargeError as error:
        raise UpstreamResponseError("Gemini sent an event that is too large to be one.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamResponseError("Gemini's answer could not be read. Ask again.") from error


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
    said = said_by(google)
    match google.code:
        case 400:
            return _bad_request(google, said)
        case 401:
            return CredentialsError(
                "Google rejected the gateway's credentials, also after a refresh. "
                "The operator of this gateway has to renew them; your API key is fine."
            )
        case 403:
            return _denied(google, said)
        case 404:
            return ModelNotFoundError(
                f"Gemini does not offer this model to this account or project: {said}"
            )
        case 429:
            return _exhausted(google, said, headers or {})
        case 503:
            return OverloadedError(said, retry_after=google.retry_delay)
        case code:
            return _BY_STATUS.get(code, UpstreamResponseError)(said)


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
_BY_STATUS: dict[int, type[GatewayError]] = {
    408: UpstreamDeadlineError,
    413: RequestTooLargeError,
    499: UpstreamDeadlineError,
    500: UpstreamInternalError,
    504: UpstreamDeadlineError,
}

# "The input token count (9) exceeds the maximum number of tokens allowed (8)." is one of its forms.
_TOO_LONG = re.compile(r"token count .*(exceed|only supports)", re.DOTALL)
_NUMBER = re.compile(r"\d[\d,]*")
_OF_A_SIGNATURE = re.compile(r"thought.?signature", re.IGNORECASE)
_NOT_HERE = re.compile(r"location is not supported|not available in your|enable billing")


def _bad_request(google: GoogleError, said: str) -> GatewayError:
    if google.reason == "API_KEY_INVALID" or "api key" in google.message.lower():
        return CredentialsError(
            "Google rejected the gateway's API key. The operator of this gateway has to replace it."
        )
    if _NOT_HERE.search(google.message):
        return PermissionDeniedError(said)
    if _TOO_LONG.search(google.message):
        return _too_long(google, said)
    if "payload size exceeds" in google.message:
        return RequestTooLargeError(said)
    error = InvalidRequestError
    if _OF_A_SIGNATURE.search(f"{google.message} {google.field}"):
        error = SignatureRefusedError
    return error(said, param=_param(google.field), code="invalid_argument")


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


def _denied(google: GoogleError, said: str) -> PermissionDeniedError:
    return PermissionDeniedError(
        with_link(said, google.links),
        code="validation_required" if google.reason == "VALIDATION_REQUIRED" else None,
    )


_NO_QUOTA_AT_ALL = re.compile(r"limit:\s*0(?!\d|\.\d)")
_DELAY_IN_TEXT = re.compile(
    r"(?:retry in|reset after|resets in) ((?:[\d.]+(?:ms|h|m|s))+)", re.IGNORECASE
)
_SAYS_CAPACITY = re.compile(r"no capacity available|MODEL_CAPACITY_EX", re.IGNORECASE)
_PER_MINUTE_WAIT = 60.0


def _exhausted(google: GoogleError, said: str, headers: Mapping[str, str]) -> GatewayError:
    """Tell a busy minute from a used-up day, and both from a model that has no room for anyone."""
    if google.reason.startswith("MODEL_CAPACITY_EX") or _SAYS_CAPACITY.search(google.message):
        return OverloadedError(said, retry_after=google.retry_delay)

    limits = " ".join([*google.quota_ids, google.metadata.get("quota_limit", "")])
    per_day = (
        "PerDay" in limits
        or "Daily" in limits
        or "per day" in f"{limits} {google.message}"
        or google.metadata.get("quota_unit", "").startswith("1/d/")
    )
    delay = google.retry_delay
    if delay is None:
        delay = seconds(google.metadata.get("quotaResetDelay", ""))
    if delay is None and (in_text := _DELAY_IN_TEXT.search(google.message)):
        delay = seconds(in_text[1])
    if delay is None:
        delay = _retry_after(headers.get("retry-after", ""))

    terminal = google.reason in {"QUOTA_EXHAUSTED", "INSUFFICIENT_G1_CREDITS_BALANCE"}
    if terminal or per_day or _NO_QUOTA_AT_ALL.search(google.message):
        # A daily quota comes with the delay of a minute's.
        delay = None if per_day else delay
        return QuotaExhaustedError(said + _reset(google, delay), retry_after=delay)
    if delay is None and "PerMinute" in limits:
        delay = _PER_MINUTE_WAIT
    error = TokenRateLimitError if "token" in limits.lower() else RateLimitError
    return error(said, retry_after=delay)


def _reset(google: GoogleError, delay: float | None) -> str:
    """Say when the quota is there again, where Google knows and does not say so itself."""
    if _DELAY_IN_TEXT.search(google.message):
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
