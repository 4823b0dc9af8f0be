"""Whatever is asked for together, Google gets what it takes, and the client hears of the rest."""

from itertools import product
from typing import Any, cast

import msgspec
import pytest

from service.api.requests import decode
from service.models import MODELS, find_model
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.defaults import Defaults, NativeTools
from service.translation.native_tools import may_rest_on_sources
from service.translation.request import ignored_params, to_gemini
from tests.simulators.model_facts import BY_ID
from tests.simulators.rules import tools as rules
from tests.simulators.rules.ask import Ask
from tests.simulators.world import World

FUNCTION: dict[str, Any] = {"type": "function", "function": {"name": "f"}}
SEARCHES: list[dict[str, Any]] = [{}, {"web_search_options": {}}, {"enable_search": True}]
FORMATS: list[dict[str, Any]] = [{}, {"response_format": {"type": "json_object"}}]
FUNCTIONS: list[dict[str, Any]] = [
    {},
    {"functions": [{"name": "f"}]},
    *(
        {"tools": [FUNCTION], "tool_choice": choice}
        for choice in ("auto", "none", "required", {"type": "function", "function": {"name": "f"}})
    ),
    {"tools": [FUNCTION, {"google_search": {}}]},
]
OPERATORS = [
    NativeTools(on=on, search=True, url_context=True, first=first, by_request=by_request)
    for on, first, by_request in product((False, True), repeat=3)
]


@pytest.mark.parametrize("name", [model.id for model in MODELS if "text" in model.outputs])
def test_no_model_gets_together_what_it_refuses_together(name: str) -> None:
    model, facts = find_model(name), BY_ID[name]
    for search, format_, functions, native in product(SEARCHES, FORMATS, FUNCTIONS, OPERATORS):
        said = search | format_ | functions
        body = {"messages": [{"role": "user", "content": "Hi"}]} | said
        request = decode(msgspec.json.encode(body), ChatCompletionRequest)
        defaults = Defaults(native=native)
        sent = msgspec.json.decode(
            msgspec.json.encode(to_gemini(request, model, defaults=defaults))
        )
        ask = Ask(sent, facts, "code_assist", "generateContent", stream=False, world=_NO_WORLD)
        assert rules.combination_is_supported(ask) is None, said
        assert rules.choice_fits(ask) is None, said

        ignored = ignored_params(request, model, defaults)
        assert ("response_format" in ignored) == (
            bool(format_) != ("responseMimeType" in ask.config)
        )
        searches = bool(search) or functions == FUNCTIONS[-1]
        assert searches <= ("googleSearch" in ask.built_in_tools or bool(ignored)), said
        # A stream keeps its words for whatever may say on what they rest.
        assert bool(ask.built_in_tools) <= may_rest_on_sources(request, defaults), said
        can_call = bool(functions) and functions.get("tool_choice") != "none"
        named = {"functions", "tools"} & set(ignored)
        assert can_call <= (bool(ask.declarations) or bool(named)), said


_NO_WORLD = cast("World", None)  # these rules look at nothing but the request
