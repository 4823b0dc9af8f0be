"""Thought signatures: opaque values that Gemini wants back on the call that it signed.

They go out in `extra_content.google.thought_signature`, Google's own place. They are taken back
from there, and from wherever other programs are known to put them.
"""

import binascii
import re
from typing import Any

from service.schemas import gemini
from service.schemas.openai_chat import AssistantMessage
from service.schemas.openai_tools import GivenCall, GivenFunctionCall

_IN_AN_ID = re.compile(r".*?__(?:thought|sig)__(?P<signature>.+)", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def extra_content(signature: str) -> dict[str, Any]:
    return {"google": {"thought_signature": signature}}


def of_calls(message: AssistantMessage) -> list[str | None]:
    """Return the signature of each of a message's calls; none of them twice.

    In some clients the message has a copy of its first call's, which counts only if no call has
    one.
    """
    calls: list[GivenCall | GivenFunctionCall] = list(message.tool_calls or [])
    if not calls and message.function_call is not None:
        calls = [message.function_call]
    found = [_of_call(call) for call in calls]
    if calls and not any(found):
        found[0] = of_message(message)
    first = {signature: position for position, signature in reversed(list(enumerate(found)))}
    return [
        signature if first[signature] == position else None
        for position, signature in enumerate(found)
    ]


def of_message(message: AssistantMessage) -> str | None:
    return _first_sane(_nested(message.extra_content), _direct(message.provider_specific_fields))


def _of_call(call: GivenCall | GivenFunctionCall) -> str | None:
    places = [_nested(call.extra_content)]
    inner = call.function if isinstance(call, GivenCall) else None
    for holder in (inner, call):
        if holder is not None:
            places += [
                _nested(holder.extra_content),
                holder.thought_signature,
                holder.thoughtSignature,
                _direct(holder.provider_specific_fields),
            ]
    if isinstance(call, GivenCall) and call.id and (match := _IN_AN_ID.fullmatch(call.id)):
        bare = match["signature"]
        places.append(bare + "=" * (-len(bare) % 4))  # an id has no room for padding
    return _first_sane(*places)


def _nested(extra: Any) -> Any:
    return _direct(extra.get("google")) if isinstance(extra, dict) else None


def _direct(fields: Any) -> Any:
    if not isinstance(fields, dict):
        return None
    return fields.get("thought_signature") or fields.get("thoughtSignature")


def _first_sane(*values: Any) -> str | None:
    return next((value for value in values if isinstance(value, str) and _is_base64(value)), None)


def _is_base64(value: str) -> bool:
    """Whether it can be one: relays cut ids and rewrite texts, and Google refuses what is left."""
    if value == gemini.BYPASS_SIGNATURE:
        return True
    if not _BASE64.fullmatch(value):
        return False
    try:
        binascii.a2b_base64(value.replace("-", "+").replace("_", "/"))
    except binascii.Error:
        return False
    return True


def bypass_unsigned(contents: list[gemini.Content]) -> None:
    """Mark the first call of each step of the current turn, where it is not signed.

    From Gemini 3 on an unsigned one is refused. Earlier turns are not looked at.
    """
    for content in reversed(contents):
        parts = content.parts or []
        if content.role == "user" and _opens_a_turn(parts):
            return
        first = next((part for part in parts if part.function_call is not None), None)
        if first is not None and first.thought_signature is None:
            first.thought_signature = gemini.BYPASS_SIGNATURE


def _opens_a_turn(parts: list[gemini.Part]) -> bool:
    return not any(part.function_response is not None for part in parts)
