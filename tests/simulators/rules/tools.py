"""Rules about tools: declarations, the dialects of their schemas, combinations, the choice."""

import re
from collections.abc import Iterator

from tests.simulators.rules.ask import Ask, Json
from tests.simulators.rules.json_schema import json_schema_fault

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_MOST_DECLARATIONS = 512
_MAY_STAND_WITH_ANY_OF = {"anyOf", "description", "nullable", "title"}
_JSON = "application/json"


def parameters_are_given_once(ask: Ask) -> str | None:
    for at, declaration in enumerate(ask.declarations):
        for one, other in (
            ("parameters", "parametersJsonSchema"),
            ("response", "responseJsonSchema"),
        ):
            if one in declaration and other in declaration:
                return (
                    f"* tools[0].function_declarations[{at}]: {one} and {other} "
                    "are mutually exclusive."
                )
    return None


def function_names_are_good(ask: Ask) -> str | None:
    names = [declaration.get("name", "") for declaration in ask.declarations]
    for at, name in enumerate(names):
        if not _NAME.fullmatch(name):
            return (
                "The GenerateContentRequest proto is invalid:\n"
                f"  * tools[0].function_declarations[{at}].name: [FIELD_INVALID] Invalid function "
                "name. Must start with a letter or an underscore. Must be alphanumeric "
                "(a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a "
                "maximum length of 64."
            )
        if name in names[:at]:
            return f"Duplicate function declaration found: {name}"
    if len(names) > _MOST_DECLARATIONS:
        return f"At most {_MOST_DECLARATIONS} function declarations are supported."
    return None


def schemas_are_in_dialect(ask: Ask) -> str | None:
    """`Schema` is a subset of OpenAPI with rules of its own; its keys were checked before."""
    roots = [
        (f"tools[0].function_declarations[{at}].{name}", declaration[name])
        for at, declaration in enumerate(ask.declarations)
        for name in ("parameters", "response")
        if name in declaration
    ]
    if "responseSchema" in ask.config:
        roots.append(("generation_config.response_schema", ask.config["responseSchema"]))
    faults = (
        f"* GenerateContentRequest.{path}{fault}"
        for name, root in roots
        for path, schema in _schemas(name, root)
        if (fault := _fault(ask, schema)) is not None
    )
    return next(faults, None)


def _schemas(path: str, schema: Json) -> Iterator[tuple[str, Json]]:
    """Give a schema and every schema inside it."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from _schemas(f"{path}.properties[{name}]", inner)
    for at, inner in enumerate(schema.get("anyOf", [])):
        yield from _schemas(f"{path}.any_of[{at}]", inner)
    if "items" in schema:
        yield from _schemas(f"{path}.items", schema["items"])


def _fault(ask: Ask, schema: Json) -> str | None:
    kind = schema.get("type")
    if kind == "ARRAY" and "items" not in schema:
        return ".items: missing field."
    for at, name in enumerate(schema.get("required", [])):
        if name not in schema.get("properties", {}):
            return f".required[{at}]: property is not defined"
    if schema.get("enum") and kind != "STRING":
        return ".enum: only allowed for STRING type"
    if "" in schema.get("enum", []):
        return f".enum[{schema['enum'].index('')}]: cannot be empty"
    allowed_format = schema.get("format", "date-time") in ("enum", "date-time")
    if kind == "STRING" and not allowed_format and not ask.is_vertex_shaped:
        return ".format: only 'enum' and 'date-time' are supported for STRING type"
    if ask.is_vertex_shaped and "anyOf" in schema and set(schema) - _MAY_STAND_WITH_ANY_OF:
        return ": When using any_of, it must be the only field set"
    return None


def json_schemas_are_good(ask: Ask) -> str | None:
    schemas = [
        (f"tools[0].function_declarations[{at}].{name}", declaration[name])
        for at, declaration in enumerate(ask.declarations)
        for name in ("parametersJsonSchema", "responseJsonSchema")
        if name in declaration
    ]
    if "responseJsonSchema" in ask.config:
        schemas.append(("generation_config.responseJsonSchema", ask.config["responseJsonSchema"]))
    faults = (
        f"* GenerateContentRequest.{name}{fault}"
        for name, schema in schemas
        if (fault := json_schema_fault(schema)) is not None
    )
    return next(faults, None)


def combination_is_supported(ask: Ask) -> str | None:
    built_in = ask.built_in_tools
    if "googleSearchRetrieval" in built_in and not ask.model.unruly:
        return "google_search_retrieval is not supported. Please use google_search tool instead."
    functions = bool(ask.declarations)
    wants_json = ask.config.get("responseMimeType") == _JSON
    if ask.model.combines_tools:
        asks_for_both = ask.request.get("toolConfig", {}).get("includeServerSideToolInvocations")
        on_developer_api = ask.upstream == "gemini_api" and not ask.model.unruly
        if functions and built_in and on_developer_api and not asks_for_both:
            return (
                "Built-in tools and functions together need "
                "tool_config.include_server_side_tool_invocations."
            )
        return None
    if functions and built_in:
        return "Tool use with function calling is unsupported"
    if functions and wants_json:
        return f"Function calling with a response mime type: '{_JSON}' is unsupported"
    if built_in and wants_json:
        return f"Tool use with a response mime type: '{_JSON}' is unsupported"
    return None


def choice_fits(ask: Ask) -> str | None:
    choice = ask.request.get("toolConfig", {}).get("functionCallingConfig")
    if choice is None:
        return None
    declared = {declaration.get("name") for declaration in ask.declarations}
    allowed = choice.get("allowedFunctionNames", [])
    if not declared and ask.is_vertex_shaped:
        return "Function calling config is set without function_declarations."
    if allowed and choice.get("mode") not in ("ANY", "VALIDATED"):
        return "Allowed function names can only be set when the mode is ANY or VALIDATED."
    for name in allowed:
        if name not in declared:
            return f"Allowed function name `{name}` is not among the function declarations."
    return None
