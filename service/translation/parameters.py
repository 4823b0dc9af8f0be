"""Sampling parameters, and the ones that cannot be honoured.

To pass on a new parameter, add its line to `to_generation_config` and a golden case.
"""

from collections.abc import Iterator

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_tools import Tool

_STOP_MAX = 5  # OpenAI documents four; Gemini takes five
_TOP_K_MAX = 64  # Google's range ends there, see upstream's "supported range is from 1"


def to_generation_config(
    request: ChatCompletionRequest, model: Model
) -> gemini.GenerationConfig | None:
    """Return what Gemini should be told, or None if the client said nothing about it."""
    config = gemini.GenerationConfig(
        max_output_tokens=_max_output_tokens(request, model),
        stop_sequences=_stop_sequences(request.stop),
        # Gemini takes an int32, OpenAI's clients send up to 64 bits.
        seed=None if request.seed is None else request.seed % 2**31,
    )
    if model.sampling:
        config.temperature = request.temperature
        config.top_p = request.top_p
        config.top_k = _top_k(request.top_k)
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
    names += [name for name in _SAYS_BY_BEING_THERE if getattr(request, name) is not None]
    if not model.sampling:
        names += [name for name in _SAMPLING if getattr(request, name) is not None]
    if request.response_format and request.response_format.type != "text":
        names.append("response_format")
    if any(_is_native(tool) for tool in request.tools or []):
        names.append("tools")
    return sorted(names)


def _is_native(tool: Tool) -> bool:
    """Whether it is one of Gemini's own tools, which cannot be switched on yet."""
    return tool.type not in (None, "function", "custom") or (tool.function or tool.custom) is None


_SAYS_BY_BEING_THERE = ("include_reasoning", "thinking_budget")  # false and 0 ask for something
_SAMPLING = ("temperature", "top_p", "top_k")
_CANNOT = (
    "audio",
    "extra_body",
    "frequency_penalty",  # Google: "Penalty is not enabled for this model", from 2.5 on
    "google",
    "image_config",
    "logit_bias",
    "logprobs",
    "presence_penalty",
    "reasoning",
    "reasoning_effort",
    "safety_settings",
    "thinking",
    "top_logprobs",
    "web_search_options",
)


def refuse_contradictions(request: ChatCompletionRequest, *, streams: bool) -> None:
    """Raise `InvalidRequestError` for what the types allow and no answer could satisfy."""
    for message, param, code in _contradictions(request, streams=streams):
        raise InvalidRequestError(message, param=param, code=code)


def _contradictions(
    request: ChatCompletionRequest, *, streams: bool
) -> Iterator[tuple[str, str, str]]:
    if len(_stop_sequences(request.stop) or []) > _STOP_MAX:
        yield f"At most {_STOP_MAX} stop sequences can be given.", "stop", "array_above_max_length"
    if request.top_logprobs is not None and not request.logprobs:
        yield "top_logprobs needs logprobs to be true.", "top_logprobs", "invalid_value"
    if streams and (request.n or 1) > 1:
        yield (
            "Several choices (n) cannot be streamed yet: ask without stream, or for one choice.",
            "n",
            "unsupported_value",
        )
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
