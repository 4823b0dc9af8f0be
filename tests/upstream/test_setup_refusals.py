"""Accounts that Code Assist does not serve: each reason has a code, and says what to do."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import msgspec
import pytest

from service.errors import GatewayError
from service.schemas.code_assist import IneligibleTier
from service.transport import open_transport
from service.upstream import setup
from service.upstream.http import GoogleHttp, TimeLimits
from service.upstream.setup import Setup
from service.upstream.setup_refusals import ineligible, setup_refusal
from tests.gateway import HELLO, Gateway, settings_for
from tests.simulators import code_assist
from tests.simulators.errors import error, error_info
from tests.simulators.google import Google
from tests.simulators.replies import document, page
from tests.simulators.scenarios import scenario
from tests.upstream.conftest import UserTokens

PATH = "/v1/chat/completions"
NEW_USER = document({"allowedTiers": [code_assist.FREE, code_assist.STANDARD]})
LICENCE = "Standard or Enterprise licence"
NOT_ELIGIBLE = "Google says: Your account is not eligible."


@pytest.fixture(scope="module")
def refused(one_google: Google) -> Iterator[Gateway]:
    """A gateway that never finds a project, and so asks for it again and again."""
    with Gateway(settings_for(one_google)) as gateway:
        yield gateway


@dataclass
class Case:
    """What is to be said: what to do, and Google's own words or link."""

    code: str
    remedy: str
    google: str


SCENARIOS = {
    "G2": Case("project_required", "set GEMINI_PROJECT_ID", ""),
    "G3": Case("project_required", "set GEMINI_PROJECT_ID", ""),
    "G6": Case("permission_denied", "GEMINI_PROJECT_ID", "No project could be made."),
    "G8": Case("setup_refused", "log in to the Gemini CLI once", "Precondition check failed."),
    "G9": Case("unsupported_client", LICENCE, "https://antigravity.google"),
    "G10": Case("validation_required", "verify it", "https://accounts.example.com/verify?sim"),
    "G11": Case("ineligible_account", "another account", NOT_ELIGIBLE),
    "G11-dasher-user": Case("dasher_user", "administrator of this Google Workspace", NOT_ELIGIBLE),
    "G11-non-user-account": Case("non_user_account", "log in as a person", NOT_ELIGIBLE),
    "G11-restricted-age": Case("restricted_age", "of age", NOT_ELIGIBLE),
    "G11-restricted-network": Case("restricted_network", "without a VPN", NOT_ELIGIBLE),
    "G11-unknown": Case("unknown", "another account", NOT_ELIGIBLE),
    "G11-unknown-location": Case("unknown_location", "without a VPN", NOT_ELIGIBLE),
    "G11-unsupported-location": Case("unsupported_location", "run the gateway in a", NOT_ELIGIBLE),
    "G11-brand-new-reason": Case("brand_new_reason", "do as Google says", NOT_ELIGIBLE),
    "G12": Case("project_required", "set GEMINI_PROJECT_ID", ""),
    "G13": Case("project_required", "set GEMINI_PROJECT_ID", "prohibited by organization's policy"),
    "G19": Case("non_user_account", "log in as a person", "Only users may use this service."),
}

# Google's refusals of generation, which the calls before it meet as well
FORBIDDEN = {
    "E11": Case("service_disabled", "enable the API", "https://console.developers.google.com/"),
    "E12": Case("validation_required", "verify it", "See https://"),
    "E13": Case("tos_violation", "appeal", "See https://support.example.com/appeal"),
    "E14": Case("license_required", LICENCE, "(#3501)"),
    "E15": Case("iam_permission_denied", "roles/cloudaicompanion.user", "generateChat' denied"),
    "E17": Case("permission_denied", "GEMINI_PROJECT_ID", "insufficient authentication scopes"),
    "E18": Case("permission_denied", "another account", "Google says: "),
}


def assert_told(response: httpx.Response, case: Case) -> None:
    body = response.json()["error"]
    assert (response.status_code, body["code"]) == (403, case.code)
    assert body["type"] == "invalid_request_error"
    assert response.headers["x-should-retry"] == "false"
    message = body["message"]
    assert "The operator of this gateway has to" in message
    assert case.remedy in message
    assert case.google in message


@pytest.mark.parametrize("scenario_id", SCENARIOS)
def test_the_client_is_told_why_and_what_to_do(
    google: Google, refused: Gateway, monkeypatch: pytest.MonkeyPatch, scenario_id: str
) -> None:
    monkeypatch.setattr(setup, "POLL_SECONDS", 0.001)
    if "loadCodeAssist" not in google.play(scenario_id).scripts:
        google.script(NEW_USER, on="loadCodeAssist")
    with refused.client() as client:
        assert_told(client.post(PATH, json=HELLO), SCENARIOS[scenario_id])
    assert google.calls("generate") == []
    assert len(google.calls("loadCodeAssist")) == 1, "to ask again would not help"


