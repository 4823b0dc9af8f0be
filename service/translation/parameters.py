"""Parameters that most requests do not have, in Gemini's words: what `options` is made of."""

import re
from collections.abc import Iterable, Iterator

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.extensions import places, prefix_of


def ask_for_logprobs(
    config: gemini.GenerationConfig, request: ChatCompletionRequest, model: Model
) -> None:
    """Say so in the configuration, where the client wants them and the model can tell."""
    if request.logprobs and _tells_logprobs(model):
        config.response_logprobs = True
        config.logprobs = request.top_logprobs or None


def ignored_logprobs(request: ChatCompletionRequest, model: Model) -> list[str]:
    """Name what the client says of them to a model that cannot tell."""
    if _tells_logprobs(model):
        return []
    return [name for name in ("logprobs", "top_logprobs") if getattr(request, name)]


def _tells_logprobs(model: Model) -> bool:
    """Whether it may: the rest is a matter of the upstream, which leaves the request out."""
    return model.outputs == ("text",)


def ignored_params_of(left_out: Iterable[str]) -> list[str]:
    """Return the client's names for fields that an upstream did not take, as Google names them."""
    return [_CLIENTS_NAMES.get(field) or _snake_case(field) for field in left_out]


_CLIENTS_NAMES = {
    "cachedContent": "google.cached_content",
    "labels": "google.labels",
    "safetySettings.method": "safety_settings.method",
    "generationConfig.imageConfig": "image_config",
    "generationConfig.responseLogprobs": "logprobs",
    "generationConfig.logprobs": "top_logprobs",
}


def _snake_case(field: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", field)


def ignored_extensions(request: ChatCompletionRequest) -> Iterator[str]:
    for place in places(request):
        if place.google is not None and place.google.thought_tag_marker:
            yield f"{prefix_of(place, request)}google.thought_tag_marker"


def to_cached_content(request: ChatCompletionRequest) -> str | None:
    """Return the name of content that Google keeps for the client, where it gives one."""
    for place in places(request):
        if google := place.google:
            name = google.cached_content or google.camel_cached
            if name:
                return name
    return None


def to_labels(request: ChatCompletionRequest) -> dict[str, str] | None:
    """Return what Google shall write on the bill beside the request, where the client says so."""
    for place in places(request):
        if place.google and place.google.labels:
            return place.google.labels
    return None


def to_service_tier(request: ChatCompletionRequest) -> str | None:
    """Return the tiers that Google sells, too; the others change no answer."""
    return request.service_tier if request.service_tier in ("flex", "priority") else None


def refuse_contradictions(request: ChatCompletionRequest) -> None:
    """Raise `InvalidRequestError` for what the types allow and no answer could satisfy."""
    for message, param, code in _contradictions(request):
        raise InvalidRequestError(message, param=param, code=code)


def _contradictions(
    request: ChatCompletionRequest,
) -> Iterator[tuple[str, str, str]]:
    wanted = request.response_format
    if wanted and wanted.type == "json_schema" and wanted.json_schema is None:
        param = "response_format.json_schema"
        yield f"Missing required parameter: '{param}'.", param, "missing_required_parameter"
    if request.top_logprobs is not None and not request.logprobs:
        yield "top_logprobs needs logprobs to be true.", "top_logprobs", "invalid_value"
    policy = request.moderation and request.moderation.policy
    if policy and any(rule and rule.mode == "block" for rule in (policy.input, policy.output)):
        yield (
            "A moderation policy that blocks cannot be kept here: Gemini has filters of its own.",
            "moderation",
            "unsupported_parameter",
        )
