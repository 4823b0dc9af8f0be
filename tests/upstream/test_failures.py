"""Google's refusals, as the client is told of them: status, type, code, and when to ask again."""

from typing import Any

import msgspec
import pytest

from service.errors import GatewayError
from service.upstream.failures import refusal
from service.upstream.google_error import is_error, read_error, seconds


def google(code: int, message: str = "Said.", status: str = "", **details: Any) -> bytes:
    """An error body; a detail's name is its type's, its value the rest of it."""
    error = {
        "code": code,
        "message": message,
        "status": status,
        "details": [
            {"@type": f"type.googleapis.com/google.rpc.{name}", **value}
            for name, value in details.items()
        ],
    }
    return msgspec.json.encode({"error": error})


def info(reason: str, **metadata: str) -> dict[str, Any]:
    return {"reason": reason, "domain": "cloudcode-pa.googleapis.com", "metadata": metadata}


def quota(quota_id: str, metric: str = "generate_content_requests") -> dict[str, Any]:
    return {"violations": [{"quotaId": quota_id, "quotaMetric": metric}]}


PAGE = b"<!DOCTYPE html><title>Error</title>"
TOO_LONG = "The input token count (9) exceeds the maximum number of tokens allowed (8)."

# status, type, code
ARGUMENT = (400, "invalid_request_error", "invalid_argument")
CONTEXT = (400, "invalid_request_error", "context_length_exceeded")
PERMISSION = (403, "invalid_request_error", "permission_denied")
MODEL = (404, "invalid_request_error", "model_not_found")
SIZE = (413, "invalid_request_error", "request_too_large")
RATE = (429, "requests", "rate_limit_exceeded")
TOKENS = (429, "tokens", "rate_limit_exceeded")
QUOTA = (429, "insufficient_quota", "insufficient_quota")
CREDENTIALS = (500, "server_error", "upstream_authentication_error")
INTERNAL = (500, "server_error", "server_error")
INVALID = (502, "server_error", "upstream_invalid_response")
OVERLOADED = (503, "server_error", "server_is_overloaded")
TIMEOUT = (504, "server_error", "upstream_timeout")

Case = tuple[int, bytes, tuple[int, str, str], float | None, bool | None]

