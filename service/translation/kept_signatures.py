"""Signatures that clients drop: under which keys they are kept, and how they come back.

Many clients keep of a call its id, its name and its arguments, and may write those anew.
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping

from msgspec import structs

from service.schemas.openai_chat import (
    AssistantMessage,
    ChatCompletionRequest,
    ChatMessage,
    FunctionMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from service.schemas.openai_tools import GivenCall, ToolCall
from service.translation.signatures import extra_content, of_calls

#: Characters of an id that nobody has had before, as ours are. Gemini's own have about eight.
UNIQUE = 24


class Keys:
    """Under which keys the signatures of one conversation's calls are kept.

    They are digests of who asks, the function's name and the call's id. An id that is short may
    come again in another conversation, and Gemini refuses a signature of another's: for these what
    the user asked in this turn counts, too. Where that changes between two requests the bypass
    value stands in, as for every signature that is lost.

    Args:
        owner: what tells one caller from another; the key that was presented, as a digest.
        messages: of the request.

    """

    def __init__(self, owner: bytes, messages: list[ChatMessage]) -> None:
        self._owner = owner
        self._messages = messages

    @functools.cached_property
    def turn(self) -> int:
        """Where the user last spoke."""
        return self._current_turn[0]

    @functools.cached_property
    def _question(self) -> bytes:
        return hashlib.sha256(self._current_turn[1].encode()).digest()

    @functools.cached_property
    def _current_turn(self) -> tuple[int, str]:
        return _current_turn(self._messages)

    def of(self, call_id: str, name: str) -> str:
        scope = b"" if len(call_id) >= UNIQUE else self._question
        about = (self._owner, scope, name.encode(), call_id.encode())
        whole = b"".join([len(part).to_bytes(4, "big") + part for part in about])
        return hashlib.sha256(whole).hexdigest()


def _current_turn(messages: list[ChatMessage]) -> tuple[int, str]:
    """Return where the user last spoke, and what was said.

    Words beside the results of calls open no turn: see `signatures.bypass_unsigned`.
    """
    start, question, after_results = 0, "", False
    for position, message in enumerate(messages):
        match message:
            case AssistantMessage():
                after_results = False
            case ToolMessage() | FunctionMessage():
                after_results = True
            case UserMessage() if not after_results and (said := _text(message)):
                start, question = position, said
            case _:
                pass
    return start, question


def _text(message: UserMessage) -> str:
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    return "".join([part.text for part in message.content if isinstance(part, TextPart)])


def unsigned(messages: list[ChatMessage], keys: Keys) -> list[list[str]]:
    """Return the keys of the calls in each unsigned step of the current turn."""
    if AssistantMessage not in map(type, messages):
        return []
    steps = [
        [key for call in message.tool_calls or [] if (key := _key(call, keys))]
        for message in messages[keys.turn :]
        if isinstance(message, AssistantMessage) and not any(of_calls(message))
    ]
    return [step for step in steps if step]


def restored(
    request: ChatCompletionRequest, keys: Keys, found: Mapping[str, str]
) -> ChatCompletionRequest:
    """Return the request with the signatures that were found, where Google itself puts them."""
    if not found:
        return request
    messages = [
        _restored(message, keys, found)
        if position >= keys.turn and isinstance(message, AssistantMessage)
        else message
        for position, message in enumerate(request.messages)
    ]
    return structs.replace(request, messages=messages)


def _restored(message: AssistantMessage, keys: Keys, found: Mapping[str, str]) -> AssistantMessage:
    if not message.tool_calls or any(of_calls(message)):
        return message
    calls = [
        structs.replace(call, extra_content=extra_content(signature))
        if (signature := found.get(_key(call, keys) or ""))
        else call
        for call in message.tool_calls
    ]
    return structs.replace(message, tool_calls=calls)


def _key(call: GivenCall, keys: Keys) -> str | None:
    made = call.function or call.custom
    return keys.of(call.id, made.name) if call.id and made else None


def signed(calls: Iterable[ToolCall], keys: Keys) -> dict[str, str]:
    """Return the signatures of calls that a client gets, by their keys."""
    return {
        keys.of(call.id, made.name): call.extra_content["google"]["thought_signature"]
        for call in calls
        if call.extra_content and (made := call.function or call.custom)
    }
