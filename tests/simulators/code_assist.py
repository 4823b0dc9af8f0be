"""Code Assist's calls around generation: who the user is, with which project and quota."""

from typing import Any

from tests.simulators.calls import Call
from tests.simulators.errors import error
from tests.simulators.model_facts import models_of
from tests.simulators.rendering import json_reply
from tests.simulators.wire import Reply
from tests.simulators.world import World

Json = dict[str, Any]

RESET_TIME = "2026-11-23T08:00:00Z"
STANDARD: Json = {
    "id": "standard-tier",
    "name": "Gemini Code Assist",
    "description": "The tier that comes with a licence",
    "userDefinedCloudaicompanionProject": True,
    "privacyNotice": {},
}
FREE: Json = {
    "id": "free-tier",
    "name": "Gemini Code Assist for individuals",
    "description": "The tier that needs no licence",
    "privacyNotice": {"showNotice": True, "noticeText": "A notice about privacy."},
    "isDefault": True,
}
_RESPONSE_TYPE = "type.googleapis.com/google.internal.cloud.code.v1internal.OnboardUserResponse"
_NUMBER = "123456789012"


def load(call: Call) -> Reply:
    bearer = call.recorded.bearer or ""
    if call.world.tokens.holder(bearer) == "service":
        return json_reply(call, ineligible("NON_USER_ACCOUNT", "Only users may use this service."))
    project = call.recorded.body.get("cloudaicompanionProject") or call.world.project
    return json_reply(call, licensed(project))


def licensed(project: str | None) -> Json:
    """Describe a user who has been set up; without a project if it is None."""
    known = {} if project is None else {"cloudaicompanionProject": project}
    return {
        "currentTier": STANDARD,
        "allowedTiers": [STANDARD | {"isDefault": True}],
        **known,
        "paidTier": {"id": "gcp-standard-tier", "name": "Gemini Code Assist Standard"},
    }


def ineligible(reason: str, message: str, **validation: str) -> Json:
    """Describe a user who may not have the free tier."""
    refused = {
        "reasonCode": reason,
        "reasonMessage": message,
        "tierId": FREE["id"],
        "tierName": FREE["name"],
        **validation,
    }
    return {"allowedTiers": [STANDARD | {"isDefault": True}], "ineligibleTiers": [refused]}


def onboard(call: Call) -> Reply:
    body = call.recorded.body
    project = body.get("cloudaicompanionProject")
    is_free = body.get("tierId") == FREE["id"]
    if is_free == bool(project):
        refused = error(400, status="FAILED_PRECONDITION", message="Precondition check failed.")
        return refused(call)
    return json_reply(call, onboarded(project or "gen-lang-client-0123", f"onboard.{call.number}"))


def operation(call: Call) -> Reply:
    name = call.recorded.path.rpartition("/")[2]
    return json_reply(call, onboarded(call.world.project, name))


def onboarded(project: str, name: str | None = None) -> Json:
    """Describe an operation that is over; some come without a name."""
    named = {} if name is None else {"name": f"operations/{name}"}
    known = {"id": project, "name": project, "projectNumber": _NUMBER}
    response = {"@type": _RESPONSE_TYPE, "cloudaicompanionProject": known}
    return {**named, "done": True, "response": response}


def quota(call: Call) -> Reply:
    return json_reply(call, {"buckets": buckets(call.world, previews=call.world.preview_access)})


def buckets(world: World | None = None, *, previews: bool) -> list[Json]:
    return [
        {
            "modelId": model.id,
            "tokenType": "REQUESTS",
            "remainingFraction": 1,
            "remainingAmount": "1000",
            "resetTime": RESET_TIME,
        }
        for model in models_of("code_assist", world)
        if previews or not model.preview
    ]


def experiments(call: Call) -> Reply:
    enable_preview = {"flagId": 45740196, "boolValue": call.world.preview_access}
    return json_reply(call, {"experimentIds": [105979761], "flags": [enable_preview]})


def nothing(call: Call) -> Reply:
    return json_reply(call, {})


def global_setting(call: Call) -> Reply:
    return json_reply(call, call.world.global_setting)


def set_global_setting(call: Call) -> Reply:
    call.world.global_setting |= call.recorded.body
    return global_setting(call)
