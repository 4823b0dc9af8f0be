"""F: tokens, from the OAuth endpoint and from the metadata server."""

from tests.simulators import metadata, oauth
from tests.simulators.calls import Call, Play
from tests.simulators.errors import page
from tests.simulators.generation import echo
from tests.simulators.refusals import bad_token
from tests.simulators.replies import error, late, plain
from tests.simulators.scenarios.table import Scenario, generating
from tests.simulators.wire import Reply


def _token(scenario_id: str, about: str, *replies: Play) -> Scenario:
    return Scenario(scenario_id, about, {"token": replies})


def _metadata(scenario_id: str, about: str, *replies: Play) -> Scenario:
    return Scenario(scenario_id, about, {"metadata": replies})


def _refused(status: int, code: str, description: str, **more: str) -> Play:
    return oauth.failure(status, code, description, **more)


def _lasting(expires_in: object) -> Play:
    return lambda call: oauth.granted(call.world, expires_in=expires_in)


def _rotated(call: Call) -> Reply:
    return oauth.granted(call.world, refresh_token="1//sim-rotated")


def _revoked_early(call: Call) -> Reply:
    bearer = call.recorded.bearer or ""
    call.world.tokens.revoke(bearer)
    return bad_token(call, call.world.tokens.fault(bearer) or "")(call)


_INTERNAL = oauth.reply({"error": "internal_failure"}, 500)

SCENARIOS = (
    _token("F1", "a token", oauth.token),
    _token("F2", "a token and a new refresh token", _rotated),
    _token("F3", "a token that does not say how long it lasts", _lasting(None)),
    _token("F3-string", "a token whose lifetime is text", _lasting("3599")),
    _token("F3-short", "a token for one second", _lasting(1)),
    _token(
        "F4", "400, revoked", _refused(400, "invalid_grant", "Token has been expired or revoked.")
    ),
    _token("F4-foreign", "400, foreign", _refused(400, "invalid_grant", "Bad Request")),
    _token(
        "F5",
        "400, the user must log in again",
        _refused(
            400,
            "invalid_grant",
            "reauth related error (invalid_rapt)",
            error_subtype="invalid_rapt",
        ),
    ),
    _token(
        "F6",
        "401, no such client",
        _refused(401, "invalid_client", "The OAuth client was not found."),
    ),
    _token("F6-secret", "401, wrong secret", _refused(401, "invalid_client", "Unauthorized")),
    _token(
        "F7", "401, another client's token", _refused(401, "unauthorized_client", "Unauthorized")
    ),
    _token("F8", "500 twice, then a token", _INTERNAL, _INTERNAL, oauth.token),
    _token("F9", "503 in HTML, however often it is tried", *[page(503)] * 20),
    _token("F10", "a token after 30 s", late(oauth.token, 30)),
    _token(
        "F11", "200 in HTML", plain(200, b"<!DOCTYPE html>\n<title>Hello</title>\n", "text/html")
    ),
    generating("F12", "the token in use is revoked", _revoked_early, echo),
    _token("F13", "a token after 0.2 s, so that others wait for it", late(oauth.token, 0.2)),
    Scenario("F17", "401 for the user's profile", {"userinfo": (error(401),)}),
    _metadata("F18", "a token from the metadata server", metadata.token),
    _metadata("F18-404", "no service account", page(404)),
    _metadata("F18-slow", "a token after 5 s", late(metadata.token, 5)),
    _metadata("F18-500", "500, then a token", page(500), metadata.token),
)
