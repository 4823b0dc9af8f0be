"""How much of a prompt has come through: characters of text, and of media in base64."""

from typing import Any

import msgspec


def counted(body: bytes) -> str:
    """Say it of a request, in Gemini's form or in OpenAI's."""
    found = {"text": 0, "media": 0}
    _count(msgspec.json.decode(body), found)
    return f"text={found['text']} media={found['media']}"


def _count(item: Any, found: dict[str, int]) -> None:
    if isinstance(item, list):
        for each in item:
            _count(each, found)
    if not isinstance(item, dict):
        return
    for name, value in item.items():
        if not isinstance(value, str):
            _count(value, found)
        elif name in ("text", "content"):
            found["text"] += len(value)
        elif name == "url":
            found["media"] += len(value.partition("base64,")[2])
        elif name == "data":
            found["media"] += len(value)