# HTTP status, body -> words, seconds to wait, x-should-retry
CASES: dict[str, Case] = {
    "400": (400, google(400), ARGUMENT, None, None),
    "400 too long": (400, google(400, TOO_LONG), CONTEXT, None, None),
    "400 too long, no numbers": (
        400,
        google(400, "The input token count exceeds the maximum number of tokens allowed."),
        CONTEXT,
        None,
        None,
    ),
    "400 too long, Vertex": (
        400,
        google(400, "the input token count is 9 but model only supports up to 8."),
        CONTEXT,
        None,
        None,
    ),
    "400 payload": (400, google(400, "Request payload size exceeds the limit"), SIZE, None, None),
    "400 API key": (400, google(400, ErrorInfo=info("API_KEY_INVALID")), CREDENTIALS, None, False),
    "400 location": (
        400,
        google(400, "User location is not supported for the API use.", "FAILED_PRECONDITION"),
        PERMISSION,
        None,
        False,
    ),
    "400 billing": (
        400,
        google(400, "Not in this country. Please enable billing.", "FAILED_PRECONDITION"),
        PERMISSION,
        None,
        False,
    ),
    "401": (401, google(401), CREDENTIALS, None, False),
    "403": (403, google(403), PERMISSION, None, False),
    "403 validation": (
        403,
        google(403, ErrorInfo=info("VALIDATION_REQUIRED", validation_url="https://go.example/v")),
        (403, "invalid_request_error", "validation_required"),
        None,
        False,
    ),
    "404": (404, google(404), MODEL, None, None),
    "403 and when": (403, google(403, RetryInfo={"retryDelay": "25s"}), PERMISSION, 25, False),
    "404 page": (404, PAGE, MODEL, None, None),
    "408 empty": (408, b"", TIMEOUT, None, None),
    "413 page": (413, PAGE, SIZE, None, None),
    "429 bare": (429, google(429, "Resource has been exhausted"), RATE, None, None),
    "429 RetryInfo": (429, google(429, RetryInfo={"retryDelay": "0.54s"}), RATE, 0.54, None),
    "429 delay in metadata": (
        429,
        google(429, ErrorInfo=info("RATE_LIMIT_EXCEEDED", quotaResetDelay="539.5ms")),
        RATE,
        0.5395,
        None,
    ),
    "429 delay in the text": (429, google(429, "Please retry in 34.07s."), RATE, 34.07, None),
    "429 per minute": (
        429,
        google(429, QuotaFailure=quota("GenerateRequestsPerMinutePerProjectPerModel")),
        RATE,
        60,
        None,
    ),
    "429 tokens per minute": (
        429,
        google(429, QuotaFailure=quota("GenerateContentInputTokensPerModelPerMinute")),
        TOKENS,
        60,
        None,
    ),
    "429 per day": (
        429,
        google(
            429, QuotaFailure=quota("RequestsPerDayPerProject"), RetryInfo={"retryDelay": "44s"}
        ),
        QUOTA,
        None,
        False,
    ),
    "429 per day, and when": (
        429,
        google(
            429,
            ErrorInfo=info("QUOTA_EXHAUSTED", quotaResetDelay="9h0m0s"),
            QuotaFailure=quota("RequestsPerDayPerProject"),
            RetryInfo={"retryDelay": "44s"},
        ),
        QUOTA,
        32_400,
        False,
    ),
    "429 per day, and when in the text": (
        429,
        google(
            429,
            "Your quota will reset after 13h19m1s. Please retry in 44s.",
            QuotaFailure=quota("RequestsPerDayPerProject"),
        ),
        QUOTA,
        47_941,
        False,
    ),
    "429 per day, older form": (
        429,
        google(429, ErrorInfo=info("RATE_LIMIT_EXCEEDED", quota_unit="1/d/{project}/{user}")),
        QUOTA,
        None,
        False,
    ),
    "429 per day, in the text": (
        429,
        google(429, "Quota exceeded for limit 'Requests per day per user per tier'."),
        QUOTA,
        None,
        False,
    ),
    "429 QUOTA_EXHAUSTED": (
        429,
        google(429, ErrorInfo=info("QUOTA_EXHAUSTED"), RetryInfo={"retryDelay": "47941.2s"}),
        QUOTA,
        47941.2,
        False,
    ),
    "429 credits": (
        429,
        google(429, ErrorInfo=info("INSUFFICIENT_G1_CREDITS_BALANCE")),
        QUOTA,
        None,
        False,
    ),
    "429 limit: 0": (429, google(429, "exceeded for x, limit: 0, model: y"), QUOTA, None, False),
    "429 limit: 0, and a minute's delay": (
        429,
        google(
            429,
            "exceeded for x, limit: 0, model: y\nPlease retry in 44.09s.",
            QuotaFailure=quota("RequestsPerDayPerProject"),
            RetryInfo={"retryDelay": "44s"},
        ),
        QUOTA,
        None,
        False,
    ),
    "429 limit: 0.5": (429, google(429, "exceeded for x, limit: 0.5"), RATE, None, None),
    "429 limit: 05": (429, google(429, "exceeded for x, limit: 05"), RATE, None, None),
    "429 capacity": (
        429,
        google(429, ErrorInfo=info("MODEL_CAPACITY_EXHAUSTED"), RetryInfo={"retryDelay": "9s"}),
        OVERLOADED,
        9,
        None,
    ),
    "429 capacity in the text": (
        429,
        google(429, "No capacity available for model x on the server"),
        OVERLOADED,
        None,
        None,
    ),
    "499": (499, google(499), TIMEOUT, None, None),
    "500": (500, google(500), INTERNAL, None, None),
    "500 and when": (500, google(500, RetryInfo={"retryDelay": "25s"}), INTERNAL, 25, None),
    "500 in words": (500, google(500, "Please retry in 25s."), INTERNAL, None, None),
    "400 and when": (400, google(400, RetryInfo={"retryDelay": "25s"}), ARGUMENT, None, None),
    "502 page": (502, PAGE, INVALID, None, None),
    "503": (503, google(503), OVERLOADED, None, None),
    "504": (504, google(504), TIMEOUT, None, None),
    "302 to a login": (302, b"", INVALID, None, None),
    "error inside 200": (200, google(429), RATE, None, None),
    "only a status inside 200": (
        200,
        b'{"error": {"status": "UNAVAILABLE"}}',
        OVERLOADED,
        None,
        None,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_refusal_has_the_right_words(case: Case) -> None:
    http_status, body, words, retry_after, should_retry = case
    error = refusal(http_status, body)
    assert (error.status, error.type, error.code) == words
    assert (error.retry_after, error.should_retry) == (retry_after, should_retry)
    assert error.message
    assert "<" not in error.message, "a page must not be copied through"


SHAPES = {
    "array": b'[{"error":{"code":429,"message":"Said.","status":"RESOURCE_EXHAUSTED"}}]',
    "pretty array": b'[{\n  "error": {\n    "code": 429,\n    "message": "Said."\n  }\n}\n]\n',
    "doubled commas": b'{"error":{"code":429,\n ,"message":"Said.",,"status":"X"}}',
    "inside its own message": msgspec.json.encode(
        {"error": {"code": 429, "message": '{"error": {"message": "Said.", "status": "X"}}'}}
    ),
    "legacy errors beside it": b'{"error":{"code":429,"errors":[{}],"message":"Said."}}',
    "code as text": b'{"error":{"code":"429","message":"Said."}}',
    "half a character": rb'{"error":{"code":429,"message":"Said.","x":"\ud83d"}}',
}


@pytest.mark.parametrize("http_status", [429, 200])
@pytest.mark.parametrize("body", SHAPES.values(), ids=list(SHAPES))
def test_every_shape_is_read(body: bytes, http_status: int) -> None:
    assert is_error(body)
    error = read_error(http_status, body)
    assert (error.code, error.message) == (429, "Said.")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b"\xff", b"[1]", b'{"response": {}}']
)
def test_what_is_no_error_is_none(body: bytes) -> None:
    assert not is_error(body)


