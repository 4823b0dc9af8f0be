"""What any model is told about thinking, whatever the client says, is something that it takes."""

from typing import Any

import msgspec
import pytest

from service.api.requests import decode
from service.models import MODELS, find_model
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.defaults import Defaults
from service.translation.thinking import shown_in, to_thinking_config

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
BUDGETS = (-1, 0, 1, 127, 500, 9000, 10**6, 10**30)
LEVELS = ("minimal", "LOW", "medium", "HIGH", "xhigh", "THINKING_LEVEL_UNSPECIFIED")
ASKED: list[dict[str, Any]] = [
    *({"reasoning_effort": effort} for effort in EFFORTS),
    *({"reasoning": {"effort": effort}} for effort in EFFORTS),
    *({"thinking_budget": budget} for budget in BUDGETS),
    *({"google": {"thinking_config": {"thinking_level": level}}} for level in LEVELS),
    *(
        {
            "extra_body": {
                "google": {"thinkingConfig": {"thinkingBudget": b, "thinkingLevel": "LOW"}}
            }
        }
        for b in BUDGETS
    ),
    {"thinking": {"type": "adaptive"}},
    {"reasoning": {"enabled": False}},
]


def request(body: dict[str, Any]) -> ChatCompletionRequest:
    body = {"messages": [{"role": "user", "content": "Hi"}]} | body
    return decode(msgspec.json.encode(body), ChatCompletionRequest)


@pytest.mark.parametrize("name", [*(model.id for model in MODELS), "gemini-2.5-new", "gemini-9"])
@pytest.mark.parametrize("think", [False, True])
def test_no_model_is_told_what_it_refuses(name: str, *, think: bool) -> None:
    model = find_model(name)
    for body in ASKED:
        config = to_thinking_config(request(body), model, Defaults(think=think))
        if config is None:
            continue
        budget, level = config.thinking_budget, config.thinking_level
        assert model.thinking is not None
        if model.thinking == "level":
            assert (budget, level in {None, *model.levels}) == (None, True), body
        else:
            assert level is None, body
            off = budget == 0 and model.budget.can_be_off
            in_range = budget is not None and model.budget.least <= budget <= model.budget.most
            assert budget in {None, -1} or off or in_range, body


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({}, "both"),
        ({"include_reasoning": False}, "none"),
        ({"reasoning": {"exclude": True}}, "none"),
        ({"extra_body": {"include_reasoning": False}}, "none"),
        ({"include_reasoning": True}, "both"),
    ],
)
def test_a_client_may_keep_thoughts_away(body: dict[str, Any], shown: str) -> None:
    assert shown_in(request(body), Defaults(think=True)) == shown
