"""The metadata server of a machine on Google Cloud."""

from tests.simulators.calls import Call
from tests.simulators.errors import page
from tests.simulators.rendering import compact
from tests.simulators.tokens import LIFETIME
from tests.simulators.wire import Reply

_ROOT = "/computeMetadata/v1/"
_ACCOUNT = "instance/service-accounts/default/"
_EMAIL = "sim-sa@sim-project.iam.gserviceaccount.com"
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_NUMBER = "123456789012"


def token(call: Call) -> Reply:
    refused = _refused(call)
    if refused is not None:
        return refused
    value = call.world.tokens.issue("service")
    return _answer(
        compact({"access_token": value, "expires_in": LIFETIME, "token_type": "Bearer"}),
        "application/json",
    )


def value(call: Call) -> Reply:
    refused = _refused(call)
    if refused is not None:
        return refused
    world = call.world
    account = {"aliases": ["default"], "email": _EMAIL, "scopes": _SCOPES}
    texts = {
        "": "computeMetadata/\n",
        f"{_ACCOUNT}email": _EMAIL,
        f"{_ACCOUNT}scopes": "\n".join(_SCOPES),
        "instance/id": _NUMBER,
        "instance/region": f"projects/{_NUMBER}/regions/{world.location}",
        "instance/zone": f"projects/{_NUMBER}/zones/{world.location}-1",
        "project/project-id": world.project,
        "project/numeric-project-id": _NUMBER,
        "universe/universe-domain": "googleapis.com",
    }
    name = call.recorded.path.removeprefix(_ROOT).removeprefix("/")
    if name == _ACCOUNT and call.recorded.query.get("recursive"):
        return _answer(compact(account), "application/json")
    return _answer(texts[name].encode(), "application/text") if name in texts else page(404)


def _refused(call: Call) -> Reply | None:
    """The header shows that nobody was lured into asking."""
    return None if call.recorded.headers.get("metadata-flavor") == "Google" else page(403)


def _answer(body: bytes, content_type: str) -> Reply:
    headers = (
        ("Content-Type", content_type),
        ("Metadata-Flavor", "Google"),
        ("Server", "Metadata Server for VM"),
    )
    return Reply(200, headers, (body,))
