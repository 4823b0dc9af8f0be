"""What Google refuses, the simulator refuses: one case at least for each of the thirty rules."""

import pytest

from tests.simulators.asking import ask, credentials, fetch
from tests.simulators.cases_contents import REFUSED_CONTENTS
from tests.simulators.cases_settings import REFUSED_SETTINGS
from tests.simulators.google import Google
from tests.simulators.request_pieces import FLASH, HI, Case

REFUSED = [*REFUSED_CONTENTS, *REFUSED_SETTINGS]


@pytest.mark.parametrize(
    "case", REFUSED, ids=[f"rule {case.rule}, case {at}" for at, case in enumerate(REFUSED)]
)
def test_what_google_refuses_is_refused(google: Google, case: Case) -> None:
    for name, value in case.settings.items():
        setattr(google, name, value)

    got = ask(
        google,
        case.request,
        upstream=case.upstream,
        model_id=case.model_id,
        method=case.method,
    )

    assert case.message in got.error["message"]
    assert (got.status, got.error["code"]) == (case.status, case.status)
    assert got.error["status"] == ("NOT_FOUND" if case.status == 404 else "INVALID_ARGUMENT")


def test_every_rule_has_a_case() -> None:
    elsewhere = {26, 30}  # below: they are not about the content of a JSON body
    assert {case.rule for case in REFUSED} | elsewhere == set(range(1, 31))


def test_30_a_body_that_is_not_json_is_refused(google: Google) -> None:
    headers = credentials(google, "gemini_api")
    got = fetch(google, "POST", f"/v1beta/models/{FLASH}:generateContent", b"{", headers)

    assert got.status == 400
    assert got.error["message"] == "Invalid JSON payload received. Expected a value."


@pytest.mark.parametrize("upstream", ["code_assist", "vertex"])
def test_26_a_request_without_a_good_token_is_refused(google: Google, upstream: str) -> None:
    expired = google.tokens.issue()
    google.tokens.expire(expired)
    revoked = google.tokens.issue()
    google.tokens.revoke(revoked)
    tokens = {
        expired: "ACCESS_TOKEN_EXPIRED",
        revoked: "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        "unknown": "ACCESS_TOKEN_TYPE_UNSUPPORTED",
    }
    for token, reason in tokens.items():
        got = ask(google, upstream=upstream, headers={"authorization": f"Bearer {token}"})
        assert (got.status, got.reason) == (401, reason)
        assert "invalid_token" in got.headers["www-authenticate"]

    got = ask(google, upstream=upstream, headers={})
    assert (got.status, got.reason) == (401, "CREDENTIALS_MISSING")


def test_several_faults_are_told_together(google: Google) -> None:
    got = ask(google, HI | {"foo": 1, "bar": 2}, upstream="code_assist")

    assert len(got.error["message"].splitlines()) == 2
    violations = got.error["details"][0]["fieldViolations"]
    assert [violation["field"] for violation in violations] == ["request", "request"]


def test_without_strictness_bodies_are_not_judged(google: Google) -> None:
    google.strict = False

    assert ask(google, HI | {"foo": 1}).status == 200