def test_damaged_details_are_read_as_far_as_they_go() -> None:
    details = [
        5,
        {" @type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "QUOTA_EXHAUSTED"},
    ]
    body = msgspec.json.encode({"error": {"code": 429, "details": details}})
    assert refusal(429, body).code == "insufficient_quota"
    body = msgspec.json.encode({"error": {"code": 429, "details": 7}})
    assert refusal(429, body).code == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5s", 0.5),
        ("539.477544ms", 0.539477544),
        ("13h19m1.2s", 47941.2),
        ("19h14m47s", 69287),
        ("0s", 0),
        ("", None),
        ("soon", None),
        ("5", None),
        ("5s later", None),
    ],
)
def test_durations(text: str, expected: float | None) -> None:
    assert seconds(text) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("header", "expected"),
    [("3", 3.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("", None), ("nan", None)],
)
def test_the_retry_after_header_counts_where_the_body_says_nothing(
    header: str, expected: float | None
) -> None:
    for status in (403, 429, 500, 502, 503, 504):
        assert refusal(status, b"", {"retry-after": header}).retry_after == expected


@pytest.mark.parametrize(
    ("detail", "link"),
    [
        ({"ErrorInfo": info("VALIDATION_REQUIRED", validation_url="https://go.example/1")}, 1),
        ({"ErrorInfo": info("VALIDATION_REQUIRED", validation_link="https://go.example/1")}, 1),
        ({"ErrorInfo": info("TOS_VIOLATION", appeal_url="https://go.example/1")}, 1),
        ({"ErrorInfo": info("SERVICE_DISABLED", activationUrl="https://go.example/1")}, 1),
        ({"Help": {"links": [{"url": "https://go.example/1"}, {"url": "https://x.example"}]}}, 1),
        ({"Help": {"links": [{"url": "https://go.example/said"}]}}, 0),
    ],
)
def test_a_403_says_where_to_put_it_right(detail: dict[str, Any], link: int) -> None:
    said = "Look at https://go.example/said for more."
    error = refusal(403, google(403, said, **detail))
    assert error.message.startswith(said)
    assert error.message.endswith(" See https://go.example/1") == bool(link)