@pytest.mark.parametrize("scenario_id", FORBIDDEN)
def test_a_403_is_told_apart_by_its_reason(
    google: Google, refused: Gateway, scenario_id: str
) -> None:
    google.script(scenario(scenario_id).replies[0], on="loadCodeAssist")
    with refused.client() as client:
        assert_told(client.post(PATH, json=HELLO), FORBIDDEN[scenario_id])


async def test_a_service_account_is_no_user(google: Google) -> None:
    transport = open_transport()
    tokens = UserTokens(google.tokens.issue("service"))
    asked = Setup(GoogleHttp(transport, tokens, TimeLimits()), endpoint=google.url, configured=None)
    with pytest.raises(GatewayError, match="log in as a person") as raised:
        await asked.project()
    assert raised.value.code == "non_user_account"
    await transport.aclose()


async def test_a_policy_that_forbids_more_than_the_question_is_told(
    http: GoogleHttp, google: Google
) -> None:
    forbidden = error(
        403, message="Request is prohibited.", details=[error_info("SECURITY_POLICY_VIOLATED")]
    )
    google.script(NEW_USER, on="loadCodeAssist")
    google.script(forbidden, on="onboardUser")
    with pytest.raises(GatewayError, match="Request is prohibited") as raised:
        await Setup(http, endpoint=google.url, configured="mine").project()
    assert (raised.value.status, raised.value.code) == (403, "permission_denied")


def test_of_several_tiers_each_has_its_say_and_the_first_the_code() -> None:
    told = ineligible(
        [
            IneligibleTier("RESTRICTED_AGE", "Too young."),
            IneligibleTier("DASHER_USER", "No licence."),
            IneligibleTier("DASHER_USER", "No licence."),
        ]
    )
    assert told.code == "restricted_age"
    assert told.message.endswith("Google says: Too young. No licence.")


@pytest.mark.parametrize("reason", [None, ""])
def test_a_tier_may_be_refused_without_a_word(reason: str | None) -> None:
    told = ineligible([IneligibleTier(reason)])
    assert told.code == "unknown"
    assert "Google says" not in told.message


def test_verification_comes_before_enrolment(google: Google, refused: Gateway) -> None:
    tiers = [
        {"reasonCode": "RESTRICTED_AGE", "reasonMessage": "Too young."},
        {"reasonCode": "VALIDATION_REQUIRED", "validationUrl": "https://verify.example.com/"},
    ]
    loaded = {"allowedTiers": [code_assist.FREE], "ineligibleTiers": tiers}
    google.script(document(loaded), on="loadCodeAssist")
    case = Case("validation_required", "verify it", "See https://verify.example.com/")
    with refused.client() as client:
        assert_told(client.post(PATH, json=HELLO), case)
    assert google.calls("onboardUser") == []


def test_what_google_says_is_passed_on_without_secrets() -> None:
    tier = IneligibleTier("UNKNOWN", "Refused: ya29.secret-of-ours.")
    body = {"error": {"code": 403, "message": "Refused: ya29.secret-of-ours."}}
    for told in (ineligible([tier]), setup_refusal(403, msgspec.json.encode(body))):
        assert "Refused: " in told.message
        assert "secret-of-ours" not in told.message


NAMED = (
    "You must be a named user on your organization's Gemini Code Assist Standard edition "
    "subscription to use this service."
)


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (403, NAMED, "license_required"),
        (403, "You do not have a valid license of this product.", "license_required"),
        (403, "The caller does not have permission", "permission_denied"),
        (400, "Precondition check failed.", "setup_refused"),
        (404, "Requested entity was not found.", "setup_refused"),
    ],
)
def test_without_a_reason_status_and_words_decide(status: int, message: str, code: str) -> None:
    body = msgspec.json.encode({"error": {"code": status, "message": message}})
    told = setup_refusal(status, body)
    assert (told.status, told.code) == (403, code)
    assert told.message.endswith(f"Google says: {message}")


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, (500, "upstream_authentication_error")), (429, (429, "rate_limit_exceeded"))],
)
def test_what_is_not_the_accounts_is_told_as_for_generation(
    status: int, told: tuple[int, str]
) -> None:
    refusal = setup_refusal(status, b"")
    assert (refusal.status, refusal.code) == told


def test_a_page_instead_of_an_api_is_a_refusal_too(google: Google, refused: Gateway) -> None:
    google.script(page(404), on="loadCodeAssist")
    with refused.client() as client:
        response = client.post(PATH, json=HELLO)
    assert_told(response, Case("setup_refused", "GEMINI_PROJECT_ID", ""))
