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
from service.translation.options import Options, options_of
from service.translation.resolution import for_all
from service.translation.sampling import NO_CONFIG, ignored_sampling, to_sampling
from service.translation.tool_names import ToolNames

_DEFAULTS = Defaults()
NOTHING: Mapping[str, Fetched] = MappingProxyType({})


def to_gemini(
    request: ChatCompletionRequest,
    model: Model,
    *,
    defaults: Defaults = _DEFAULTS,
    fetched: Mapping[str, Fetched] = NOTHING,
    options: Options | None = None,
) -> gemini.GenerateContentRequest:
    """Translate a request; raise `InvalidRequestError` for one that makes no sense.

    Args:
        request: the client's.
        model: that will get it.
        defaults: the operator's.
        fetched: what `to_fetch` asked for, by its URL.
        options: the request's for this model, where the caller has them.

    """
    options = options or options_of(request, model, defaults)
    media = MediaReader(model, defaults, fetched)
    names = options.names or ToolNames()
    system, contents = to_contents(request.messages, model, names, media)
    if system is not None and not model.system:
        contents = as_if_said(system, contents)
        system = None
    limit = request.max_completion_tokens or request.max_tokens
    config = to_sampling(request, model, limit, options.generation_config)
    config.media_resolution = for_all(request, model)
    return gemini.GenerateContentRequest(
        contents=contents,
        system_instruction=system,
        tools=options.tools,
        tool_config=options.tool_config,
        generation_config=None if config == NO_CONFIG else config,
        safety_settings=options.safety_settings,
        service_tier=options.service_tier,
        cached_content=options.cached_content,
        labels=options.labels,
    )


def ignored_params(
    request: ChatCompletionRequest,
    model: Model,
    defaults: Defaults = _DEFAULTS,
    *,
    strict: bool = False,
    options: Options | None = None,
) -> list[str]:
    """Name what the client asked for and will not get. What changes no answer is not named.

    With `strict` what we can only imitate counts as well. `options` are as in `to_gemini`.
    """
    options = options or options_of(request, model, defaults)
    names = ignored_sampling(request, model) + options.ignored
    if strict and any(tool.custom for tool in request.tools or []):
        names.append("tools")
    return sorted(names)


def as_if_said(system: gemini.Content, contents: Sequence[gemini.Content]) -> list[gemini.Content]:
    """Put the system's words before the user's, who always begins."""
    first, *others = contents
    parts = [*(system.parts or []), *(first.parts or [])]
    return [gemini.Content(role="user", parts=parts), *others]
