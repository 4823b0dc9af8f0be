"""What Google says when it refuses a caller, a key or a model: section by section of its APIs."""

from tests.simulators.calls import Call
from tests.simulators.errors import Error, error, error_info, localized

_EXPECTED = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. "
    "See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_CHALLENGE = {
    "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
}
_SERVICES = {
    "code_assist": (
        "cloudcode-pa.googleapis.com",
        "google.internal.cloud.code.v1internal.PredictionService",
    ),
    "gemini_api": (
        "generativelanguage.googleapis.com",
        "google.ai.generativelanguage.v1beta.GenerativeService",
    ),
    "vertex": (
        "aiplatform.googleapis.com",
        "google.cloud.aiplatform.v1beta1.PredictionService",
    ),
}


def bad_token(call: Call, reason: str) -> Error:
    missing = reason == "CREDENTIALS_MISSING"
    problem = (
        "Request is missing required authentication credential. "
        if missing
        else "Request had invalid authentication credentials. "
    )
    return error(
        401,
        message=problem + _EXPECTED,
        details=[error_info(reason, **_where(call))],
        headers=_CHALLENGE,
    )


def key_on_vertex(call: Call) -> Error:
    message = (
        "API keys are not supported by this API. Expected OAuth2 access token or other "
        "authentication credentials that assert a principal. "
        "See https://cloud.google.com/docs/authentication"
    )
    return error(401, message=message, details=[error_info("CREDENTIALS_MISSING", **_where(call))])


def service_account_on_code_assist() -> Error:
    return error(403, message="Gemini Code Assist takes the credentials of users only.")


def bad_key() -> Error:
    message = "API key not valid. Please pass a valid API key."
    info = error_info("API_KEY_INVALID", service="generativelanguage.googleapis.com")
    return error(400, message=message, details=[info, localized(message)])


def no_key() -> Error:
    message = (
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API."
    )
    return error(403, message=message)


def unknown_model(call: Call) -> Error:
    recorded = call.recorded
    match recorded.upstream:
        case "gemini_api":
            message = (
                f"models/{recorded.model} is not found for API version v1beta, or is not supported "
                "for generateContent. Call ListModels to see the list of available models and "
                "their supported methods."
            )
        case "vertex":
            name = recorded.path.removeprefix("/v1beta1/").removeprefix("/v1/").split(":")[0]
            message = (
                f"Publisher Model `{name}` was not found or your project does not have access to "
                "it. Please ensure you are using a valid model version. For more information, see: "
                "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions"
            )
        case _:
            message = "Requested entity was not found."
    return error(404, message=message)


def _where(call: Call) -> dict[str, str]:
    service, prefix = _SERVICES[call.recorded.upstream or "code_assist"]
    rpc = call.recorded.path.rpartition(":")[2]
    return {"service": service, "method": f"{prefix}.{rpc[:1].upper()}{rpc[1:]}"}
