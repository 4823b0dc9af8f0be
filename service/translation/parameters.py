"""Sampling parameters, and the ones that cannot be honoured.

To pass on a new parameter, add its line to `to_generation_config` and a golden case.
"""

from collections.abc import Iterator

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_tools import Tool
from service.translation.defaults import Defaults
from service.translation.modalities import ask_for_modalities, ignored_outputs
from service.translation.structured import ask_for_json, is_json_refused
from service.translation.thinking import asked_to_think, places, to_thinking_config

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
    )
    if model.sampling:
        config.temperature = request.temperature
        config.top_p = request.top_p
        config.top_k = _top_k(request.top_k)
    ask_for_json(config, request, model)
    ask_for_modalities(config, request, model)
    if model.logprobs and request.logprobs:
        config.response_logprobs = True
        config.logprobs = request.top_logprobs or None
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


def ignored_params(request: ChatCompletionRequest, model: Model) -> list[str]:
    """Name what the client asked for and will not get. What changes no answer is not named."""
    names = [name for name in _CANNOT if getattr(request, name)]
    names += ignored_outputs(request, model)
    if not model.logprobs:
        names += [name for name in ("logprobs", "top_logprobs") if getattr(request, name)]
    if model.thinking is None:
        names += asked_to_think(request)
    names += _ignored_extensions(request)
    if not model.sampling:
        names += [name for name in _SAMPLING if getattr(request, name) is not None]
    if is_json_refused(request, model):
        names.append("response_format")
    if any(_is_native(tool) for tool in request.tools or []):
        names.append("tools")
    return sorted(names)


def _ignored_extensions(request: ChatCompletionRequest) -> Iterator[str]:
    for prefix, place in zip(("", "extra_body."), places(request), strict=False):
        if (google := place.google) is None:
            continue
        for name, value in (
            ("cached_content", google.cached_content or google.camel_cached),
            ("media_resolution", google.media_resolution or google.camel_media),
            ("thought_tag_marker", google.thought_tag_marker),
            ("tools", google.tools),
        ):
            if value:
                yield f"{prefix}google.{name}"


def _is_native(tool: Tool) -> bool:
    """Whether it is one of Gemini's own tools, which cannot be switched on yet."""
    return tool.type not in (None, "function", "custom") or (tool.function or tool.custom) is None


_SAMPLING = ("temperature", "top_p", "top_k")
_CANNOT = (
    "frequency_penalty",  # Google: "Penalty is not enabled for this model", from 2.5 on
    "logit_bias",
    "presence_penalty",
    "web_search_options",
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
    policy = request.moderation and request.moderation.policy
    if policy and any(rule and rule.mode == "block" for rule in (policy.input, policy.output)):
        yield (
            "A moderation policy that blocks cannot be kept here: Gemini has filters of its own.",
            "moderation",
            "unsupported_parameter",
        )
