"""Token counts that need no tokenizer: a quarter of the bytes, and never nothing."""

from collections.abc import Iterator
from typing import Any


def tokens(text: str) -> int:
    return max(1, len(text.encode("utf-8", "surrogatepass")) // 4)


def prompt_tokens(request: dict[str, Any]) -> int:
    """Count every text of the contents and of the system instruction."""
    return tokens("".join(texts(request)))


def texts(request: dict[str, Any]) -> Iterator[str]:
    system = request.get("systemInstruction") or request.get("system_instruction")
    for content in [system, *(request.get("contents") or [])]:
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in parts or []:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"]


def last_user_text(request: dict[str, Any]) -> str:
    """Find what the user said last; what functions returned is not said."""
    for content in reversed(request.get("contents") or []):
        if isinstance(content, dict) and content.get("role", "user") == "user":
            said = [text for text in texts({"contents": [content]}) if text]
            if said:
                return said[-1]
    return ""
