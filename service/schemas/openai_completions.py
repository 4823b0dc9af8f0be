"""Completions, OpenAI's API before there were chats, as old clients send and read them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from service.schemas.extensions import Extended
from service.schemas.openai import Usage
from service.schemas.openai_chat import (
    Choices,
    FinishReason,
    Penalty,
    Probability,
    StreamOptions,
    Temperature,
    TokenLimit,
)
from service.schemas.wire import Wire

#: Numbers are tokens, which are not Gemini's; they are named so that they can be refused in words.
Prompt = str | list[str | int | list[int]]


class CompletionRequest(Extended, kw_only=True):
    prompt: Prompt
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    echo: bool | None = None
    suffix: str | None = None

    temperature: Temperature | None = None
    top_p: Probability | None = None
    top_k: int | None = None
    max_tokens: TokenLimit | None = None
    n: Choices | None = None
    best_of: Annotated[int, Meta(ge=1)] | None = None
    stop: str | list[str | None] | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float | None] | None = None
    logprobs: Annotated[int, Meta(ge=0)] | None = None
    user: str | None = None


class CompletionChoice(Wire, kw_only=True):
    text: str
    index: int
    logprobs: None = None
    finish_reason: FinishReason | None


class Completion(Wire, kw_only=True):
    """The same object in one piece and as a piece of a stream, where usage may be missing."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int  # seconds since 1970
    model: str  # as the client wrote it
    choices: list[CompletionChoice]
    usage: Usage | UnsetType | None = UNSET
