"""Calls and their results in a conversation, as Gemini's parts.

Gemini wants every call answered in the turn after it, in the order of the calls. Clients send the
results in any order, with texts between.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from service.errors import InvalidRequestError
from service.schemas import gemini
from service.schemas.openai_chat import (
    AssistantMessage,
    ChatMessage,
    Content,
    FunctionMessage,
    TextPart,
    ToolMessage,
)
from service.schemas.openai_media import MediaPart
from service.schemas.openai_tools import GivenCall
from service.translation import signatures
from service.translation.media import MediaReader
from service.translation.tool_names import ToolNames

Result = ToolMessage | FunctionMessage


class Call(NamedTuple):
    id: str | None
    name: str
    args: Raw
    signature: str | None


class Placed(NamedTuple):
    """A message, and where it stands in the request."""

    position: int
    message: ChatMessage


def calls_of(placed: Placed) -> list[Call]:
    """Return the calls of a message; raise `InvalidRequestError` for one that calls nothing."""
    message = placed.message
    if not isinstance(message, AssistantMessage):
        return []
    signed = signatures.of_calls(message)
    if message.tool_calls:
        where = f"messages[{placed.position}].tool_calls"
        return [
            _call(call, signature, f"{where}[{index}]")
            for index, (call, signature) in enumerate(zip(message.tool_calls, signed, strict=True))
        ]
    if message.function_call is not None:
        call = message.function_call
        return [Call(None, call.name, _arguments(call.arguments), signed[0])]
    return []


def _call(call: GivenCall, signature: str | None, where: str) -> Call:
    if call.function is not None:
        return Call(call.id, call.function.name, _arguments(call.function.arguments), signature)
    if call.custom is not None:
        args = Raw(msgspec.json.encode({"input": call.custom.input or ""}))
        return Call(call.id, call.custom.name, args, signature)
    msg = f"Missing required parameter: '{where}.function'."
    raise InvalidRequestError(msg, param=f"{where}.function", code="missing_required_parameter")


def answers_after(call_at: int, calls: int, messages: Sequence[Placed]) -> list[Placed]:
    """Return what stands between calls and the last of their results, that one included."""
    end, results = call_at, 0
    for index in range(call_at + 1, len(messages)):
        message = messages[index].message
        if isinstance(message, Result):
            end, results = index, results + 1
        elif not isinstance(message, AssistantMessage) or calls_of(messages[index]):
            break
        if results == calls:
            break
    return list(messages[call_at + 1 : end + 1])


def call_parts(calls: list[Call], names: ToolNames) -> list[gemini.Part]:
    return [
        gemini.Part(
            function_call=gemini.FunctionCall(name=names.safe(call.name), args=call.args),
            thought_signature=call.signature,
        )
        for call in calls
    ]


def result_parts(
    placed: Placed,
    calls: list[Call],
    between: list[Placed],
    names: ToolNames,
    media: MediaReader,
) -> list[gemini.Part]:
    """Return a response for each call, then what answers none of them, as text.

    Images and files are inside of a response where the model takes them there, else after all.

    Args:
        placed: the message with the calls.
        calls: its calls.
        between: what `answers_after` found.
        names: as Gemini knows them.
        media: reads images and files.

    Raises:
        InvalidRequestError: a call without a result, or a result that belongs to no call.

    """
    answers: list[Placed | None] = [None] * len(calls)
    left: list[Placed] = []
    open_calls = _OpenCalls(calls)
    for one in between:
        if isinstance(one.message, Result):
            index = open_calls.answered_by(one.message)
            if index is None:
                left.append(one)
            else:
                answers[index] = one
    if left and answers.count(None) == 1:  # it can mean no other call, whatever its id became
        answers[answers.index(None)] = left.pop(0)
    notes = [part for one in left for part in stray_result(one, media)]
    responses, after = [], []
    for call, answer in zip(calls, answers, strict=True):
        if answer is None:
            raise _missing(placed.position, calls, answers)
        content = answer.message.content
        response = gemini.FunctionResponse(names.safe(call.name), _response(content))
        inside, beside = media.parts_of_result(content, _where(answer))
        response.parts = inside or None
        after += beside
        responses.append(gemini.Part(function_response=response))
    return responses + after + notes


def _where(placed: Placed) -> str:
    return f"messages[{placed.position}].content"


def content_parts(placed: Placed, media: MediaReader) -> list[gemini.Part]:
    """Keep every text byte for byte, and leave empty ones out: Gemini refuses them."""
    content = placed.message.content
    if not isinstance(content, list):
        return [gemini.Part(text=content)] if content else []
    parts = []
    for index, part in enumerate(content):
        if isinstance(part, MediaPart):
            parts.append(media.read(part, f"{_where(placed)}[{index}]"))
        elif text := part.text if isinstance(part, TextPart) else part.refusal:
            parts.append(gemini.Part(text=text))
    return parts


class _OpenCalls:
    """The calls that have no result yet, by what a result may say of them."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._answered: set[int] = set()
        self._by_id: dict[str | None, deque[int]] = defaultdict(deque)
        self._by_name: dict[str | None, deque[int]] = defaultdict(deque)
        for index, call in enumerate(calls):
            self._by_id[call.id].append(index)
            self._by_name[call.name].append(index)

    def answered_by(self, message: Result) -> int | None:
        """Return the index of the call that a message answers, if it says which."""
        if isinstance(message, ToolMessage) and message.tool_call_id is not None:
            return self._take(self._by_id.get(message.tool_call_id))
        return None if message.name is None else self._take(self._by_name.get(message.name))

    def _take(self, indices: deque[int] | None) -> int | None:
        while indices:
            index = indices.popleft()
            if index not in self._answered:
                self._answered.add(index)
                return index
        return None


