"""G: who the user of Code Assist is, and with which project."""

from tests.simulators import code_assist
from tests.simulators.calls import Play
from tests.simulators.errors import error, error_info
from tests.simulators.replies import document, late
from tests.simulators.scenarios.table import Scenario

_MIGRATE = (
    "This client is no longer supported for Gemini Code Assist for individuals. "
    "Please migrate to the products at https://antigravity.google"
)
_NEW_USER = document(
    {
        "allowedTiers": [
            code_assist.FREE,
            {key: value for key, value in code_assist.STANDARD.items() if key != "description"},
        ]
    }
)
_NAME = "operations/onboard.7f3a"
_PENDING = document({"name": _NAME, "done": False})
_DONE = document(code_assist.onboarded("gen-lang-client-0123", "onboard.7f3a"))
_FAILED = document(
    {"name": _NAME, "done": True, "error": {"code": 7, "message": "No project could be made."}}
)
_REASONS = (
    "DASHER_USER",
    "NON_USER_ACCOUNT",
    "RESTRICTED_AGE",
    "RESTRICTED_NETWORK",
    "UNKNOWN",
    "UNKNOWN_LOCATION",
    "UNSUPPORTED_LOCATION",
    "BRAND_NEW_REASON",
)
_VALIDATION = {
    "validationErrorMessage": "Verify your account to continue.",
    "validationUrl": "https://accounts.example.com/verify?sim",
    "validationUrlLinkText": "Verify",
    "validationLearnMoreUrl": "https://support.example.com/verify",
}
_FORBIDDEN = error(
    403,
    message="Request is prohibited by organization's policy.",
    details=[error_info("SECURITY_POLICY_VIOLATED", service="cloudcode-pa.googleapis.com")],
)


def _load(scenario_id: str, about: str, *replies: Play) -> Scenario:
    return Scenario(scenario_id, about, {"loadCodeAssist": replies})


def _refused(scenario_id: str, reason: str, message: str, **more: str) -> Scenario:
    reply = document(code_assist.ineligible(reason, message, **more))
    return _load(scenario_id, f"ineligible: {reason}", reply)


def _onboarding(scenario_id: str, about: str, first: Play, *polls: Play) -> Scenario:
    scripts = {"loadCodeAssist": (_NEW_USER,), "onboardUser": (first,)}
    return Scenario(scenario_id, about, scripts | ({"operation": polls} if polls else {}))


def _quota(scenario_id: str, about: str, reply: Play) -> Scenario:
    return Scenario(scenario_id, about, {"retrieveUserQuota": (reply,)})


SCENARIOS = (
    _load("G1", "a tier and a project", document(code_assist.licensed("sim-project"))),
    _load("G2", "a tier, no project", document(code_assist.licensed(None))),
    _load(
        "G3",
        "a tier, no project, and nothing else to go by",
        document({"currentTier": code_assist.STANDARD}),
    ),
    _onboarding(
        "G4",
        "a new user, done at once, in an operation without a name",
        document(code_assist.onboarded("cogent-x-1")),
    ),
    _onboarding("G5", "a new user, done at the third poll", _PENDING, _PENDING, _PENDING, _DONE),
    _onboarding("G6", "a new user, but it fails", _PENDING, _FAILED),
    _onboarding("G7", "a new user, and it never gets done", _PENDING, *[_PENDING] * 1000),
    Scenario(
        "G8",
        "the free tier, asked for with a project",
        {
            "onboardUser": (
                error(400, status="FAILED_PRECONDITION", message="Precondition check failed."),
            )
        },
    ),
    _refused("G9", "UNSUPPORTED_CLIENT", _MIGRATE),
    _refused("G10", "VALIDATION_REQUIRED", "Verify your account to continue.", **_VALIDATION),
    _refused("G11", "INELIGIBLE_ACCOUNT", "Your account is not eligible."),
    *(
        _refused(f"G11-{reason.lower().replace('_', '-')}", reason, "Your account is not eligible.")
        for reason in _REASONS
    ),
    _load("G12", "nothing", document({})),
    _load("G13", "403, VPC Service Controls", _FORBIDDEN),
    _load("G14", "500, once", error(500), code_assist.load),
    _load(
        "G15", "a project number instead of its id", document(code_assist.licensed("123456789012"))
    ),
    _load("G16", "an answer after 0.2 s, so that others wait for it", late(code_assist.load, 0.2)),
    _quota("G17", "quota of all models", document({"buckets": code_assist.buckets(previews=True)})),
    _quota(
        "G17-released",
        "quota without preview models",
        document({"buckets": code_assist.buckets(previews=False)}),
    ),
    _quota(
        "G17-used-up",
        "quota that is used up",
        document({"buckets": [{"modelId": "gemini-2.5-pro", "tokenType": "REQUESTS"}]}),
    ),
    _quota(
        "G17-403", "403 for the quota", error(403, message="The caller does not have permission")
    ),
    Scenario("G18", "no experiments", {"listExperiments": (document({}),)}),
    _refused("G19", "NON_USER_ACCOUNT", "Only users may use this service."),
)
