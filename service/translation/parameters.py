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
from service.translation.native_tools import plan_tools
from service.translation.resolution import for_all
from service.translation.structured import ask_for_json
from service.translation.thinking import asked_to_think, places, to_thinking_config

_DEFAULTS = Defaults()
_STOP_MAX = 5  # OpenAI documents four; Gemini takes five
_TOP_K_MAX = 64  # Google's range ends there, see upstream's "supported range is from 1"


def to_generation_config(
    request: ChatCompletionRequest, model: Model, defaults: Defaults
) -> gemini.GenerationConfig | None:
    """Return what Gemini should be told, or None if the client said nothing about it."""
    config = gemini.GenerationConfig(
        max_output_tokens=_max_output_tokens(request, model),
        stop_sequences=_stop_sequences(request.stop),
        # Gemini takes an int32, OpenAI's clients send up to 64 bits.
        seed=None if request.seed is None else request.seed % 2**31,
        thinking_config=to_thinking_config(request, model, defaults),
        media_resolution=for_all(request, model),
    )
    if model.sampling:
        config.temperature = request.temperature
        config.top_p = request.top_p
        config.top_k = _top_k(request.top_k)
    if plan_tools(request, model, defaults).json:
        ask_for_json(config, request, model)
    return None if config == _NOTHING else config


_NOTHING = gemini.GenerationConfig()


def _max_output_tokens(request: ChatCompletionRequest, model: Model) -> int | None:
    limit = request.max_completion_tokens or request.max_tokens
    if limit is None or model.max_output_tokens is None:
        return limit
    return min(limit, model.max_output_tokens)


def _stop_sequences(stop: str | list[str | None] | None) -> list[str] | None:
    given = [stop] if isinstance(stop, str) else stop or []
    return [text for text in given if text] or None


def _top_k(top_k: int | None) -> int | None:
    """Zero and below mean "no limit" to other servers, which is what leaving it out means here."""
    return None if top_k is None or top_k < 1 else min(top_k, _TOP_K_MAX)


def ignored_params(
    request: ChatCompletionRequest, model: Model, defaults: Defaults = _DEFAULTS
) -> list[str]:
    """Name what the client asked for and will not get. What changes no answer is not named."""
    names = [name for name in _CANNOT if getattr(request, name)]
    if model.thinking is None:
        names += asked_to_think(request)
    names += _ignored_extensions(request)
    if not model.sampling:
        names += [name for name in _SAMPLING if getattr(request, name) is not None]
    names += plan_tools(request, model, defaults).left_out
    return sorted(names)


def ignored_params_of(left_out: Iterable[str]) -> list[str]:
    """Return the client's names for fields that an upstream did not take, as Google names them."""
    return [_CLIENTS_NAMES.get(field) or _snake_case(field) for field in left_out]


_CLIENTS_NAMES = {
    "cachedContent": "google.cached_content",
    "safetySettings.method": "safety_settings.method",
}


def _snake_case(field: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", field)


def _ignored_extensions(request: ChatCompletionRequest) -> Iterator[str]:
    for prefix, place in zip(("", "extra_body."), places(request), strict=False):
        if place.google is not None and place.google.thought_tag_marker:
            yield f"{prefix}google.thought_tag_marker"


def to_cached_content(request: ChatCompletionRequest) -> str | None:
    """Return the name of content that Google keeps for the client, where it gives one."""
    given = [place.google for place in places(request) if place.google is not None]
    names = [google.cached_content or google.camel_cached for google in given]
    return next((name for name in names if name), None)


_SAMPLING = ("temperature", "top_p", "top_k")
_CANNOT = (
    "audio",
    "frequency_penalty",  # Google: "Penalty is not enabled for this model", from 2.5 on
    "image_config",
    "logit_bias",
    "logprobs",
    "presence_penalty",
    "top_logprobs",
)


def refuse_contradictions(request: ChatCompletionRequest) -> None:
    """Raise `InvalidRequestError` for what the types allow and no answer could satisfy."""
    for message, param, code in _contradictions(request):
        raise InvalidRequestError(message, param=param, code=code)


def _contradictions(
    request: ChatCompletionRequest,
) -> Iterator[tuple[str, str, str]]:
    if len(_stop_sequences(request.stop) or []) > _STOP_MAX:
        yield f"At most {_STOP_MAX} stop sequences can be given.", "stop", "array_above_max_length"
    if request.top_logprobs is not None and not request.logprobs:
        yield "top_logprobs needs logprobs to be true.", "top_logprobs", "invalid_value"
    if unknown := [name for name in request.modalities or [] if name != "text"]:
        yield (
            f"This model answers in text only, not in: {', '.join(unknown)}.",
            "modalities",
            "unsupported_value",
        )
    policy = request.moderation and request.moderation.policy
    if policy and any(rule and rule.mode == "block" for rule in (policy.input, policy.output)):
        yield (
            "A moderation policy that blocks cannot be kept here: Gemini has filters of its own.",
            "moderation",
            "unsupported_parameter",
        )