def _missing(position: int, calls: list[Call], answers: list[Placed | None]) -> InvalidRequestError:
    unanswered = [
        call.id or call.name for call, answer in zip(calls, answers, strict=True) if answer is None
    ]
    msg = (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        f"each 'tool_call_id'. These have no result: {', '.join(unanswered)}."
    )
    return InvalidRequestError(msg, param=f"messages[{position}].tool_calls", code="invalid_value")


def stray_result(placed: Placed, media: MediaReader) -> list[gemini.Part]:
    """Return a result that no call asked for, as text, and what it holds besides.

    Raise `InvalidRequestError` for one that does not even say whose it is.
    """
    message = placed.message
    if isinstance(message, Result) and message.name:
        text = f"Result of {message.name}: {_text(message.content)}"
        inside, beside = media.parts_of_result(message.content, _where(placed))
        return [gemini.Part(text=text), *inside, *beside]
    param = f"messages[{placed.position}].tool_call_id"
    msg = f"Invalid '{param}': no call before this message has that id."
    raise InvalidRequestError(msg, param=param, code="invalid_value")


def _arguments(arguments: str | None) -> Raw:
    """Return a call's arguments as an object: a call must never be dropped."""
    text = (arguments or "").strip()
    if not text:
        return Raw(b"{}")
    known, value = _json(text)
    if not known:
        return Raw(msgspec.json.encode({"raw": arguments}))
    raw = text.encode()
    return Raw(raw) if isinstance(value, dict) else Raw(b'{"value":' + raw + b"}")


def _response(content: Content) -> Raw:
    """Return a result as an object: an object as it is, anything else inside of one."""
    text = _text(content)
    known, value = _json(text)
    if not known:
        return Raw(msgspec.json.encode({"output": text}))
    raw = text.strip().encode()
    return Raw(raw) if isinstance(value, dict) else Raw(b'{"output":' + raw + b"}")


def _json(text: str) -> tuple[bool, Any]:
    """Say whether a text is JSON, and what."""
    try:
        return True, msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False, None


def _text(content: Content) -> str:
    return "".join(texts_of(content))


def texts_of(content: Content) -> list[str]:
    if content is None or isinstance(content, str):
        return [content or ""]
    return [
        part.text if isinstance(part, TextPart) else part.refusal
        for part in content
        if not isinstance(part, MediaPart)
    ]
