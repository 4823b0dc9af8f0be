"""May this request be answered at all? Caller, body, model, and the rules of a package beside.

Google looks in this order too: who is calling, is it a known message, is there such a model,
does the request make sense.
"""

from collections.abc import Set as AbstractSet

from tests.simulators import embeddings
from tests.simulators.calls import Call, Upstream
from tests.simulators.errors import RefusedError, bad_request, error
from tests.simulators.model_facts import BY_ID, MAGIC, Model, unruly
from tests.simulators.refusals import (
    bad_key,
    bad_token,
    key_on_vertex,
    no_key,
    service_account_on_code_assist,
    unknown_model,
)
from tests.simulators.rules import first_broken
from tests.simulators.rules.ask import Ask
from tests.simulators.scenarios import is_magic
from tests.simulators.shape import Inspection

_GENERATING = frozenset({"generateContent", "countTokens"})
_MESSAGES: dict[tuple[str, Upstream], str] = {
    ("generate", "code_assist"): "CodeAssistGenerate",
    ("generate", "gemini_api"): "GenerateContentRequest",
    ("generate", "vertex"): "GenerateContentRequest",
    ("countTokens", "code_assist"): "CodeAssistCount",
    ("countTokens", "gemini_api"): "DeveloperCount",
    ("countTokens", "vertex"): "VertexCount",
    ("loadCodeAssist", "code_assist"): "LoadCodeAssist",
    ("onboardUser", "code_assist"): "OnboardUser",
    ("retrieveUserQuota", "code_assist"): "RetrieveUserQuota",
    ("listExperiments", "code_assist"): "ListExperiments",
    ("setCodeAssistGlobalUserSetting", "code_assist"): "GlobalUserSetting",
}
_EMBEDDING_MESSAGES: dict[tuple[str, Upstream], str] = {
    ("batchEmbedContents", "gemini_api"): "BatchEmbedContents",
    ("embedContent", "gemini_api"): "DeveloperEmbedContent",
    ("embedContent", "vertex"): "VertexEmbedContent",
    ("predict", "vertex"): "Predict",
}


def admit(call: Call) -> None:
    """Raise `RefusedError` with what Google would answer instead."""
    recorded = call.recorded
    if recorded.upstream is None:
        return  # the token endpoint and the metadata server look for themselves
    _authenticate(call)
    if recorded.method != "POST":
        return
    if not isinstance(recorded.body, dict):
        raise RefusedError(error(400, message="Invalid JSON payload received. Expected a value."))
    message = _checked(call, recorded.upstream) if call.world.strict else recorded.body
    if recorded.operation == "embed":
        _model(call, {"embedContent"})
        embeddings.check(call)
    if recorded.operation in ("generate", "countTokens"):
        model = _model(call)
        if call.world.strict:
            _check_rules(call, message, model)


def _authenticate(call: Call) -> None:
    recorded, world = call.recorded, call.world
    key = recorded.headers.get("x-goog-api-key") or recorded.query.get("key")
    if recorded.bearer is not None:
        fault = world.tokens.fault(recorded.bearer)
        if fault is not None:
            raise RefusedError(bad_token(call, fault))
        is_service = world.tokens.holder(recorded.bearer) == "service"
        generates = recorded.operation in ("generate", "countTokens")
        if is_service and generates and recorded.upstream == "code_assist":
            raise RefusedError(service_account_on_code_assist())
    elif recorded.upstream == "gemini_api":
        if key is None:
            raise RefusedError(no_key())
        if key not in world.api_keys:
            raise RefusedError(bad_key())
    elif key is None or recorded.upstream == "code_assist":
        raise RefusedError(bad_token(call, "CREDENTIALS_MISSING"))
    elif "/projects/" in recorded.path:
        raise RefusedError(key_on_vertex(call))
    elif key not in world.api_keys:
        raise RefusedError(bad_key())  # express mode


def _checked(call: Call, upstream: Upstream) -> dict[str, object]:
    recorded = call.recorded
    rpc = recorded.path.rpartition(":")[2]
    name = _MESSAGES.get((recorded.operation, upstream)) or _EMBEDDING_MESSAGES.get((rpc, upstream))
    if name is None:
        return {}
    inspection = Inspection(upstream)
    message = inspection.message(recorded.body, name)
    if inspection.faults:
        texts = [text for _, text in inspection.faults]
        details = [bad_request(inspection.faults)]
        raise RefusedError(error(400, message="\n".join(texts), details=details))
    return message


def _model(call: Call, methods: AbstractSet[str] = _GENERATING) -> Model:
    recorded, world = call.recorded, call.world
    name = recorded.model or ""
    if "/" in str(recorded.body.get("model", "")) and recorded.upstream == "code_assist":
        raise RefusedError(unknown_model(call))  # the id alone, without `models/`
    if name in world.models or (name.startswith(MAGIC) and is_magic(name)):
        return unruly(name)
    model = BY_ID.get(name)
    hidden = model is not None and model.preview and not world.preview_access
    if (
        model is None
        or name in world.retired
        or recorded.upstream not in model.upstreams
        or not methods & set(model.methods)
        or (hidden and recorded.upstream == "code_assist")
    ):
        raise RefusedError(unknown_model(call))
    return model


def _check_rules(call: Call, message: dict[str, object], model: Model) -> None:
    ask = Ask.of(call, message, model)
    broken = first_broken(ask)
    if broken is not None:
        raise RefusedError(error(400, message=broken))
