"""Google's OAuth 2 endpoints: tokens for credentials, what a token is, and its end."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from tests.simulators.assertion import assertion_fault
from tests.simulators.calls import Call
from tests.simulators.refusals import bad_token
from tests.simulators.rendering import compact, pretty
from tests.simulators.tokens import LIFETIME
from tests.simulators.wire import Headers, Reply
from tests.simulators.world import World

Form = dict[str, str]

_HEADERS: Headers = (
    ("Content-Type", "application/json; charset=utf-8"),
    ("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"),
    ("Server", "scaffolding on HTTPServer2"),
)
_SCOPES = (
    "https://www.googleapis.com/auth/userinfo.email "
    "https://www.googleapis.com/auth/cloud-platform "
    "https://www.googleapis.com/auth/userinfo.profile openid"
)
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def reply(value: object, status: int = 200) -> Reply:
    return Reply(status, _HEADERS, (pretty(value),))


def failure(status: int, code: str, description: str | None = None, **more: str) -> Reply:
    """Build one of OAuth's own errors, which do not look like those of Google's other APIs."""
    described = {} if description is None else {"error_description": description}
    return reply({"error": code} | described | more, status)


def token(call: Call) -> Reply:
    """Take any of the three grants, as `grant_type` says."""
    form: Form = call.recorded.body if isinstance(call.recorded.body, dict) else {}
    kind = form.get("grant_type")
    if kind is None:
        return failure(400, "invalid_request", "Required parameter is missing: grant_type")
    grant = _GRANTS.get(kind)
    if grant is None:
        return failure(400, "unsupported_grant_type", f"Invalid grant_type: {kind}")
    refused = None if kind == _JWT_BEARER else _refused_client(form, call.world)
    return refused or grant(form, call.world)


def granted(
    world: World, *, refresh_token: str | None = None, expires_in: object = ..., openid: bool = True
) -> Reply:
    """Give out a token. `expires_in` is said as it is given, and left out if it is None."""
    lifetime = world.tokens.expires_in if expires_in is ... else expires_in
    value = world.tokens.issue(expires_in=lifetime)
    body: dict[str, Any] = {"access_token": value}
    if lifetime is not None:
        body["expires_in"] = lifetime
    body |= {"scope": _SCOPES, "token_type": "Bearer"}
    if refresh_token is not None:
        world.refresh_tokens.add(refresh_token)
        body["refresh_token"] = refresh_token
    if openid:
        body["id_token"] = _id_token(world)
    return reply(body)


def _refused_client(form: Form, world: World) -> Reply | None:
    if not form.get("client_id"):
        return failure(400, "invalid_request", "Could not determine client ID from request.")
    if form["client_id"] != world.client_id:
        return failure(401, "invalid_client", "The OAuth client was not found.")
    if not form.get("client_secret"):
        return failure(400, "invalid_request", "client_secret is missing.")
    if form["client_secret"] != world.client_secret:
        return failure(401, "invalid_client", "The provided client secret is invalid.")
    return None


def _refresh(form: Form, world: World) -> Reply:
    refresh_token = form.get("refresh_token")
    if not refresh_token:
        return failure(400, "invalid_request", "Missing required parameter: refresh_token")
    if refresh_token in world.revoked_refresh_tokens:
        return failure(400, "invalid_grant", "Token has been expired or revoked.")
    if refresh_token not in world.refresh_tokens:
        return failure(400, "invalid_grant", "Bad Request")
    return granted(world)


def _exchange(form: Form, world: World) -> Reply:
    if not form.get("code"):
        return failure(400, "invalid_request", "Missing required parameter: code")
    name = form["code"]
    if name in world.used_codes:
        return failure(400, "invalid_grant", "Bad Request")
    code = world.codes.get(name)
    if code is None:
        return failure(400, "invalid_grant", "Malformed auth code.")
    if form.get("redirect_uri") != code.redirect_uri:
        return failure(400, "redirect_uri_mismatch", "Bad Request")
    if code.challenge is not None and _challenge(form.get("code_verifier", "")) != code.challenge:
        return failure(400, "invalid_grant", "Invalid code verifier.")
    world.used_codes.add(name)
    return granted(world, refresh_token=f"1//sim-refresh-{len(world.refresh_tokens) + 1}")


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _assert(form: Form, world: World) -> Reply:
    fault = assertion_fault(form.get("assertion", ""), world.service_accounts)
    if fault is not None:
        return failure(400, "invalid_grant", fault)
    value = world.tokens.issue("service")
    return reply({"access_token": value, "expires_in": LIFETIME, "token_type": "Bearer"})


_GRANTS: dict[str, Callable[[Form, World], Reply]] = {
    "refresh_token": _refresh,
    "authorization_code": _exchange,
    _JWT_BEARER: _assert,
}


def tokeninfo(call: Call) -> Reply:
    world = call.world
    value = call.recorded.bearer or call.recorded.query.get("access_token", "")
    if world.tokens.fault(value) is not None:
        return failure(400, "invalid_token", "Invalid Value")
    return reply(
        {
            "azp": world.client_id,
            "aud": world.client_id,
            "sub": "100000000000000000001",
            "scope": _SCOPES,
            "expires_in": str(LIFETIME),
            "email": world.email,
            "email_verified": "true",
            "access_type": "offline",
        }
    )


def revoke(call: Call) -> Reply:
    world, form = call.world, call.recorded.body
    value = call.recorded.query.get("token") or (form or {}).get("token", "")
    if value in world.refresh_tokens:
        world.refresh_tokens.discard(value)
        world.revoked_refresh_tokens.add(value)
        world.tokens.revoke_all()
    elif world.tokens.fault(value) is None:
        world.tokens.revoke(value)
    else:
        return failure(400, "invalid_token", "Token expired or revoked")
    return reply({})


def userinfo(call: Call) -> Reply:
    fault = call.world.tokens.fault(call.recorded.bearer or "")
    if fault is not None:
        return bad_token(call, fault if call.recorded.bearer else "CREDENTIALS_MISSING")(call)
    return reply(
        {
            "id": "100000000000000000001",
            "email": call.world.email,
            "verified_email": True,
            "name": "Somebody Simulated",
            "given_name": "Somebody",
            "family_name": "Simulated",
        }
    )


def _id_token(world: World) -> str:
    """Make something that looks like a JWT; nobody may rely on its signature."""
    claims = {"iss": "https://accounts.google.com", "aud": world.client_id, "email": world.email}
    pieces = (compact({"alg": "RS256", "typ": "JWT"}), compact(claims), b"simulated")
    return ".".join(base64.urlsafe_b64encode(piece).rstrip(b"=").decode() for piece in pieces)