@pytest.mark.parametrize(
    ("said", "metadata", "told"),
    [
        ("Out.", {}, "Out. The quota resets in 13:19:02."),
        (
            "Out.",
            {"quotaResetTimeStamp": "2026-01-21T05:00:00Z"},
            "Out. The quota resets at 2026-01-21T05:00:00Z.",
        ),
        ("Will reset after 13h19m1s.", {}, "Will reset after 13h19m1s."),
    ],
)
def test_a_used_up_quota_says_when_it_is_back(
    said: str, metadata: dict[str, str], told: str
) -> None:
    body = google(
        429,
        said,
        ErrorInfo=info("QUOTA_EXHAUSTED", **metadata),
        RetryInfo={"retryDelay": "47941.2s"},
    )
    assert refusal(429, body).message == told


def test_a_daily_quota_does_not_say_that_it_is_back_in_a_minute() -> None:
    """So Google says itself of the Developer API's."""
    said = "Exceeded, limit: 250, model: y\nPlease retry in 44.090862127s."
    error = refusal(429, google(429, said, QuotaFailure=quota("RequestsPerDay")))
    assert error.message == "Exceeded, limit: 250, model: y"
    said = "Exceeded, limit: 0. Please retry in 44.09s."
    assert "choose a plan" in (told := refusal(429, google(429, said)).message)
    assert "retry in" not in told


@pytest.mark.parametrize(("has", "limit"), [("9", "8"), ("1,200,293", "1,048,576")])
def test_the_sentence_for_a_long_prompt_holds_what_clients_look_for(has: str, limit: str) -> None:
    said = f"The input token count ({has}) exceeds the maximum number of tokens allowed ({limit})."
    error = refusal(400, google(400, said))
    assert error.param == "messages"
    for phrase in (
        f"This model's maximum context length is {limit} tokens, but the input has {has} ",
        "context_length_exceeded",
        "Input tokens exceed the configured limit",
        "reduce the length of the messages",
        "exceeds the maximum number of tokens allowed",
    ):
        assert phrase in error.message


@pytest.mark.parametrize(
    ("field", "param"),
    [
        ("request.generation_config.temperature", "temperature"),
        ("generation_config.max_output_tokens", "max_tokens"),
        ("request.contents[3].parts[0]", "messages"),
        ("request.elsewhere", None),
    ],
)
def test_the_field_at_fault_gets_the_clients_name(field: str, param: str | None) -> None:
    body = google(400, BadRequest={"fieldViolations": [{"field": field, "description": "x"}]})
    assert refusal(400, body).param == param


@pytest.mark.parametrize(
    "secret",
    ["ya29.a0AbCdEf-123", "AIzaSyA-1234567890abcdef", "1//0abcdefgh", "GOCSPX-abcdef"],
)
def test_what_looks_like_a_credential_is_not_repeated(secret: str) -> None:
    error: GatewayError = refusal(400, google(400, f"The key {secret} is wrong."))
    assert secret not in error.message
    assert "is wrong" in error.message


def test_a_huge_message_is_cut() -> None:
    assert len(refusal(500, google(500, "x" * 5_000_000)).message) < 3000
