"""What a request says beside its messages, and beside how tokens are drawn.

Most requests say nothing of that, and then it is the same for all that go to one model. A new
parameter is a line in `_options_of`; one that is read for each request is a line in `sampling`, and
a name in `NO_OPTIONS`.
"""

import functools
from operator import attrgetter
from typing import NamedTuple

from service.models import Model
from service.schemas import gemini
from service.schemas.extensions import SafetySetting
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.defaults import Defaults
from service.translation.modalities import ask_for_modalities, ignored_outputs, refuse_modalities
from service.translation.native_tools import may_rest_on_sources, plan_tools
from service.translation.parameters import (
    ask_for_logprobs,
    ignored_extensions,
    ignored_logprobs,
    refuse_contradictions,
    to_cached_content,
    to_labels,
    to_service_tier,
)
from service.translation.reasoning import ReasoningField
from service.translation.safety import to_safety_settings
from service.translation.structured import ask_for_json
from service.translation.thinking import asked_to_think, shown_in, to_thinking_config
from service.translation.tool_names import ToolNames
from service.translation.tools import to_tools, tool_names

#: What is read for each request, and what changes no answer.
NO_OPTIONS = frozenset(
    {
        "messages", "model", "stream", "stream_options", "n",
        "max_completion_tokens", "max_tokens", "temperature", "top_p", "top_k", "stop", "seed",
        "presence_penalty", "frequency_penalty", "logit_bias",
        "metadata", "prediction", "prompt_cache_key", "safety_identifier", "store", "user",
        "verbosity",
    }
)  # fmt: skip
_said = attrgetter(
    *(name for name in ChatCompletionRequest.__struct_fields__ if name not in NO_OPTIONS)
)
_EMPTY = ChatCompletionRequest(messages=[])
_NOTHING = _said(_EMPTY)


class Options(NamedTuple):
    """What goes to Gemini, shared by requests; and what else follows from it."""

    #: Of the client's tools; None if there are none.
    names: ToolNames | None
    tools: list[gemini.Tool] | None
    tool_config: gemini.ToolConfig | None
    #: Without what is read for each request.
    generation_config: gemini.GenerationConfig
    safety_settings: list[SafetySetting] | None
    service_tier: str | None
    cached_content: str | None
    labels: dict[str, str] | None
    #: The client's names for what it will not get.
    ignored: list[str]
    #: Where it gets thoughts.
    reasoning: ReasoningField
    #: Whether the answer may rest on sources.
    may_cite: bool


def options_of(request: ChatCompletionRequest, model: Model, defaults: Defaults) -> Options:
    """Return them; raise `InvalidRequestError` for what makes no sense."""
    if _said(request) == _NOTHING:
        return _of_nothing(model, defaults)
    return _options_of(request, model, defaults)


@functools.lru_cache(maxsize=256)
def _of_nothing(model: Model, defaults: Defaults) -> Options:
    return _options_of(_EMPTY, model, defaults)


def _options_of(request: ChatCompletionRequest, model: Model, defaults: Defaults) -> Options:
    refuse_contradictions(request)
    refuse_modalities(request, model)
    names = tool_names(request)
    functions = to_tools(request, names, model)
    plan = plan_tools(request, model, defaults)
    tools, tool_config = plan.with_native(*functions)
    config = gemini.GenerationConfig(thinking_config=to_thinking_config(request, model, defaults))
    if plan.json:
        ask_for_json(config, request, model)
    ask_for_modalities(config, request, model)
    ask_for_logprobs(config, request, model)
    return Options(
        names=names if request.tools or request.functions else None,
        tools=tools,
        tool_config=tool_config,
        generation_config=config,
        safety_settings=to_safety_settings(request, defaults),
        service_tier=to_service_tier(request),
        cached_content=to_cached_content(request),
        labels=to_labels(request),
        ignored=[
            *ignored_outputs(request, model),
            *ignored_logprobs(request, model),
            *(asked_to_think(request) if model.thinking is None else ()),
            *ignored_extensions(request),
            *plan.left_out,
        ],
        reasoning=shown_in(request, defaults),
        may_cite=may_rest_on_sources(request, defaults),
    )
