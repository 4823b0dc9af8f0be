"""Rules about the generation config and the request's other settings."""

from tests.simulators.model_facts import Budget, Levels
from tests.simulators.rules.ask import Ask

_DYNAMIC = -1
_MOST_CANDIDATES = 8
_MOST_STOP_SEQUENCES = 5


def response_schema_fits(ask: Ask) -> str | None:
    mime_type = ask.config.get("responseMimeType")
    if "responseSchema" in ask.config and "responseJsonSchema" in ask.config:
        return "Only one of response_schema and response_json_schema can be set."
    if "responseSchema" in ask.config and mime_type not in ("application/json", "text/x.enum"):
        return "Response schema needs a response mime type of application/json or text/x.enum."
    if "responseJsonSchema" in ask.config and mime_type != "application/json":
        return "Response JSON schema needs the response mime type application/json."
    if mime_type not in (None, "text/plain", "application/json", "text/x.enum"):
        return f"Unsupported response mime type: {mime_type}"
    return None


def thinking_is_possible(ask: Ask) -> str | None:
    thinking = ask.config.get("thinkingConfig", {})
    budget, level = thinking.get("thinkingBudget"), thinking.get("thinkingLevel")
    if budget is not None and level is not None:
        return "You can only set one of thinking budget and thinking level."
    if ask.model.unruly or (budget is None and level is None):
        return None
    match ask.model.thinking:
        case None:
            return "Thinking is not enabled for this model."
        case Levels(allowed):
            if level is not None and level not in allowed:
                return f"Thinking level {level} is not supported for this model."
            return None  # a budget is tolerated, for compatibility
        case Budget() as limits:
            if level is not None:
                return "Thinking level is not supported for this model."
            return _budget_fault(ask, budget, limits)


def _budget_fault(ask: Ask, budget: int, limits: Budget) -> str | None:
    if budget == 0 and limits.can_be_off:
        return None
    if budget == 0 and ask.upstream == "code_assist":
        return "The model does not support setting thinking_budget to 0."
    if budget == 0 and ask.upstream == "vertex":
        return (
            "Unable to submit request because Thinking can't be disabled for this model. "
            "Remove 'thinking_config.thinking_budget' from your request."
        )
    if budget == 0:
        return "Budget 0 is invalid. This model only works in thinking mode."
    if budget != _DYNAMIC and not limits.least <= budget <= limits.most:
        return f"The thinking budget ({budget}) is invalid."
    return None


def candidates_are_possible(ask: Ask) -> str | None:
    count = ask.config.get("candidateCount", 1)
    if not 1 <= count <= _MOST_CANDIDATES:
        return _out_of_range("candidateCount", count, 1, _MOST_CANDIDATES + 1)
    if count > 1 and ask.stream:
        return "Multiple candidates are not supported when streaming."
    if count > 1 and not ask.model.unruly and ask.model.generation >= (3, 0):
        return "Multiple candidates is not enabled for this model"
    return None


def penalties_are_possible(ask: Ask) -> str | None:
    asked = ask.config.get("presencePenalty", 0) or ask.config.get("frequencyPenalty", 0)
    if asked and not ask.model.unruly and ask.model.generation >= (2, 5):
        return "Penalty is not enabled for this model"
    return None


def numbers_are_in_range(ask: Ask) -> str | None:
    most_tokens = 65535 if ask.is_vertex_shaped else 65536
    whole_numbers = (("maxOutputTokens", 1, most_tokens + 1), ("topK", 1, 65), ("logprobs", 0, 21))
    for name, least, bound in whole_numbers:
        value = ask.config.get(name)
        if value is not None and not least <= value < bound:
            return _out_of_range(name, value, least, bound)
    for name, most in (("temperature", 2), ("topP", 1)):
        value = ask.config.get(name)
        if value is not None and not 0 <= value <= most:
            return (
                f"* GenerateContentRequest.generation_config.{name}: "
                f"must be in the range [0.0, {most}.0]."
            )
    if len(ask.config.get("stopSequences", [])) > _MOST_STOP_SEQUENCES:
        return f"* stop_sequences: at most {_MOST_STOP_SEQUENCES} stop sequences are supported."
    return None


def _out_of_range(name: str, value: float, least: int, bound: int) -> str:
    return (
        f"Unable to submit request because it has a {name} value of {value:g} but the supported "
        f"range is from {least} (inclusive) to {bound} (exclusive). Update the value and try again."
    )


def safety_categories_are_distinct(ask: Ask) -> str | None:
    categories = [setting.get("category") for setting in ask.request.get("safetySettings", [])]
    for at, category in enumerate(categories):
        if category in categories[:at]:
            return f"Duplicate safety setting for category {category}."
    if "modelArmorConfig" in ask.request and categories:
        return "Safety settings and model armor config cannot be used together."
    return None


def nothing_is_cached(ask: Ask) -> str | None:
    if ask.upstream == "code_assist" and "cachedContent" in ask.request:
        return "Request contains an invalid argument."
    return None
