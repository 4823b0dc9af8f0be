"""Tokens: how they are got, why they are refused, and what a revoked one is worth."""

import base64
import hashlib
import time
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt

from tests.simulators.asking import Got, ask, fetch, post_form
from tests.simulators.google import Google
from tests.simulators.scenarios import scenario

REFRESH = {
    "grant_type": "refresh_token",
    "refresh_token": "1//sim-refresh",
    "client_id": "sim-client-id.apps.googleusercontent.com",
    "client_secret": "sim-client-secret",
}
EXCHANGE = REFRESH | {"grant_type": "authorization_code", "refresh_token": ""}
REDIRECT = "http://127.0.0.1:1/oauth2callback"
ACCOUNT = "robot@sim-project.iam.gserviceaccount.com"
METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"


def refresh(google: Google, **changes: str) -> Got:
    form = {name: value for name, value in (REFRESH | changes).items() if value}
    return post_form(google, "/token", **form)


def test_a_refresh_gives_a_token_that_works(google: Google) -> None:
    got = refresh(google)

    body = got.json
    assert got.status == 200
    assert got.headers["cache-control"] == "no-cache, no-store, max-age=0, must-revalidate"
    assert body["access_token"] == google.tokens.current
    assert body["access_token"].startswith("ya29.sim-")
    assert (body["expires_in"], body["token_type"]) == (3599, "Bearer")
    assert "https://www.googleapis.com/auth/cloud-platform" in body["scope"].split()
    assert "refresh_token" not in body
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    assert ask(google, upstream="code_assist", headers=bearer).status == 200


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"refresh_token": "1//other"}, 400, "invalid_grant"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"client_secret": "other"}, 401, "invalid_client"),
        ({"client_secret": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_a_wrong_refresh_is_refused(
    google: Google, changes: dict[str, str], status: int, code: str
) -> None:
    got = refresh(google, **changes)

    assert (got.status, got.json["error"]) == (status, code)
    assert got.json["error_description"]


@pytest.mark.parametrize(
    ("scenario_id", "status", "code"),
    [
        ("F4", 400, "invalid_grant"),
        ("F4-foreign", 400, "invalid_grant"),
        ("F5", 400, "invalid_grant"),
        ("F6", 401, "invalid_client"),
        ("F6-secret", 401, "invalid_client"),
        ("F7", 401, "unauthorized_client"),
        ("F8", 500, "internal_failure"),
    ],
)
def test_failures_can_be_played(google: Google, scenario_id: str, status: int, code: str) -> None:
    google.play(scenario_id)
    got = refresh(google)

    assert (got.status, got.json["error"]) == (status, code)
    assert got.json.get("error_subtype") == ("invalid_rapt" if scenario_id == "F5" else None)


def test_f8_recovers_at_the_third_attempt(google: Google) -> None:
    google.play("F8")

    assert [refresh(google).status for _ in range(3)] == [500, 500, 200]


def test_html_can_come_instead_of_a_token(google: Google) -> None:
    for scenario_id, status in (("F9", 503), ("F11", 200)):
        google.reset()
        google.play(scenario_id)
        got = refresh(google)
        assert (got.status, got.content[:15]) == (status, b"<!DOCTYPE html>")


@pytest.mark.parametrize("expires_in", [None, "3599", 1])
def test_lifetimes_are_told_as_they_are_set(google: Google, expires_in: object) -> None:
    google.tokens.expires_in = expires_in

    assert refresh(google).json.get("expires_in") == expires_in


def test_f2_rotates_the_refresh_token(google: Google) -> None:
    google.script(*scenario("F2").replies, on="token")
    rotated = refresh(google).json["refresh_token"]

    assert refresh(google, refresh_token=rotated).status == 200


@pytest.mark.parametrize("upstream", ["code_assist", "vertex"])
def test_a_revoked_token_is_worth_nothing(google: Google, upstream: str) -> None:
    bearer = {"authorization": f"Bearer {refresh(google).json['access_token']}"}
    assert ask(google, upstream=upstream, headers=bearer).status == 200

    google.tokens.revoke_all()

    assert ask(google, upstream=upstream, headers=bearer).status == 401
    assert fetch(google, "POST", "/tokeninfo", headers=bearer).json["error"] == "invalid_token"
    assert fetch(google, "GET", "/oauth2/v2/userinfo", headers=bearer).status == 401
    bearer = {"authorization": f"Bearer {refresh(google).json['access_token']}"}
    assert ask(google, upstream=upstream, headers=bearer).status == 200


def test_f12_revokes_the_token_in_use(google: Google) -> None:
    google.play("F12")
    bearer = {"authorization": f"Bearer {refresh(google).json['access_token']}"}

    assert [ask(google, upstream="vertex", headers=bearer).status for _ in range(2)] == [401, 401]
    assert ask(google, upstream="vertex").status == 200


def test_the_user_can_take_the_consent_back(google: Google) -> None:
    token = refresh(google).json["access_token"]

    assert fetch(google, "POST", f"/revoke?token={quote('1//sim-refresh', safe='')}").json == {}
    assert refresh(google).json["error_description"] == "Token has been expired or revoked."
    assert google.tokens.fault(token) is not None
    assert fetch(google, "POST", "/revoke?token=unknown").status == 400


def test_a_token_tells_whose_it_is(google: Google) -> None:
    bearer = {"authorization": f"Bearer {refresh(google).json['access_token']}"}

    assert fetch(google, "POST", "/tokeninfo", headers=bearer).json["email"] == google.email
    assert fetch(google, "GET", "/oauth2/v2/userinfo", headers=bearer).json["email"] == google.email


def exchange(google: Google, code: str, **changes: str) -> Got:
    form = EXCHANGE | {"code": code, "redirect_uri": REDIRECT} | changes
    return post_form(google, "/token", **{name: value for name, value in form.items() if value})


def test_f16_a_code_is_exchanged_once_for_a_refresh_token(google: Google) -> None:
    verifier = "v" * 64
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    code = google.authorize(REDIRECT, challenge=challenge)

    wrong = exchange(google, code, code_verifier="w" * 64)
    assert (wrong.status, wrong.json["error"]) == (400, "invalid_grant")
    wrong = exchange(google, code, code_verifier=verifier, redirect_uri="http://elsewhere")
    assert (wrong.status, wrong.json["error"]) == (400, "redirect_uri_mismatch")
    assert exchange(google, "4/other", code_verifier=verifier).json["error"] == "invalid_grant"

    got = exchange(google, code, code_verifier=verifier)
    assert refresh(google, refresh_token=got.json["refresh_token"]).status == 200
    assert exchange(google, code, code_verifier=verifier).json["error"] == "invalid_grant"


@pytest.fixture(scope="module")
def signer() -> tuple[crypt.RSASigner, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return crypt.RSASigner.from_string(private), public  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("changes", "known", "description"),
    [
        ({}, True, None),
        ({}, False, "account not found"),
        ({"aud": "https://example.com"}, True, "audience"),
        ({"exp": 7200}, True, "short-lived"),
        ({"exp": -600, "iat": -1200}, True, "short-lived"),
    ],
)
def test_f19_a_service_account_signs_for_its_token(
    google: Google,
    signer: tuple[crypt.RSASigner, bytes],
    changes: dict[str, object],
    known: bool,  # noqa: FBT001
    description: str | None,
) -> None:
    now = int(time.time())
    claims: dict[str, object] = {"iss": ACCOUNT, "aud": f"{google.url}/token"}
    times = {"iat": 0, "exp": 3600} | changes
    claims |= {
        name: value + now if isinstance(value, int) else value for name, value in times.items()
    }
    google.service_accounts = {ACCOUNT: signer[1]} if known else {}
    assertion = jwt.encode(signer[0], claims).decode()  # type: ignore[no-untyped-call]

    got = post_form(
        google,
        "/token",
        grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion=assertion,
    )

    if description is None:
        bearer = {"authorization": f"Bearer {got.json['access_token']}"}
        assert ask(google, upstream="vertex", headers=bearer).status == 200
        assert ask(google, upstream="code_assist", headers=bearer).status == 403
    else:
        assert (got.status, got.json["error"]) == (400, "invalid_grant")
        assert description in got.json["error_description"]


def test_f19_a_forged_signature_is_refused(
    google: Google, signer: tuple[crypt.RSASigner, bytes]
) -> None:
    google.service_accounts = {ACCOUNT: signer[1]}
    now = int(time.time())
    claims = {"iss": ACCOUNT, "aud": f"{google.url}/token", "iat": now, "exp": now + 3600}
    signed = jwt.encode(signer[0], claims).decode()  # type: ignore[no-untyped-call]
    forged = signed[:-8] + ("A" * 8 if not signed.endswith("A" * 8) else "B" * 8)

    got = post_form(
        google, "/token", grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=forged
    )

    assert got.json == {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}


def test_f18_the_metadata_server_gives_a_service_account_s_token(google: Google) -> None:
    flavor = {"metadata-flavor": "Google"}
    got = fetch(google, "GET", METADATA, headers=flavor)

    assert got.headers["metadata-flavor"] == "Google"
    bearer = {"authorization": f"Bearer {got.json['access_token']}"}
    assert ask(google, upstream="vertex", headers=bearer).status == 200
    assert ask(google, upstream="code_assist", headers=bearer).status == 403
    project = "/computeMetadata/v1/project/project-id"
    assert fetch(google, "GET", project, headers=flavor).content == b"sim-project"
    assert fetch(google, "GET", project).status == 403
    assert fetch(google, "GET", METADATA).status == 403

    google.script(*scenario("F18-500").replies, on="metadata")
    statuses = [fetch(google, "GET", METADATA, headers=flavor).status for _ in range(2)]
    assert statuses == [500, 200]
    google.play("F18-404")
    assert fetch(google, "GET", METADATA, headers=flavor).status == 404
