"""Gemini's function calls, as OpenAI's tool calls."""

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_tools import CustomCall, CustomDefinition, FunctionCall, ToolCall
from service.translation.signatures import extra_content
from service.translation.tool_names import ToolNames
from service.translation.tools import declared, is_legacy, tool_names


class Calling(NamedTuple):
    """How the client of one request wants its calls."""

    names: ToolNames
    custom: frozenset[str] = frozenset()
    #: One call, in `function_call`, as before there were tools.
    legacy: bool = False
    parallel: bool = True


PLAIN = Calling(ToolNames())


def calling(request: ChatCompletionRequest) -> Calling:
    """Read it from the request; raise `InvalidRequestError` as `to_gemini` does."""
    if not (request.tools or request.functions):
        one_by_one = request.parallel_tool_calls is False
        return PLAIN._replace(parallel=False) if one_by_one else PLAIN
    return Calling(
        tool_names(request),
        custom=frozenset(
            definition.name
            for _, definition in declared(request)
            if isinstance(definition, CustomDefinition)
        ),
        legacy=is_legacy(request),
        parallel=request.parallel_tool_calls is not False,
    )


class CallTranslator:
    """Translates the calls of one choice; the index counts over all of them.

    Args:
        calling: how the client wants them.
        prefix: of the ids for calls that Gemini gives none that a client could keep.

    """

    def __init__(self, calling: Calling, prefix: str) -> None:
        self._calling = calling
        self._prefix = prefix
        self._ids: set[str] = set()

    def take(self, candidate: gemini.Candidate) -> list[ToolCall]:
        """Return the candidate's calls that the client is to have.

        Gemini cannot be told to make only one, so of several the first is kept.
        """
        calls: list[ToolCall] = []
        for part in (candidate.content and candidate.content.parts) or []:
            call = part.function_call
            if call is None or not call.name or (self._only_one and self._ids):
                continue
            calls.append(self._call(call, call.name, part.thought_signature))
        return calls

    @property
    def _only_one(self) -> bool:
        return self._calling.legacy or not self._calling.parallel

    @property
    def finish(self) -> Literal["tool_calls", "function_call"] | None:
        """What an answer with these calls ends with, if there were any."""
        if not self._ids:
            return None
        return "function_call" if self._calling.legacy else "tool_calls"

    def _call(self, call: gemini.FunctionCall, name: str, signature: str | None) -> ToolCall:
        index = len(self._ids)
        ours = self._calling.names.ours(name)
        made = ToolCall(index=index, id=self._id(call.id, index))
        if signature:
            made.extra_content = extra_content(signature)
        if ours in self._calling.custom:
            made.type = "custom"
            made.custom = CustomCall(ours, _input(call.args))
        else:
            made.function = FunctionCall(ours, _arguments(call.args))
        return made

    def _id(self, given: str | None, index: int) -> str:
        sane = given is not None and _SANE_ID.fullmatch(given) and given not in self._ids
        id_ = given if sane and given is not None else f"{self._prefix}{index}"
        self._ids.add(id_)
        return id_


_SANE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _arguments(args: msgspec.Raw) -> str:
    text = bytes(args).decode(errors="replace").strip()
    return "{}" if text in ("", "null") else text


def _input(args: msgspec.Raw) -> str:
    """Return the one text that a custom tool takes, or what Gemini made instead of it."""
    text = _arguments(args)
    try:
        decoded: Any = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return text
    given = decoded.get("input") if isinstance(decoded, dict) else None
    return given if isinstance(given, str) else text


def without_index(calls: Sequence[ToolCall]) -> list[ToolCall]:
    """Return the calls of a reply in one piece; the index is for streams."""
    return [msgspec.structs.replace(call, index=UNSET) for call in calls]
