"""Requests that Google refuses for their tools, settings or model: from rule 14 on."""

from typing import Any

from tests.simulators.asking import model, user
from tests.simulators.request_pieces import (
    HI,
    JSON,
    NEWER,
    OBJECT,
    PRO,
    SEARCH,
    THREE,
    Case,
    F,
    config,
    contents,
    parameters,
    safety,
    tools,
)

REFUSED_JSON_SCHEMAS: list[tuple[Any, str]] = [
    ({"$ref": "#/$defs/a", "title": "b", "$defs": {"a": {}}}, "beside $ref"),
    ({"$ref": "#/$defs/a"}, "leads nowhere"),
    ({"$schema": "x"}, 'Unknown keyword "$schema"'),
    ({"properties": {"a": {"const": 1}}}, 'parametersJsonSchema/properties/a: Unknown keyword "co'),
    ({"anyOf": [{"allOf": []}]}, 'Unknown keyword "allOf"'),
    ({"items": {"not": {}}}, 'Unknown keyword "not"'),
    ({"properties": {"a": True}}, "must be a schema"),
    ({"items": []}, "must be a schema"),
    ({"properties": []}, "properties: has the wrong type"),
    ({"type": 5}, "type: has the wrong type"),
    ({"minimum": True}, "minimum: has the wrong type"),
    ({"type": "text"}, "unknown type text"),
    ({"type": ["null", "null"]}, "must be different"),
    ({"type": []}, "must not be empty"),
    ({"type": "array"}, "items: missing field"),
    ({"enum": ["a", ""]}, "enum[1]: cannot be empty"),
    ({"enum": [None]}, "must be a string or a number"),
    ({"minItems": -1}, "must not be negative"),
    ({"anyOf": []}, "must not be empty"),
    ({"properties": {}, "required": ["a"]}, "required[0]: property is not defined"),
    (
        {
            "$ref": "#/$defs/a",
            "$defs": {
                "a": {"properties": {"b": {"$ref": "#/$defs/b"}}, "required": ["b"]},
                "b": {"anyOf": [{"$ref": "#/$defs/a"}]},
            },
        },
        "recursion is allowed in optional properties only",
    ),
]

