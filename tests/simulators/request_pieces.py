"""Requests to Gemini and pieces of them, from which the tests of the rules are made."""

from dataclasses import dataclass, field
from typing import Any

from tests.simulators.asking import Json, user

PRO = "gemini-2.5-pro"
FLASH = "gemini-2.5-flash"
THREE = "gemini-3-flash-preview"
NEWER = "gemini-3.8-flash"

HI: Json = {"contents": [user("hi")]}
PNG = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
SEARCH: Json = {"googleSearch": {}}
CALL = {"functionCall": {"id": "c1", "name": "f", "args": {}}}
SIGNED = CALL | {"thoughtSignature": "QUFBQQ=="}
OTHER = {"functionCall": {"id": "c2", "name": "g", "args": {}}}
RESPONSE = {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "x"}}}
OTHER_RESPONSE = {"functionResponse": {"id": "c2", "name": "g", "response": {"output": "y"}}}
OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}


def contents(*turns: Json) -> Json:
    return {"contents": list(turns)}


def config(**settings: Any) -> Json:
    return HI | {"generationConfig": settings}


def tools(*declarations: Json, **more: Any) -> Json:
    return HI | {"tools": [{"functionDeclarations": list(declarations)}]} | more


def parameters(**schema: Any) -> Json:
    return tools({"name": "f", "parameters": schema})


def safety(**setting: str) -> Json:
    return {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"} | setting


@dataclass(frozen=True)
class Case:
    rule: int
    request: object
    message: str
    upstream: str = "gemini_api"
    model_id: str = FLASH
    method: str = "generateContent"
    status: int = 400
    settings: dict[str, Any] = field(default_factory=dict)


F = {"name": "f"}
JSON = {"responseMimeType": "application/json"}
TOO_LARGE = {"inline_limits": {"gemini_api": 4, "vertex": 4, "code_assist": 4}}
