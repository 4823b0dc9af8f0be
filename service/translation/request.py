"""A chat completion request, in Gemini's words.

Everything in this package is a pure function of its arguments: no clock, no randomness, no
settings, no network. That is what lets a folder of JSON files be its test.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_media import Fetched
from service.translation.defaults import Defaults
from service.translation.media import MediaReader
from service.translation.messages import to_contents
from service.translation.modalities import refuse_modalities
from service.translation.native_tools import plan_tools
from service.translation.parameters import (
    refuse_contradictions,
    to_cached_content,
    to_generation_config,
    to_labels,
    to_service_tier,
)
from service.translation.safety import to_safety_settings
from service.translation.tools import to_tools, tool_names

_DEFAULTS = Defaults()
NOTHING: Mapping[str, Fetched] = MappingProxyType({})


def to_gemini(
    request: ChatCompletionRequest,
    model: Model,
    *,
    defaults: Defaults = _DEFAULTS,
    fetched: Mapping[str, Fetched] = NOTHING,
) -> gemini.GenerateContentRequest:
    """Translate a request; raise `InvalidRequestError` for one that makes no sense.

    Args:
        request: the client's.
        model: that will get it.
        defaults: the operator's.
        fetched: what `to_fetch` asked for, by its URL.

    """
    refuse_contradictions(request)
    refuse_modalities(request, model)
    names = tool_names(request)
    functions = to_tools(request, names, model)
    plan = plan_tools(request, model, defaults)
    tools, tool_config = plan.with_native(*functions)
    media = MediaReader(model, defaults, fetched)
    system, contents = to_contents(request.messages, model, names, media)
    if system is not None and not model.system:
        contents = as_if_said(system, contents)
        system = None
    return gemini.GenerateContentRequest(
        contents=contents,
        system_instruction=system,
        tools=tools,
        tool_config=tool_config,
        generation_config=to_generation_config(request, model, defaults, json=plan.json),
        safety_settings=to_safety_settings(request, defaults),
        service_tier=to_service_tier(request),
        cached_content=to_cached_content(request),
        labels=to_labels(request),
    )


def as_if_said(system: gemini.Content, contents: Sequence[gemini.Content]) -> list[gemini.Content]:
    """Put the system's words before the user's, who always begins."""
    first, *others = contents
    parts = [*(system.parts or []), *(first.parts or [])]
    return [gemini.Content(role="user", parts=parts), *others]