REFUSED_SETTINGS = [
    Case(
        14,
        tools({"name": "f", "parameters": {"type": "OBJECT"}, "parametersJsonSchema": {}}),
        "mutually exclusive",
    ),
    Case(15, tools({"name": "1f"}), "Invalid function name"),
    Case(15, tools({"name": "a b"}), "Invalid function name"),
    Case(15, tools({"name": "a" * 65}), "Invalid function name"),
    Case(15, tools(*({"name": f"f{at}"} for at in range(513))), "At most 512"),
    Case(15, tools(F, F), "Duplicate function declaration found: f"),
    Case(16, parameters(type="OBJECT", **{"$schema": "x"}), 'Unknown name "$schema"'),
    Case(16, parameters(type="OBJECT", additionalProperties=False), "additionalProperties"),
    Case(
        16,
        parameters(type="OBJECT", properties={"a": {"const": 1}}),
        'Unknown name "const" at '
        "'tools[0].function_declarations[0].parameters.properties[0].value'",
    ),
    Case(
        16, parameters(type=["string", "null"]), "Proto field is not repeating, cannot start list."
    ),
    Case(16, parameters(type="ARRAY"), "parameters.items: missing field."),
    Case(
        16,
        parameters(type="OBJECT", properties={"a": {"type": "ARRAY"}}),
        "parameters.properties[a].items: missing field.",
    ),
    Case(16, parameters(type="OBJECT", required=["a"]), "required[0]: property is not defined"),
    Case(16, parameters(type="INTEGER", enum=["1"]), "only allowed for STRING type"),
    Case(16, parameters(type="STRING", enum=["a", ""]), "enum[1]: cannot be empty"),
    Case(16, parameters(type="STRING", format="email"), "only 'enum' and 'date-time'"),
    Case(
        16,
        parameters(type="STRING", anyOf=[{"type": "STRING"}]),
        "it must be the only field set",
        "vertex",
    ),
    *(
        Case(16, tools({"name": "f", "parametersJsonSchema": schema}), message)
        for schema, message in REFUSED_JSON_SCHEMAS
    ),
    Case(16, config(**JSON, responseJsonSchema="object"), "must be an object"),
    Case(17, config(responseSchema={"type": "OBJECT"}), "needs a response mime type"),
    Case(17, config(responseJsonSchema=OBJECT), "needs the response mime type"),
    Case(17, config(responseMimeType="text/xml"), "Unsupported response mime type: text/xml"),
    Case(17, config(**JSON, responseSchema=OBJECT, responseJsonSchema=OBJECT), "Only one of"),
    Case(18, tools(F, generationConfig=JSON), "Function calling with a response mime type"),
    Case(18, HI | {"tools": [SEARCH], "generationConfig": JSON}, "Tool use with a response mime"),
    Case(18, HI | {"tools": [{"functionDeclarations": [F]}, SEARCH]}, "Tool use with function"),
    Case(
        18,
        HI | {"tools": [{"functionDeclarations": [F]}, SEARCH]},
        "include_server_side_tool_invocations",
        model_id=THREE,
    ),
    Case(18, HI | {"tools": [{"googleSearchRetrieval": {}}]}, "use google_search tool"),
    Case(
        19, config(thinkingConfig={"thinkingBudget": 24577}), "thinking budget (24577) is invalid"
    ),
    Case(19, config(thinkingConfig={"thinkingBudget": 127}), "(127) is invalid", model_id=PRO),
    Case(19, config(thinkingConfig={"thinkingBudget": 0}), "Budget 0 is invalid", model_id=PRO),
    Case(
        19,
        config(thinkingConfig={"thinkingBudget": 0}),
        "does not support setting thinking_budget to 0",
        "code_assist",
        PRO,
    ),
    Case(
        19,
        config(thinkingConfig={"thinkingBudget": 0}),
        "Thinking can't be disabled",
        "vertex",
        PRO,
    ),
    Case(
        19,
        config(thinkingConfig={"thinkingBudget": 0}),
        "Thinking is not enabled",
        model_id="gemini-2.5-flash-image",
    ),
    Case(
        19,
        config(thinkingConfig={"thinkingBudget": 100}),
        "(100) is invalid",
        model_id="gemini-2.5-flash-lite",
    ),
    Case(19, config(thinkingConfig={"thinkingLevel": "LOW"}), "level is not supported"),
    Case(
        19,
        config(thinkingConfig={"thinkingLevel": "MINIMAL"}),
        "Thinking level MINIMAL is not supported for this model.",
        model_id=NEWER,
    ),
    Case(
        19,
        config(thinkingConfig={"thinkingLevel": "LOW", "thinkingBudget": 1024}),
        "only set one of",
        model_id=THREE,
    ),
    Case(20, config(candidateCount=2), "Multiple candidates is not enabled", model_id=THREE),
    Case(20, config(candidateCount=2), "when streaming", method="streamGenerateContent?alt=sse"),
    Case(20, config(candidateCount=9), "candidateCount value of 9"),
    Case(21, config(presencePenalty=0.5), "Penalty is not enabled"),
    Case(21, config(frequencyPenalty=-1), "Penalty is not enabled", model_id=NEWER),
    Case(22, config(maxOutputTokens=65537), "to 65537 (exclusive)"),
    Case(22, config(maxOutputTokens=65536), "to 65536 (exclusive)", "vertex"),
    Case(22, config(maxOutputTokens=0), "maxOutputTokens value of 0"),
    Case(22, config(stopSequences=list("abcdef")), "at most 5 stop sequences"),
    Case(22, config(temperature=2.1), "range [0.0, 2.0]"),
    Case(22, config(topK=65), "topK value of 65"),
    Case(22, config(topP=1.1), "range [0.0, 1.0]"),
    Case(
        23,
        tools(F, toolConfig={"functionCallingConfig": {"allowedFunctionNames": ["f"]}}),
        "when the mode is ANY or VALIDATED",
    ),
    Case(
        23,
        tools(
            F, toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}}
        ),
        "`g` is not among",
    ),
    Case(
        23,
        HI | {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}},
        "without function_declarations",
        "code_assist",
    ),
    Case(
        24,
        HI | {"safetySettings": [safety()], "modelArmorConfig": {}},
        "cannot be used together",
        "vertex",
    ),
    Case(24, HI | {"safetySettings": [safety(), safety(threshold="OFF")]}, "Duplicate safety"),
    Case(
        24,
        HI | {"safetySettings": [safety(threshold="FOO")]},
        "Invalid value at 'request.safety_settings[0].threshold' (type.googleapis.com/"
        'google.cloud.aiplatform.master.SafetySetting.HarmBlockThreshold), "FOO"',
        "code_assist",
    ),
    Case(25, HI, "models/foo is not found", model_id="foo", status=404),
    Case(25, HI, "Requested entity was not found.", "code_assist", "foo", status=404),
    Case(25, HI, "Publisher Model `projects/p/", "vertex", "foo", status=404),
    Case(25, HI, "was not found", "code_assist", "gemini-3.5-flash", status=404),
    Case(25, HI, "was not found", "code_assist", f"models/{PRO}", status=404),
    Case(25, HI, "is not found", model_id="gemini-embedding-001", status=404),
    Case(25, HI, "is not found", model_id="gemini-sim-a99", status=404),
    Case(
        25,
        HI,
        "was not found",
        "code_assist",
        THREE,
        status=404,
        settings={"preview_access": False},
    ),
    Case(27, contents(user("hi"), model("{")), "end with a model turn", model_id=NEWER),
    Case(28, HI | {"cachedContent": "cachedContents/1"}, "invalid argument", "code_assist"),
    Case(29, HI, 'Unknown name "project"', "code_assist", method="countTokens"),
]
