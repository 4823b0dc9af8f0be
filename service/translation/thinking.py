"""How much a model shall think, and whether it shall say what it thought.

Clients ask in five dialects. A number of tokens or a level that is named outright beats an effort;
what a model measures otherwise is put in its own terms.
"""

from collections.abc import Iterator
from typing import NamedTuple

from service.models import LEVELS, Model
from service.schemas import gemini
from service.schemas.extensions import Effort, Extended
from service.translation.defaults import Defaults
from service.translation.extensions import places, prefix_of
from service.translation.reasoning import ReasoningField

_DYNAMIC = -1
#: Google's own numbers for OpenAI's efforts; none and the two highest are the model's limits.
_BUDGETS = {"MINIMAL": 1024, "LOW": 1024, "MEDIUM": 8192, "HIGH": 24_576}


class _Asked(NamedTuple):
    """What one place of the request says; None is nothing."""

    budget: int | None = None
    level: str | None = None
    effort: Effort | None = None
    thoughts: bool | None = None


def to_thinking_config(
    request: Extended, model: Model, defaults: Defaults
) -> gemini.ThinkingConfig | None:
    """Return what Gemini should be told, or None if there is nothing to say."""
    if model.thinking is None:
        return None
    asked = list(_asked(request))
    if not asked:
        wanted = defaults.think and shown_in(request, defaults) != "none"
        return gemini.ThinkingConfig(include_thoughts=True) if wanted else None
    explicit = next((one for one in asked if one.budget is not None or one.level), None)
    effort = next((one.effort for one in asked if one.effort), None)
    config = gemini.ThinkingConfig()
    if explicit is not None:
        _explicit(config, model, explicit)
    elif effort is not None:
        _effort(config, model, effort)
    off = effort == "none" if explicit is None else explicit.budget == 0
    config.include_thoughts = False if off else _wants_thoughts(request, asked, defaults)
    return None if config == _NOTHING else config


_NOTHING = gemini.ThinkingConfig()


def shown_in(request: Extended, defaults: Defaults) -> ReasoningField:
    """Return where this client gets thoughts."""
    for place in places(request):
        if (
            place.include_reasoning is False
            or (place.google and place.google.include_reasoning is False)
            or (place.reasoning and place.reasoning.exclude)
        ):
            return "none"
    return defaults.reasoning


def asked_to_think(request: Extended) -> list[str]:
    """Name the parameters with which the client asks for thinking."""
    names = []
    if request.reasoning_effort not in (None, "none"):
        names.append("reasoning_effort")
    for place in places(request):
        prefix = prefix_of(place, request)
        names += [
            prefix + name
            for name in ("thinking", "thinking_budget", "reasoning")
            if getattr(place, name) is not None
        ]
        if place.google and (place.google.thinking_config or place.google.camel_thinking):
            names.append(f"{prefix}google.thinking_config")
        if place.google and place.google.thinking_budget is not None:
            names.append(f"{prefix}google.thinking_budget")
    return names


def _asked(request: Extended) -> Iterator[_Asked]:
    for place in places(request):
        google = place.google and (place.google.thinking_config or place.google.camel_thinking)
        if google:
            yield _Asked(google.budget, google.level, thoughts=google.include)
        if place.google and place.google.thinking_budget is not None:
            yield _Asked(place.google.thinking_budget, thoughts=True)
        if place.thinking_budget is not None:
            yield _Asked(place.thinking_budget, thoughts=True)
        if place.thinking is not None:
            off = place.thinking.type == "disabled"
            budget = None if off else place.thinking.budget_tokens
            yield _Asked(budget, effort="none" if off else None, thoughts=not off)
        if place.reasoning is not None:
            off = place.reasoning.enabled is False
            effort = "none" if off else place.reasoning.effort
            yield _Asked(place.reasoning.max_tokens, effort=effort, thoughts=effort != "none")
        if place.include_reasoning or (place.google and place.google.include_reasoning):
            yield _Asked(thoughts=True)
    if request.reasoning_effort is not None:
        effort = request.reasoning_effort
        yield _Asked(effort=effort, thoughts=effort != "none")


def _wants_thoughts(request: Extended, asked: list[_Asked], defaults: Defaults) -> bool | None:
    """Return whether the client gets thoughts; None is for no, where the client has not said it."""
    if shown_in(request, defaults) == "none":
        return None
    said = next((one.thoughts for one in asked if one.thoughts is not None), None)
    return (defaults.think or None) if said is None else said


def _explicit(config: gemini.ThinkingConfig, model: Model, asked: _Asked) -> None:
    if model.thinking == "level":
        if asked.level:
            config.thinking_level = _nearest(model, asked.level)
        elif asked.budget is not None and asked.budget != _DYNAMIC:
            config.thinking_level = _nearest(model, _level_of(asked.budget))
    elif asked.budget is not None:
        config.thinking_budget = _clamp(model, asked.budget)
    elif asked.level:
        budget = _BUDGETS.get(asked.level, model.budget.most)
        config.thinking_budget = _clamp(model, budget)


def _effort(config: gemini.ThinkingConfig, model: Model, effort: Effort) -> None:
    if model.thinking == "level":
        level = {"none": "MINIMAL", "max": "XHIGH"}.get(effort, effort.upper())
        config.thinking_level = _nearest(model, level)
    else:
        budget = 0 if effort == "none" else _BUDGETS.get(effort.upper(), model.budget.most)
        config.thinking_budget = _clamp(model, budget)


def _nearest(model: Model, level: str) -> str:
    """Return the level, or the next higher one that the model has, or its highest."""
    least = LEVELS.index(level)
    return next((one for one in model.levels if LEVELS.index(one) >= least), model.levels[-1])


def _level_of(budget: int) -> str:
    if budget == 0:
        return "MINIMAL"
    return next((level for level in LEVELS[1:-1] if budget <= _BUDGETS[level]), "HIGH")


def _clamp(model: Model, budget: int) -> int:
    if budget == _DYNAMIC or (budget == 0 and model.budget.can_be_off):
        return budget
    return min(max(budget, model.budget.least), model.budget.most)
