"""Tools of a chat completion: what a client declares, what it sends back, what it gets.

`Given…` is what comes back from a client's history; it may have been through other programs, so the
places where they leave a thought signature are all named.
"""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from service.schemas.wire import Wire


class FunctionName(Wire):
    name: str


class FunctionDefinition(Wire):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None  # JSON Schema
    strict: bool | None = None


class CustomDefinition(Wire):
    """A tool that takes a text instead of an object."""

    name: str
    description: str | None = None
    format: Any = None


class Tool(Wire):
    """A function, a custom tool, or one of Gemini's own: by its type, or as Google writes it."""

    type: str | None = None
    function: FunctionDefinition | None = None
    custom: CustomDefinition | None = None
    google_search: Any = None
    googleSearch: Any = None  # noqa: N815
    google_search_retrieval: Any = None
    googleSearchRetrieval: Any = None  # noqa: N815
    google_maps: Any = None
    googleMaps: Any = None  # noqa: N815
    url_context: Any = None
    urlContext: Any = None  # noqa: N815
    code_execution: Any = None
    codeExecution: Any = None  # noqa: N815


class AllowedTool(Wire):
    type: str | None = None
    function: FunctionName | None = None
    custom: FunctionName | None = None
    name: str | None = None


class AllowedTools(Wire):
    mode: Literal["auto", "required"] = "auto"
    tools: list[AllowedTool] = []


class ToolChoice(Wire):
    type: str | None = None
    function: FunctionName | None = None
    custom: FunctionName | None = None
    allowed_tools: AllowedTools | None = None


class GivenFunctionCall(Wire):
    name: str
    arguments: str | None = None
    extra_content: Any = None
    thought_signature: Any = None
    thoughtSignature: Any = None  # noqa: N815  (as gemini-cli's relatives spell it)
    provider_specific_fields: Any = None


class GivenCustomCall(Wire):
    name: str
    input: str | None = None


class GivenCall(Wire):
    id: str | None = None
    function: GivenFunctionCall | None = None
    custom: GivenCustomCall | None = None
    extra_content: Any = None
    thought_signature: Any = None
    thoughtSignature: Any = None  # noqa: N815
    provider_specific_fields: Any = None


class FunctionCall(Wire):
    name: str
    arguments: str  # JSON


class CustomCall(Wire):
    name: str
    input: str


class ToolCall(Wire, kw_only=True):
    """A call in a reply; only those in a stream carry an index."""

    index: int | UnsetType = UNSET
    id: str
    type: Literal["function", "custom"] = "function"
    function: FunctionCall | UnsetType = UNSET
    custom: CustomCall | UnsetType = UNSET
    extra_content: dict[str, Any] | UnsetType = UNSET
