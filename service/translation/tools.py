"""Tools and the choice among them, as Gemini's declarations.

A custom tool is declared as a function that takes one text, `input`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_tools import (
    AllowedTool,
    AllowedTools,
    CustomDefinition,
    FunctionDefinition,
    FunctionName,
    ToolChoice,
)
from service.translation.openapi_schemas import to_openapi_schema
from service.translation.schemas import to_json_schema
from service.translation.tool_names import ToolNames

_DECLARATIONS_MAX = 512  # Google's limit
_MODES = {"required": "ANY", "none": "NONE", "validated": "VALIDATED"}
_CUSTOM_SCHEMA = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}


class _NoSuchChoiceError(Exception):
    """Says why a choice makes no sense."""


class Declared(NamedTuple):
    where: str
    definition: FunctionDefinition | CustomDefinition


def is_legacy(request: ChatCompletionRequest) -> bool:
    """Whether the client speaks of `functions`, which came before `tools` and lose against them."""
    return bool(request.functions) and not request.tools


def declared(request: ChatCompletionRequest) -> Iterator[Declared]:
    """Yield what the client declares; raise `InvalidRequestError` for what is no declaration."""
    if is_legacy(request):
        for position, function in enumerate(request.functions or []):
            yield Declared(f"functions[{position}]", function)
        return
    for position, tool in enumerate(request.tools or []):
        where = f"tools[{position}]"
        if tool.function is not None and tool.type in (None, "function"):
            yield Declared(f"{where}.function", tool.function)
        elif tool.custom is not None and tool.type in (None, "custom"):
            yield Declared(f"{where}.custom", tool.custom)
        elif tool.type in ("function", "custom"):
            param = f"{where}.{tool.type}"
            msg = f"Missing required parameter: '{param}'."
            raise InvalidRequestError(msg, param=param, code="missing_required_parameter")


def tool_names(request: ChatCompletionRequest) -> ToolNames:
    return ToolNames(definition.name for _, definition in declared(request))


def to_tools(
    request: ChatCompletionRequest, names: ToolNames, model: Model
) -> tuple[list[gemini.Tool] | None, gemini.ToolConfig | None]:
    """Return Gemini's tools and how to choose among them; None where there is nothing to say.

    Raise `InvalidRequestError` for a declaration or a choice that makes no sense.
    """
    if not (request.tools or request.functions) and request.tool_choice is None:
        return None, None
    declarations = {
        definition.name: _declaration(definition, names, model) for definition in _checked(request)
    }
    mode, allowed = _chosen(request, set(declarations))
    if not declarations:
        return None, None
    if mode is None:
        chosen = [one for name, one in declarations.items() if allowed is None or name in allowed]
        return ([gemini.Tool(function_declarations=chosen)] if chosen else None), None
    safe = None if allowed is None else [names.safe(name) for name in allowed]
    config = gemini.ToolConfig(gemini.FunctionCallingConfig(mode=mode, allowed_function_names=safe))
    return [gemini.Tool(function_declarations=list(declarations.values()))], config


def chosen_mode(request: ChatCompletionRequest) -> tuple[bool, str | None]:
    """Return whether there are functions, and Gemini's mode of choosing among them.

    Raise `InvalidRequestError` for a choice that makes no sense.
    """
    known = {definition.name for _, definition in declared(request)}
    return bool(known), _chosen(request, known)[0]


def _chosen(request: ChatCompletionRequest, known: set[str]) -> tuple[str | None, list[str] | None]:
    choice = request.function_call if is_legacy(request) else request.tool_choice
    try:
        return _choose(choice, known)
    except _NoSuchChoiceError as error:
        param = "function_call" if is_legacy(request) else "tool_choice"
        msg = f"Invalid '{param}': {error}."
        raise InvalidRequestError(msg, param=param, code="invalid_value") from None


def _checked(request: ChatCompletionRequest) -> list[FunctionDefinition | CustomDefinition]:
    definitions: dict[str, FunctionDefinition | CustomDefinition] = {}
    for where, definition in declared(request):
        name, param = definition.name, f"{where}.name"
        if not name:
            msg = f"Invalid '{param}': a tool needs a name."
            raise InvalidRequestError(msg, param=param, code="empty_string")
        if name in definitions:
            msg = f"Invalid '{param}': there is another tool of that name."
            raise InvalidRequestError(msg, param=param, code="invalid_value")
        definitions[name] = definition
    if len(definitions) > _DECLARATIONS_MAX:
        msg = f"At most {_DECLARATIONS_MAX} tools can be given, not {len(definitions)}."
        param = "functions" if is_legacy(request) else "tools"
        raise InvalidRequestError(msg, param=param, code="array_above_max_length")
    return list(definitions.values())


def _declaration(
    definition: FunctionDefinition | CustomDefinition, names: ToolNames, model: Model
) -> gemini.FunctionDeclaration:
    schema: dict[str, Any] | None
    if isinstance(definition, CustomDefinition):
        description, schema = _with_format(definition), _CUSTOM_SCHEMA
    else:
        description, schema = definition.description or None, definition.parameters
    declaration = gemini.FunctionDeclaration(names.safe(definition.name), description)
    if model.json_schema:
        declaration.parameters_json_schema = to_json_schema(schema)
    else:
        declaration.parameters = to_openapi_schema(schema, parameters=True)
    return declaration


def _with_format(definition: CustomDefinition) -> str | None:
    """Say in words which texts the tool takes: Gemini has no grammars."""
    text = definition.description or ""
    format_: Any = definition.format
    grammar = format_.get("grammar") if isinstance(format_, dict) else None
    if isinstance(grammar, dict) and isinstance(rules := grammar.get("definition"), str):
        syntax = grammar.get("syntax")
        kind = f" ({syntax})" if isinstance(syntax, str) else ""
        text += f"\n\nThe input must follow this grammar{kind}:\n{rules}"
    return text.strip() or None


def _choose(
    choice: str | ToolChoice | FunctionName | None, known: set[str]
) -> tuple[str | None, list[str] | None]:
    """Return Gemini's mode, and the names that may be called if not all may."""
    if isinstance(choice, ToolChoice) and choice.allowed_tools is not None:
        return _allow(choice.allowed_tools, known)
    named = _named(choice)
    if named is not None:
        return "ANY", [_known(named, known)]
    word = choice.type if isinstance(choice, ToolChoice) else choice
    if word is None or word == "auto":
        return None, None
    if not isinstance(word, str) or word not in _MODES:
        raise _NoSuchChoiceError(f"{word!r} is none. Accepted are: 'auto', 'none', 'required'")
    if word == "required" and not known:
        raise _NoSuchChoiceError("a call is required, and there are no tools")
    return _MODES[word], None


def _named(choice: str | ToolChoice | FunctionName | AllowedTool | None) -> str | None:
    match choice:
        case FunctionName():
            return choice.name
        case ToolChoice() | AllowedTool():
            chosen = choice.function or choice.custom
            return chosen.name if chosen else getattr(choice, "name", None)
        case _:
            return None


def _allow(allowed: AllowedTools, known: set[str]) -> tuple[str | None, list[str]]:
    """Gemini takes allowed names only where it must call; else the others are not declared."""
    names = [_known(_named(tool) or "", known) for tool in allowed.tools]
    if not names:
        raise _NoSuchChoiceError("no tool is allowed")
    return ("ANY" if allowed.mode == "required" else None), list(dict.fromkeys(names))


def _known(name: str, known: set[str]) -> str:
    if name not in known:
        raise _NoSuchChoiceError(f"there is no tool named {name!r}")
    return name
