"""The lists of models that the Developer API and Vertex AI give; Code Assist gives none."""

from typing import Any

from tests.simulators.calls import Call
from tests.simulators.model_facts import Model, models_of
from tests.simulators.refusals import unknown_model
from tests.simulators.rendering import json_reply
from tests.simulators.wire import Reply

_USUAL_PAGE = 50


def models(call: Call) -> Reply:
    recorded = call.recorded
    if recorded.upstream == "vertex":
        return _page(
            call, "publisherModels", [_publisher_model(m) for m in models_of("vertex", call.world)]
        )
    known = [_developer_model(model) for model in models_of("gemini_api", call.world)]
    if recorded.model is None:
        return _page(call, "models", known)
    wanted = [model for model in known if model["name"] == f"models/{recorded.model}"]
    return json_reply(call, wanted[0]) if wanted else unknown_model(call)(call)


def _page(call: Call, key: str, known: list[dict[str, Any]]) -> Reply:
    query = call.recorded.query
    start = int(query.get("pageToken") or 0)
    end = start + int(query.get("pageSize") or _USUAL_PAGE)
    more = {"nextPageToken": str(end)} if end < len(known) else {}
    return json_reply(call, {key: known[start:end], **more})


def _developer_model(model: Model) -> dict[str, Any]:
    return {
        "name": f"models/{model.id}",
        "version": "001",
        "displayName": model.id.replace("-", " ").title(),
        "description": "A simulated model.",
        "inputTokenLimit": model.input_limit,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": list(model.methods),
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        **({"thinking": True} if model.thinking else {}),
    }


def _publisher_model(model: Model) -> dict[str, Any]:
    stage = "PUBLIC_PREVIEW" if model.preview else "GA"
    return {
        "name": f"publishers/google/models/{model.id}",
        "versionId": "default",
        "launchStage": stage,
    }
