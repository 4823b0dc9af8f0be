"""Gemini's own tools: who switches them on, and what they can stand beside.

Up to 2.5 Google refuses them together with functions or with JSON. What then stays is decided here,
and so is what the client must be told of.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_tools import Tool
from service.translation.defaults import Defaults, NativeTools
from service.translation.extensions import places, prefix_of
from service.translation.structured import wants_json
from service.translation.tools import chosen_mode, is_legacy

Options = dict[str, Any]

#: The tools that Gemini runs by itself, by the names that clients give them.
_KINDS = (
    ("google_search", re.compile(r"googlesearch(retrieval)?|websearch(preview)?\d*")),
    ("google_maps", re.compile("googlemaps")),
    ("url_context", re.compile("urlcontext")),
    ("code_execution", re.compile("codeexecution")),
)
#: The ones whose options Google knows. A retrieval's are of an older tool.
_WITH_OPTIONS = re.compile("google(search|maps)")


class _Wish(NamedTuple):
    """One thing that the client says of native tools."""

    name: str  # as the client wrote it
    kind: str  # empty for a tool that is not known here
    on: bool = True
    options: Options = {}


class ToolPlan(NamedTuple):
    """What of all that was asked for goes to Gemini."""

    native: dict[str, Options]
    functions: bool
    json: bool
    left_out: list[str]

    def with_native(
        self, tools: list[gemini.Tool] | None, config: gemini.ToolConfig | None
    ) -> tuple[list[gemini.Tool] | None, gemini.ToolConfig | None]:
        """Take the client's functions and the choice among them; return what goes to Gemini."""
        if not self.functions:
            tools, config = None, None
        chosen = [*(tools or [])]
        for kind, options in self.native.items():
            chosen.append(gemini.Tool())
            setattr(chosen[-1], kind, options)
        return chosen or None, config


def plan_tools(request: ChatCompletionRequest, model: Model, defaults: Defaults) -> ToolPlan:
    """Decide; raise `InvalidRequestError` for a choice of tools that makes no sense.

    Up to 2.5: functions win over JSON. Functions win over native tools, unless the operator or the
    client says otherwise and no call is required. JSON wins over native tools that the operator
    switched on, and loses against those that the client asked for. Functions that may not be called
    are in nobody's way.
    """
    if not defaults.native.on and _says_nothing(request):
        return ToolPlan({}, functions=True, json=wants_json(request), left_out=[])
    wishes = list(_wishes(request))
    asked = [wish for wish in wishes if wish.kind and wish.on and defaults.native.by_request]
    native = _operators(request, defaults.native, wishes)
    for wish in asked:
        native[wish.kind] = native.get(wish.kind) or wish.options

    left_out = []
    functions, json = True, wants_json(request)
    declared, mode = chosen_mode(request)
    callable_ = declared and mode != "NONE"
    if json and not model.json_with_tools and not asked:
        native = {}
    if native and declared and not model.native_with_functions:
        if callable_ and (mode == "ANY" or not _native_first(request, defaults.native)):
            native = {}
        else:
            functions = False
            if callable_:
                left_out.append("functions" if is_legacy(request) else "tools")
    if json and not model.json_with_tools:
        functions = functions and callable_
        if native or functions:
            json = False
            left_out.append("response_format")
    left_out += [wish.name for wish in wishes if (wish.kind in native) != wish.on]
    left_out += _unheard(request, defaults.native, native)
    return ToolPlan(native, functions, json, list(dict.fromkeys(left_out)))


def _says_nothing(request: ChatCompletionRequest) -> bool:
    """Whether there is nothing to decide, as for most requests."""
    if request.tools or request.functions or request.web_search_options not in (None, False):
        return False
    return not places(request)


def may_rest_on_sources(request: ChatCompletionRequest, defaults: Defaults) -> bool:
    """Whether a tool that searches or reads may be switched on, here or in cached content."""
    if not defaults.native.on and _says_nothing(request):
        return False
    wishes = list(_wishes(request))
    asked = defaults.native.by_request and any(wish.kind and wish.on for wish in wishes)
    of_google = any(place.google is not None for place in places(request))
    return asked or of_google or bool(_operators(request, defaults.native, wishes))


def _operators(
    request: ChatCompletionRequest, native: NativeTools, wishes: list[_Wish]
) -> dict[str, Options]:
    """Return what the operator has switched on, and the client not off."""
    on = native.on
    unwanted: set[str] = set()
    if native.by_request:
        said = [place.enable_native_tools for place in places(request)]
        on = next((value for value in said if value is not None), on)
        unwanted = {wish.kind for wish in wishes if not wish.on}
    kinds = (("google_search", native.search), ("url_context", native.url_context))
    return {kind: {} for kind, wanted in kinds if wanted and on and kind not in unwanted}


def _native_first(request: ChatCompletionRequest, native: NativeTools) -> bool:
    said = [place.native_tools_priority for place in places(request) if native.by_request]
    priority = next((value for value in said if value), None)
    return native.first if priority is None else priority == "native_first"


def _wishes(request: ChatCompletionRequest) -> Iterator[_Wish]:
    for tool in request.tools or []:
        yield from _of_tool(tool)
    if request.web_search_options not in (None, False):
        # What else it says, such as a place and a size, Google has no words for.
        yield _Wish("web_search_options", "google_search")
    for place in places(request):
        prefix = prefix_of(place, request)
        for item in (place.google and place.google.tools) or []:
            yield from _of_object(f"{prefix}google.tools", item)
        for name, kind, value in (
            ("enable_search", "google_search", place.enable_search),
            ("enable_url_context", "url_context", place.enable_url_context),
        ):
            if value is not None:
                yield _Wish(prefix + name, kind, value)


def _of_tool(tool: Tool) -> Iterator[_Wish]:
    given = {name: getattr(tool, name) for name in _GOOGLES}
    found = list(_of_object("tools", given))
    if tool.type not in (None, "function", "custom"):
        kind = _kind(tool.type)
        if kind not in {wish.kind for wish in found}:
            found.append(_Wish("tools", kind))
    if not found and not tool.function and not tool.custom:
        found.append(_Wish("tools", ""))
    yield from found


_GOOGLES = tuple(
    name for name in Tool.__struct_fields__ if name not in ("type", "function", "custom")
)


def _of_object(name: str, item: dict[str, Any]) -> Iterator[_Wish]:
    """Read one of Google's `Tool` objects, in which each key is a tool."""
    for key, value in item.items():
        if value is None or value is False:
            continue
        takes = isinstance(value, dict) and _WITH_OPTIONS.fullmatch(_bare(key))
        yield _Wish(name, _kind(key), options=value if takes else {})


def _kind(name: str) -> str:
    bare = _bare(name)
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(bare)), "")


def _bare(name: str) -> str:
    return name.replace("_", "").lower()


def _unheard(
    request: ChatCompletionRequest, native: NativeTools, sent: dict[str, Options]
) -> Iterator[str]:
    for place in places(request):
        prefix, wanted = prefix_of(place, request), place.enable_native_tools
        if wanted is not None and bool(sent) != wanted and not (native.by_request and not wanted):
            yield f"{prefix}enable_native_tools"
        if place.native_tools_priority and not native.by_request:
            yield f"{prefix}native_tools_priority"
