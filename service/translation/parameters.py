"""Sampling parameters, and the ones that cannot be honoured.

To pass on a new parameter, add its line to `to_generation_config` and a golden case.
"""

import re
from collections.abc import Iterable, Iterator

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.defaults import Defaults
from service.translation.extensions import places, prefix_of
from service.translation.modalities import ask_for_modalities, ignored_outputs
from service.translation.native_tools import plan_tools
from service.translation.resolution import for_all
from service.translation.sampling import ignored_sampling, to_sampling
from service.translation.structured import ask_for_json
from service.translation.thinking import asked_to_think, to_thinking_config

_DEFAULTS = Defaults()


def to_generation_config(
    request: ChatCompletionRequest, model: Model, defaults: Defaults, *, json: bool
) -> gemini.GenerationConfig | None:
    """Return what Gemini should be told, or None if the client said nothing about it.

    With `json`, beside the tools that are sent, an answer in JSON may be asked for.
    """
    limit = request.max_completion_tokens or request.max_tokens
    config = to_sampling(request, model, limit)
    config.thinking_config = to_thinking_config(request, model, defaults)
    config.media_resolution = for_all(request, model)
    if json:
        ask_for_json(config, request, model)
    ask_for_modalities(config, request, model)
    if request.logprobs and _tells_logprobs(model):
        config.response_logprobs = True
        config.logprobs = request.top_logprobs or None
    return None if config == _NOTHING else config


_NOTHING = gemini.GenerationConfig()


def _tells_logprobs(model: Model) -> bool:
    """Whether it may: the rest is a matter of the upstream, which leaves the request out."""
    return model.outputs == ("text",)


def ignored_params(
    request: ChatCompletionRequest,
    model: Model,
    defaults: Defaults = _DEFAULTS,
    *,
    strict: bool = False,
) -> list[str]:
    """Name what the client asked for and will not get. What changes no answer is not named.

    With `strict` what we can only imitate counts as well.
    """
    names = [*ignored_sampling(request, model), *ignored_outputs(request, model)]
    if not _tells_logprobs(model):
        names += [name for name in ("logprobs", "top_logprobs") if getattr(request, name)]
    if model.thinking is None:
        names += asked_to_think(request)
    names += _ignored_extensions(request)
    names += plan_tools(request, model, defaults).left_out
    if strict and any(tool.custom for tool in request.tools or []):
        names.append("tools")
    return sorted(names)


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


def _ignored_extensions(request: ChatCompletionRequest) -> Iterator[str]:
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
