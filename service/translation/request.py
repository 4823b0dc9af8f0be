"""A chat completion request, in Gemini's words.

Everything in this package is a pure function of its arguments: no clock, no randomness, no
settings, no network. That is what lets a folder of JSON files be its test.
"""

from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.defaults import Defaults
from service.translation.messages import to_contents
from service.translation.modalities import refuse_modalities
from service.translation.parameters import refuse_contradictions, to_generation_config
from service.translation.safety import to_safety_settings
from service.translation.tools import to_tools, tool_names

_DEFAULTS = Defaults()


def to_gemini(
    request: ChatCompletionRequest,
    model: Model,
    *,
    defaults: Defaults = _DEFAULTS,
) -> gemini.GenerateContentRequest:
    """Translate a request; raise `InvalidRequestError` for one that makes no sense."""
    refuse_contradictions(request)
    refuse_modalities(request, model)
    names = tool_names(request)
    tools, tool_config = to_tools(request, names)
    system, contents = to_contents(request.messages, model, names)
    return gemini.GenerateContentRequest(
        contents=contents,
        system_instruction=system,
        tools=tools,
        tool_config=tool_config,
        generation_config=to_generation_config(request, model, defaults),
        safety_settings=to_safety_settings(request, defaults),
    )
