"""What every endpoint that asks a model does first."""

from typing import Any

from litestar import Request

from service.errors import InvalidRequestError, ModelNotFoundError
from service.models import MODELS, Model, find_model, unaliased
from service.settings import Settings
from service.telemetry import annotate


def model_asked(name: str | None, settings: Settings) -> tuple[str, Model]:
    """Return the model's name as it goes back to the client, and the model.

    Raise `InvalidRequestError` if nobody named one, `ModelNotFoundError` if there is none.
    """
    name = name or settings.default_model
    if name is None:
        msg = "Missing required parameter: 'model'. GET /v1/models lists the ones there are."
        raise InvalidRequestError(msg, param="model", code="missing_required_parameter")
    model = find_chat_model(unaliased(name, settings.aliases))
    annotate(model_asked=model.id)
    return name, model


def wants_stream(
    said: bool | None,  # noqa: FBT001  (as it stands in the request)
    request: Request[Any, Any, Any],
    settings: Settings,
) -> bool:
    """Do as the request says; if it does not say, as it accepts; else as the operator set."""
    streams = _streams(request, settings) if said is None else said
    annotate(stream=streams)
    return streams


def _streams(request: Request[Any, Any, Any], settings: Settings) -> bool:
    accept = request.headers.get("accept", "")
    only_events = "text/event-stream" in accept and "application/json" not in accept
    return only_events or settings.stream_by_default


def find_chat_model(name: str) -> Model:
    """Return a model that is to say something; raise `ModelNotFoundError`."""
    model = find_model(name)
    if "embedding" in model.outputs:
        msg = f"The model '{model.id}' only makes embeddings. POST /v1/embeddings asks it for them."
        raise ModelNotFoundError(msg)
    return model


def find_image_model(name: str) -> Model:
    """Do the same for a model that is to draw."""
    try:
        model = find_model(name)
    except ModelNotFoundError:
        model = None
    if model is None or "image" not in model.outputs:
        ids = " and ".join(model.id for model in MODELS if "image" in model.outputs)
        msg = f"The model '{name[:100]}' does not draw. Try {ids}, or see GET /v1/models."
        raise ModelNotFoundError(msg)
    return model


def find_embedding_model(name: str) -> Model:
    """Do the same for a model that is to make embeddings."""
    try:
        model = find_model(name)
    except ModelNotFoundError:
        model = None
    if model is None or "embedding" not in model.outputs:
        ids = " and ".join(model.id for model in MODELS if "embedding" in model.outputs)
        msg = f"The model '{name[:100]}' does not make embeddings. Those that do are {ids}."
        raise ModelNotFoundError(msg)
    return model
