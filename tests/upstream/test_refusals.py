"""The table of refusals: what each of Google's is, and what it tells the operator to do."""

from typing import Any, NamedTuple

import msgspec
import pytest

from service.upstream.failures import refusal
from service.upstream.refusals import TABLE

RPC = "type.googleapis.com/google.rpc"


def body(code: int, message: str, reason: str = "", *details: dict[str, Any]) -> bytes:
    """Google's error object."""
    info = [{"@type": f"{RPC}.ErrorInfo", "reason": reason}] if reason else []
    error = {"code": code, "message": message, "details": [*info, *details]}
    return msgspec.json.encode({"error": error})


class Told(NamedTuple):
    status: int
    code: str
    once_more: bool
    next_way: bool
    says: str = ""  # the way out
    only_this_model: bool = False


DENIED = (403, "permission_denied", False, True)
BUSY = (503, "server_is_overloaded", True, True)
QUOTA = (429, "insufficient_quota", False, True)

REFUSALS = {
    "an argument": (
        body(400, "Request contains an invalid argument."),
        Told(400, "invalid_argument", once_more=False, next_way=False),
    ),
    "a dead key": (
        body(400, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"),
        Told(
            500,
            "upstream_authentication_error",
            once_more=False,
            next_way=True,
            says="replace GEMINI_API_KEY. See https://aistudio.google.com/apikey",
        ),
    ),
    "a place": (
        body(400, "User location is not supported for the API use."),
        Told(*DENIED, "set UPSTREAMS to vertex"),
    ),
    "no licence": (
        body(403, "You do not have a valid license of this product. (#3501)"),
        Told(*DENIED, "or set UPSTREAMS to another way"),
    ),
    "no subscription": (
        body(403, "No. (#3501)", "SUBSCRIPTION_REQUIRED"),
        Told(*DENIED, "Standard or Enterprise licence"),
    ),
    "a named user": (
        body(403, "You must be a named user on your organization's edition."),
        Told(*DENIED, "Standard or Enterprise licence"),
    ),
    "not eligible": (
        body(403, "Your account is not eligible for Gemini Code Assist for individuals"),
        Told(*DENIED, "Standard or Enterprise licence"),
    ),
    "terms": (
        body(403, "Disabled for violation of Terms of Service.", "TOS_VIOLATION"),
        Told(*DENIED, "appeal to Google"),
    ),
    "to be verified": (
        body(403, "Verify your account to continue.", "VALIDATION_REQUIRED"),
        Told(403, "validation_required", once_more=False, next_way=True, says="verify it"),
    ),
    "an API that is off": (
        body(403, "It has not been used.", "SERVICE_DISABLED"),
        Told(*DENIED, "enable the API"),
    ),
    "a role, Code Assist": (
        body(403, "Permission 'cloudaicompanion.x' denied.", "IAM_PERMISSION_DENIED"),
        Told(*DENIED, "roles/cloudaicompanion.user"),
    ),
    "a role, Vertex AI": (
        body(403, "Permission 'aiplatform.endpoints.predict' denied.", "IAM_PERMISSION_DENIED"),
        Told(*DENIED, "roles/aiplatform.user"),
    ),
    "a perimeter": (
        body(403, "Prohibited by organization's policy.", "SECURITY_POLICY_VIOLATED"),
        Told(*DENIED, "VPC Service Controls"),
    ),
    "a restriction": (
        body(403, "Restricted.", "RESOURCE_USAGE_RESTRICTION_VIOLATED"),
        Told(*DENIED, "policy"),
    ),
    "no project": (body(403, "No.", "CONSUMER_INVALID"), Told(*DENIED, "VERTEX_PROJECT")),
    "no billing": (body(403, "No.", "BILLING_DISABLED"), Told(*DENIED, "enable billing")),
    "scopes": (
        body(403, "Request had insufficient authentication scopes."),
        Told(*DENIED, "credentials login"),
    ),
    "a key's restriction": (
        body(403, "Requests are blocked.", "API_KEY_IP_ADDRESS_BLOCKED"),
        Told(*DENIED, "restrictions of GEMINI_API_KEY"),
    ),
    "a leaked key": (
        body(403, "Your API key was reported as leaked. Please use another API key."),
        Told(*DENIED, "replace GEMINI_API_KEY"),
    ),
    "no key": (
        body(403, "Method doesn't allow unregistered callers."),
        Told(*DENIED, "replace GEMINI_API_KEY"),
    ),
    "no such model": (
        body(404, "Requested entity was not found."),
        Told(404, "model_not_found", once_more=False, next_way=True, only_this_model=True),
    ),
    "no plan": (
        body(429, "Quota exceeded for metric: x, limit: 0, model: y"),
        Told(*QUOTA, "choose a plan", only_this_model=True),
    ),
    "no credits": (
        body(429, "No.", "INSUFFICIENT_G1_CREDITS_BALANCE"),
        Told(*QUOTA, "buy credits", only_this_model=True),
    ),
    "nothing paid ahead": (
        body(429, "Your prepayment credits are depleted."),
        Told(*QUOTA, "buy credits for the project", only_this_model=True),
    ),
    "a quota of one's own": (
        body(429, "Individual quota reached. Resets in 9h22m20s."),
        Told(*QUOTA, only_this_model=True),
    ),
    "no room": (
        body(503, "No capacity available for model x on the server"),
        Told(*BUSY, only_this_model=True),
    ),
    "overloaded": (body(503, "The model is overloaded."), Told(*BUSY)),
    "cancelled": (
        body(499, "The operation was cancelled."),
        Told(504, "upstream_timeout", once_more=True, next_way=True),
    ),
    "a page": (
        b"<!DOCTYPE html><title>Error 502</title>",
        Told(502, "upstream_invalid_response", once_more=True, next_way=True),
    ),
}


@pytest.mark.parametrize(("said", "told"), REFUSALS.values(), ids=list(REFUSALS))
def test_a_refusal_says_what_to_do_and_where_to_go_on(said: bytes, told: Told) -> None:
    error = refusal(502, said) if said.startswith(b"<") else refusal(200, said)
    assert (error.status, error.code) == (told.status, told.code)
    assert error.transient == told.once_more
    assert (error.closing is not None) == told.next_way
    assert (error.closing is not None and error.closing.model) == told.only_this_model
    assert told.says in error.message


#: What clients can have Google repeat in a refusal.
PHRASES = (
    "my api key",
    "API key not valid. Please pass a valid API key.",
    "User location is not supported for the API use.",
    "enable billing",
    "not available in your country",
    "You do not have a valid license of this product. (#3501)",
    "You must be a named user",
    "the input token count exceeds",
    "Request payload size exceeds the limit",
    "thought signature",
)


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize(
    "message",
    [
        "Invalid value at 'request.tools[0].function_declarations[0].name' (TYPE_STRING), \"{}\"",
        "Invalid JSON payload received. Unknown name \"{}\" at 'request': Cannot find field.",
    ],
)
def test_words_of_the_clients_that_google_repeats_say_nothing_of_the_way(
    message: str, phrase: str
) -> None:
    error = refusal(400, body(400, message.format(phrase)))
    assert (error.status, error.code) == (400, "invalid_argument")
    assert error.closing is None


@pytest.mark.parametrize("phrase", PHRASES)
def test_neither_do_they_without_quotation_marks(phrase: str) -> None:
    error = refusal(400, body(400, f"Unsupported MIME type: {phrase}"))
    assert error.closing is None
    error = refusal(404, body(404, f"models/{phrase} is not found for API version v1beta."))
    assert error.code == "model_not_found"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("API Key not found. Please pass a valid API key.", "upstream_authentication_error"),
        ("API key expired. Please renew the API key.", "upstream_authentication_error"),
        ("Gemini API free tier is not available in your country.", "permission_denied"),
        ("Please enable billing on your project in Google AI Studio.", "permission_denied"),
        (
            "Unable to submit it: the input token count is 9 but model only supports up to 8.",
            "context_length_exceeded",
        ),
        ("Request payload size exceeds the limit: 20971520 bytes.", "request_too_large"),
    ],
)
def test_googles_own_words_are_understood_where_it_gives_no_reason(message: str, code: str) -> None:
    assert refusal(400, body(400, message)).code == code


def test_the_last_row_takes_whatever_the_others_leave() -> None:
    assert TABLE[-1].statuses == ()
    assert refusal(418, b"").code == "upstream_invalid_response"
