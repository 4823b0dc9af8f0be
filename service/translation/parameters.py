"""Sampling parameters, and the ones that cannot be honoured.

To pass on a new parameter, add its line to `to_generation_config` and a golden case.
"""

from collections.abc import Iterator

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.defaults import Defaults
from service.translation.modalities import ask_for_modalities, ignored_outputs
from service.translation.native_tools import plan_tools
from service.translation.resolution import for_all
from service.translation.sampling import ignored_sampling, to_sampling
from service.translation.structured import ask_for_json
from service.translation.thinking import asked_to_think, places, to_thinking_config

_DEFAULTS = Defaults()


def to_generation_config(
    request: ChatCompletionRequest, model: Model, defaults: Defaults
) -> gemini.GenerationConfig | None:
    """Return what Gemini should be told, or None if the client said nothing about it."""
    limit = request.max_completion_tokens or request.max_tokens
    config = to_sampling(request, model, limit)
    config.thinking_config = to_thinking_config(request, model, defaults)
    config.media_resolution = for_all(request, model)
    if plan_tools(request, model, defaults).json:
        ask_for_json(config, request, model)
    ask_for_modalities(config, request, model)
    if model.logprobs and request.logprobs:
        config.response_logprobs = True
        config.logprobs = request.top_logprobs or None
    return None if config == _NOTHING else config


_NOTHING = gemini.GenerationConfig()


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
    if not model.logprobs:
        names += [name for name in ("logprobs", "top_logprobs") if getattr(request, name)]
    if model.thinking is None:
        names += asked_to_think(request)
    names += _ignored_extensions(request)
    names += plan_tools(request, model, defaults).left_out
    if strict and any(tool.custom for tool in request.tools or []):
        names.append("tools")
    return sorted(names)


def _ignored_extensions(request: ChatCompletionRequest) -> Iterator[str]:
    for prefix, place in zip(("", "extra_body."), places(request), strict=False):
        if (google := place.google) is None:
            continue
        for name, value in (
            ("cached_content", google.cached_content or google.camel_cached),
            ("thought_tag_marker", google.thought_tag_marker),
        ):
            if value:
                yield f"{prefix}google.{name}"


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
