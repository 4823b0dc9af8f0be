"""The parameters that every endpoint with a model has: how tokens are drawn, and when to stop."""

from typing import Protocol

from msgspec import structs

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini

_STOP_MAX = 5  # OpenAI documents four; Gemini takes five
_TOP_K_MAX = 64  # Google's range ends there, see upstream's "supported range is from 1"

_SAMPLING = ("temperature", "top_p", "top_k")
_CANNOT = (
    "frequency_penalty",  # Google: "Penalty is not enabled for this model", from 2.5 on
    "logit_bias",
    "presence_penalty",
)


NO_CONFIG = gemini.GenerationConfig()


class Sampled(Protocol):
    """A request of any endpoint."""

    temperature: float | None
    top_p: float | None
    top_k: int | None
    stop: str | list[str | None] | None
    seed: int | None
    presence_penalty: float | None
    frequency_penalty: float | None
    logit_bias: dict[str, float | None] | None


def to_sampling(
    request: Sampled,
    model: Model,
    limit: int | None,
    options: gemini.GenerationConfig = NO_CONFIG,
) -> gemini.GenerationConfig:
    """Return what Gemini should be told, beside what the options are; `limit` is of tokens.

    Raise `InvalidRequestError` for more stop sequences than Gemini takes.
    """
    config = structs.replace(options)
    config.max_output_tokens = _max_output_tokens(limit, model)
    config.stop_sequences = _stop_sequences(request.stop)
    if request.seed is not None:
        config.seed = request.seed % 2**31  # Gemini takes an int32, OpenAI's clients send 64 bits
    if model.sampling:
        config.temperature = request.temperature
        config.top_p = request.top_p
        config.top_k = _top_k(request.top_k)
    return config


def ignored_sampling(request: Sampled, model: Model) -> list[str]:
    """Name what the client will not get."""
    names = [name for name in _CANNOT if getattr(request, name)]
    if not model.sampling:
        names += [name for name in _SAMPLING if getattr(request, name) is not None]
    return names


def _max_output_tokens(limit: int | None, model: Model) -> int | None:
    if limit is None or model.max_output_tokens is None:
        return limit
    return min(limit, model.max_output_tokens)


def _stop_sequences(stop: str | list[str | None] | None) -> list[str] | None:
    if not stop:
        return None
    given = [text for text in ([stop] if isinstance(stop, str) else stop) if text]
    if len(given) > _STOP_MAX:
        msg = f"At most {_STOP_MAX} stop sequences can be given."
        raise InvalidRequestError(msg, param="stop", code="array_above_max_length")
    return given or None


def _top_k(top_k: int | None) -> int | None:
    """Zero and below mean "no limit" to other servers, which is what leaving it out means here."""
    return None if top_k is None or top_k < 1 else min(top_k, _TOP_K_MAX)
