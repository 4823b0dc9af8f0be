"""E, first part: refusals that no second attempt mends."""

from tests.simulators.calls import Call
from tests.simulators.errors import (
    Error,
    bad_request,
    error,
    error_info,
    help_links,
    localized,
    page,
)
from tests.simulators.generation import echo
from tests.simulators.refusals import bad_key, bad_token, unknown_model
from tests.simulators.scenarios.table import Scenario, generating
from tests.simulators.wire import Reply

_CLOUD_CODE = "cloudcode-pa.googleapis.com"
_ACTIVATION = (
    "https://console.developers.google.com/apis/api/cloudaicompanion.googleapis.com/"
    "overview?project=sim-project"
)
_DISABLED = (
    "Gemini for Google Cloud API has not been used in project sim-project before or it is "
    f"disabled. Enable it by visiting {_ACTIVATION} then retry."
)
_VERIFY = "https://accounts.example.com/verify?sim"
_UNKNOWN = (
    'Invalid JSON payload received. Unknown name "tools" at '
    "'request.tools[0].function_declarations[10]': Cannot find field."
)
_COUNT = (
    "Please ensure that the number of function response parts is equal to the number of function "
    "call parts of the function call turn."
)
_SIGNATURE = (
    "Function call is missing a thought_signature in functionCall parts. Additional data, "
    "function call `default_api:get_weather` , position 2."
)
_JSON = "'application/json' is unsupported"
_SERVICE = "cloudaicompanion.googleapis.com"


def _refused(call: Call) -> Reply:
    return bad_token(call, "ACCESS_TOKEN_TYPE_UNSUPPORTED")(call)


def _unknown(call: Call) -> Reply:
    return unknown_model(call)(call)


def _denied(scenario_id: str, about: str, message: str, reason: str, **metadata: str) -> Scenario:
    domain = _CLOUD_CODE if reason in ("VALIDATION_REQUIRED", "TOS_VIOLATION") else "googleapis.com"
    refusal = error(403, message=message, details=[error_info(reason, domain, **metadata)])
    return generating(scenario_id, about, refusal)


def _invalid(scenario_id: str, about: str, message: str) -> Scenario:
    return generating(scenario_id, about, error(400, message=message))


_DISABLED_API: Error = error(
    403,
    message=_DISABLED,
    details=[
        error_info(
            "SERVICE_DISABLED",
            service=_SERVICE,
            serviceTitle="Gemini for Google Cloud API",
            consumer="projects/sim-project",
            containerInfo="sim-project",
            activationUrl=_ACTIVATION,
        ),
        localized(_DISABLED),
        help_links(("Google developers console API activation", _ACTIVATION)),
    ],
)
_TO_VERIFY: Error = error(
    403,
    message="Verify your account to continue.",
    details=[
        error_info(
            "VALIDATION_REQUIRED",
            _CLOUD_CODE,
            validation_error_message="Verify your account to continue.",
            validation_url_link_text="Verify",
            validation_url=_VERIFY,
            validation_learn_more_url="https://support.example.com/verify",
        ),
        help_links(("Verify", _VERIFY), ("Learn more", "https://support.example.com/verify")),
    ],
)

SCENARIOS = (
    generating(
        "E1",
        "400, an unknown name",
        error(
            400,
            message=_UNKNOWN,
            details=[bad_request([("request.tools[0].function_declarations[10]", _UNKNOWN)])],
        ),
    ),
    generating("E2", "400, generic, with the older member", error(400, legacy_reason="badRequest")),
    generating(
        "E3",
        "400, too many tokens",
        error(
            400,
            message="The input token count (1200293) exceeds the maximum number of tokens "
            "allowed (1048576).",
            legacy_reason="badRequest",
        ),
    ),
    _invalid("E4", "400, a missing signature", _SIGNATURE),
    _invalid("E4-invalid", "400, a wrong signature", "Invalid thought signature."),
    _invalid("E5", "400, too few function responses", _COUNT),
    _invalid("E5-role", "400, a wrong role", "Please use a valid role: user, model."),
    _invalid(
        "E6",
        "400, a schema",
        "* GenerateContentRequest.tools[0].function_declarations[0].parameters.items: "
        "missing field.",
    ),
    _invalid(
        "E6-name",
        "400, a function name",
        "The GenerateContentRequest proto is invalid:\n  * tools[0].function_declarations[0].name: "
        "[FIELD_INVALID] Invalid function name. Must start with a letter or an underscore.",
    ),
    _invalid("E6-penalty", "400, penalties", "Penalty is not enabled for this model"),
    _invalid(
        "E6-logprobs", "400, log probabilities", "Logprobs is not enabled for models/gemini-2.5-pro"
    ),
    _invalid(
        "E6-candidates", "400, candidates", "Multiple candidates is not enabled for this model"
    ),
    _invalid("E6-budget", "400, a thinking budget", "The thinking budget (52428) is invalid."),
    _invalid(
        "E6-json-tools",
        "400, tools and JSON",
        f"Function calling with a response mime type: {_JSON}",
    ),
    _invalid(
        "E6-search-tools",
        "400, functions and search",
        "Tool use with function calling is unsupported",
    ),
    generating("E7", "400, the API key", bad_key()),
    generating(
        "E8",
        "400, the location",
        error(
            400,
            status="FAILED_PRECONDITION",
            message="User location is not supported for the API use.",
        ),
    ),
    generating("E9", "401, once", _refused, echo),
    generating("E10", "401, however often it is tried", *[_refused] * 10),
    generating("E11", "403, the API is not enabled", _DISABLED_API),
    generating("E12", "403, the account must be verified", _TO_VERIFY),
    _denied(
        "E13",
        "403, terms of service",
        "This service has been disabled in this account for violation of Terms of Service. "
        "Please submit an appeal to continue using this product.",
        "TOS_VIOLATION",
        uiMessage="true",
        appeal_url="https://support.example.com/appeal",
        appeal_url_link_text="Submit Appeal",
    ),
    generating(
        "E14",
        "403, no licence",
        error(
            403,
            message="You do not have a valid license of this product. "
            "Please contact your administrator. (#3501)",
        ),
    ),
    _denied(
        "E15",
        "403, IAM",
        "Permission 'cloudaicompanion.companions.generateChat' denied on resource "
        "'//cloudaicompanion.googleapis.com/projects/sim-project/locations/global' "
        "(or it may not exist).",
        "IAM_PERMISSION_DENIED",
        permission="cloudaicompanion.companions.generateChat",
        resource="projects/sim-project/locations/global",
    ),
    _denied(
        "E16",
        "403, VPC Service Controls",
        "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: sim",
        "SECURITY_POLICY_VIOLATED",
        service=_SERVICE,
    ),
    _denied(
        "E17",
        "403, the token's scopes",
        "Request had insufficient authentication scopes.",
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        service=_CLOUD_CODE,
    ),
    generating(
        "E18",
        "403, a leaked key",
        error(403, message="Your API key was reported as leaked. Please use another API key."),
    ),
    generating("E19", "404, no such model, in the upstream's words", _unknown),
    generating("E19-html", "404, no such path", page(404)),
)
