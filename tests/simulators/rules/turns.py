"""Rules about how the turns of a conversation follow each other."""

from itertools import pairwise

from tests.simulators.rules.ask import Ask, Json, members, role

_COUNT = (
    "Please ensure that the number of function response parts is equal to the number of function "
    "call parts of the function call turn."
)
_ORDER = (
    "Please ensure that function response turn comes immediately after a function call turn. "
    "The responses must be in the order of the calls and bear their names."
)


def calls_follow_the_user(ask: Ask) -> str | None:
    for before, content in pairwise(ask.contents):
        if members(content, "functionCall") and role(before) != "user":
            return (
                "Please ensure that function call turn comes immediately after a user turn or "
                "after a function response turn."
            )
    return None


def responses_match_calls(ask: Ask) -> str | None:
    """As many responses as calls, in the next user turn, in the order of the calls."""
    nothing: Json = {}
    for content, after in pairwise([nothing, *ask.contents, nothing]):
        calls = members(content, "functionCall")
        responses = members(after, "functionResponse")
        if len(calls) != len(responses):
            return _COUNT if calls else _ORDER
        for call, response in zip(calls, responses, strict=True):
            ids = call.get("id"), response.get("id")
            contradicts = all(ids) or ask.model.refuses_prefill
            if call.get("name") != response.get("name") or (contradicts and ids[0] != ids[1]):
                return _ORDER
        if calls and role(after) != "user":
            return _ORDER
    return None


def calls_are_signed(ask: Ask) -> str | None:
    """Gemini 3 wants each step's first call signed, since the user last spoke."""
    if not ask.model.signs_calls:
        return None
    spoken = [at for at, content in enumerate(ask.contents) if _speaks(content)]
    since = spoken[-1] if spoken else 0
    for position, content in enumerate(ask.contents[since:], since):
        first = next((part for part in content.get("parts", []) if "functionCall" in part), None)
        if role(content) == "model" and first is not None and not first.get("thoughtSignature"):
            name = first["functionCall"].get("name")
            return (
                "Function call is missing a thought_signature in functionCall parts. This is "
                "required for tools to work correctly, and missing thought_signature may lead to "
                "degraded model performance. Additional data, function call "
                f"`default_api:{name}` , position {position + 1}. Please refer to "
                "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
            )
    return None


def _speaks(content: Json) -> bool:
    has_text = any(part.get("text") for part in content.get("parts", []))
    return role(content) == "user" and has_text and not members(content, "functionResponse")


def user_ends(ask: Ask) -> str | None:
    """From Gemini 3.6 on, the model's turn cannot be begun for it."""
    last = ask.contents[-1]
    says_something = any(part.get("text") != "" for part in last["parts"])
    if ask.model.refuses_prefill and role(last) == "model" and says_something:
        return "Requests that end with a model turn are not supported by this model."
    return None
