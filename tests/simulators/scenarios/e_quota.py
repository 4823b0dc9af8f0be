"""E, second part: quota, capacity, and errors that may pass."""

from tests.simulators.calls import Call
from tests.simulators.errors import Detail, Error, error, error_info, quota_failure, retry_info
from tests.simulators.generation import echo
from tests.simulators.rendering import JSON, compact, pretty
from tests.simulators.replies import page, plain
from tests.simulators.scenarios.table import generating
from tests.simulators.wire import Reply

_CLOUD_CODE = "cloudcode-pa.googleapis.com"
_MODEL = "gemini-3-pro-preview"
_SOON = "You have exhausted your capacity on this model. Your quota will reset after 0s."
_TOMORROW = "You have exhausted your capacity on this model. Your quota will reset after 13h19m1s."
_PLAN = (
    "You exceeded your current quota, please check your plan and billing details. \n"
    "* Quota exceeded for metric: generativelanguage.googleapis.com/"
    "generate_content_free_tier_requests, limit: {limit}, model: gemini-2.5-flash"
)
_PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
_PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
_BUSY = f"No capacity available for model {_MODEL} on the server"
_VERTEX = (
    "Resource exhausted. Please try again later. Please refer to "
    "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."
)


def _rate_limited(*more: Detail) -> Error:
    info = error_info(
        "RATE_LIMIT_EXCEEDED",
        _CLOUD_CODE,
        uiMessage="true",
        model=_MODEL,
        quotaResetDelay="539.477544ms",
        quotaResetTimeStamp="2026-01-20T08:47:19Z",
    )
    return error(429, message=_SOON, legacy_reason="rateLimitExceeded", details=[info, *more])


def _no_capacity(code: int) -> Error:
    info = error_info("MODEL_CAPACITY_EXHAUSTED", _CLOUD_CODE, model=_MODEL)
    return error(
        code, message=_BUSY, legacy_reason="backendError", details=[info, retry_info("9s")]
    )


def _over_plan(limit: str, quota_id: str, *more: Detail) -> Error:
    failure = quota_failure(
        quotaMetric="generativelanguage.googleapis.com/generate_content_free_tier_requests",
        quotaId=quota_id,
        quotaDimensions={"location": "global", "model": "gemini-2.5-flash"},
        quotaValue=limit,
    )
    return error(429, message=_PLAN.format(limit=limit), details=[failure, *more])


def _damaged(_: Call) -> Reply:
    """Spoil a good error in the three ways that were seen."""
    body = pretty(_rate_limited(retry_info("0.539477544s")).value)
    body = body.replace(f'"{_CLOUD_CODE}"'.encode(), f'"{_CLOUD_CODE},"'.encode())
    body = body.replace(b'"@type"', b'" @type"').replace(b'EXCEEDED",', b'EXCEEDED",\n ,')
    return Reply(429, (("Content-Type", JSON),), (body,))


def _limited_to(limit: str) -> Error:
    return error(429, message=_PLAN.format(limit=limit))


_NESTED = error(
    429, message=compact(_over_plan("250", _PER_MINUTE, retry_info("9s")).value).decode()
)
_EXHAUSTED = error(
    429,
    message=_TOMORROW,
    details=[
        error_info(
            "QUOTA_EXHAUSTED",
            _CLOUD_CODE,
            uiMessage="true",
            model="gemini-2.5-pro",
            quotaResetDelay="13h19m1.203818s",
            quotaResetTimeStamp="2026-01-21T05:00:00Z",
        ),
        retry_info("47941.203818s"),
    ],
)

SCENARIOS = (
    generating("E20", "429 for half a second", _rate_limited(retry_info("0.539477544s")), echo),
    generating("E21", "429 that does not say for how long", _rate_limited()),
    generating("E22", "429 until tomorrow", _EXHAUSTED),
    generating("E23", "429 for 301 s", _rate_limited(retry_info("301s"))),
    generating("E23-300", "429 for 300 s", _rate_limited(retry_info("300s"))),
    generating("E24", "429 that says nothing", error(429)),
    generating("E25", "429 per minute", _over_plan("10", _PER_MINUTE)),
    generating(
        "E26",
        "429 per day, with a misleading delay",
        _over_plan("250", _PER_DAY, retry_info("44s")),
    ),
    generating("E27", "429 with a limit of 0", _limited_to("0")),
    generating("E27-half", "429 with a limit of 0.5", _limited_to("0.5")),
    generating("E27-05", "429 with a limit of 05", _limited_to("05")),
    generating("E28", "429, no capacity", _no_capacity(429)),
    generating("E29", "503, no capacity", _no_capacity(503)),
    generating("E30", "429 in damaged JSON", _damaged),
    generating("E31", "429 of Vertex AI", error(429, message=_VERTEX)),
    generating(
        "E32",
        "429, out of credits",
        error(429, details=[error_info("INSUFFICIENT_G1_CREDITS_BALANCE", _CLOUD_CODE)]),
    ),
    generating("E33", "429 with Retry-After in seconds", error(429, headers={"Retry-After": "3"})),
    generating(
        "E33-date",
        "429 with Retry-After as a date",
        error(429, headers={"Retry-After": "Fri, 31 Dec 2038 23:59:59 GMT"}),
    ),
    generating("E34", "429 inside its own message", _NESTED),
    generating("E35", "499, once", error(499), echo),
    generating("E36", "500, once", error(500), echo),
    generating("E37", "500, ten times", *[error(500)] * 10),
    generating("E39", "502, HTML", page(502)),
    generating("E39-413", "413, HTML", page(413)),
    generating("E39-504", "504", error(504)),
    generating("E39-408", "408, empty", plain(408, b"", "text/plain")),
)
