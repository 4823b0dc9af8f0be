"""Chat completions, as OpenAI's SDKs send and read them.

A parameter that is not named here is ignored without a word, because nobody knows it. What a client
may rely on and we cannot do yet is named, so that `service.translation.parameters` can say so; what
changes no answer (`user`, `store`, …) is named so that a wrong type is refused.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from service.schemas.extensions import MOST_TOOLS, Extended, ImageOptions
from service.schemas.openai import Usage
from service.schemas.openai_media import AnyMedia
from service.schemas.openai_tools import (
    FunctionCall,
    FunctionDefinition,
    FunctionName,
    GivenCall,
    GivenFunctionCall,
    Tool,
    ToolCall,
    ToolChoice,
)
from service.schemas.wire import Wire

Temperature = Annotated[float, Meta(ge=0, le=2)]
Probability = Annotated[float, Meta(ge=0, le=1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
TokenLimit = Annotated[int, Meta(ge=1)]
Choices = Annotated[int, Meta(ge=1, le=8)]
TopLogprobs = Annotated[int, Meta(ge=0, le=20)]


class Part(Wire, tag_field="type"):
    """One piece of a message; the JSON field `type` says which."""


class TextPart(Part, tag="text"):
    text: str


class RefusalPart(Part, tag="refusal"):
    refusal: str


ContentPart = TextPart | RefusalPart | AnyMedia
Content = str | list[ContentPart] | None


class Message(Wire, tag_field="role"):
    """One turn of the conversation; the JSON field `role` says whose."""


class DeveloperMessage(Message, tag="developer"):
    content: Content = None


class SystemMessage(Message, tag="system"):
    content: Content = None


class UserMessage(Message, tag="user"):
    content: Content = None


class AssistantMessage(Message, tag="assistant"):
    content: Content = None
    refusal: str | None = None
    tool_calls: list[GivenCall] | None = None
    function_call: GivenFunctionCall | None = None
    extra_content: Any = None
    provider_specific_fields: Any = None


class ToolMessage(Message, tag="tool"):
    content: Content = None
    tool_call_id: str | None = None
    name: str | None = None


class FunctionMessage(Message, tag="function"):
    """The result of a `function_call`; deprecated."""

    name: str
    content: Content = None


ChatMessage = (
    DeveloperMessage
    | SystemMessage
    | UserMessage
    | AssistantMessage
    | ToolMessage
    | FunctionMessage
)


class StreamOptions(Wire):
    include_usage: bool | None = None


class NamedSchema(Wire):
    schema: dict[str, Any] | None = None
    name: str | None = None
    strict: bool | None = None


class ResponseFormat(Wire):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None


class ModerationRule(Wire):
    mode: str | None = None


class ModerationPolicy(Wire):
    input: ModerationRule | None = None
    output: ModerationRule | None = None


class Moderation(Wire):
    policy: ModerationPolicy | None = None


class VoiceId(Wire):
    id: str


class AudioOptions(Wire):
    format: str | None = None
    voice: str | VoiceId | None = None


class ChatCompletionRequest(Extended, kw_only=True):
    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    temperature: Temperature | None = None
    top_p: Probability | None = None
    top_k: int | None = None  # an extension that many clients send
    max_completion_tokens: TokenLimit | None = None
    max_tokens: TokenLimit | None = None
    n: Choices | None = None
    stop: str | list[str | None] | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None

    logit_bias: dict[str, float | None] | None = None
    logprobs: bool | None = None
    top_logprobs: TopLogprobs | None = None
    response_format: ResponseFormat | None = None
    modalities: list[str] | None = None
    moderation: Moderation | None = None
    tools: Annotated[list[Tool], MOST_TOOLS] | None = None
    tool_choice: str | ToolChoice | None = None
    functions: Annotated[list[FunctionDefinition], MOST_TOOLS] | None = None
    function_call: str | FunctionName | None = None
    audio: AudioOptions | None = None
    web_search_options: dict[str, Any] | bool | None = None
    image_config: ImageOptions | None = None
    parallel_tool_calls: bool | None = None

    metadata: dict[str, Any] | None = None
    prediction: dict[str, Any] | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    user: str | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


FinishReason = Literal["stop", "length", "content_filter", "tool_calls", "function_call"]


class ImageUrl(Wire):
    url: str


class Image(Wire):
    index: int
    image_url: ImageUrl
    type: Literal["image_url"] = "image_url"


class Audio(Wire):
    id: str
    data: str
    expires_at: int
    transcript: str


class TopLogprob(Wire):
    text: str = field(name="token")
    logprob: float
    bytes: list[int]


class TokenLogprob(Wire):
    text: str = field(name="token")
    logprob: float
    bytes: list[int]
    top_logprobs: list[TopLogprob]


class ChoiceLogprobs(Wire):
    content: list[TokenLogprob]
    refusal: None = None


class UrlCitation(Wire):
    """A source of some words; the indices count Unicode characters of the content."""

    start_index: int
    end_index: int
    url: str
    title: str


class Annotation(Wire):
    url_citation: UrlCitation
    type: Literal["url_citation"] = "url_citation"


class AssistantReply(Wire, kw_only=True):
    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None = None
    reasoning_content: str | UnsetType = UNSET
    reasoning: str | UnsetType = UNSET
    tool_calls: list[ToolCall] | UnsetType = UNSET
    function_call: FunctionCall | UnsetType = UNSET
    annotations: list[Annotation] | UnsetType = UNSET
    images: list[Image] | UnsetType = UNSET
    audio: Audio | UnsetType = UNSET
    extra_content: dict[str, Any] | UnsetType = UNSET


class Choice(Wire, kw_only=True):
    index: int
    message: AssistantReply
    finish_reason: FinishReason
    logprobs: ChoiceLogprobs | None = None


#: Of OpenAI's, those that Google has, too.
ServiceTier = Literal["default", "flex", "priority"]


class ChatCompletion(Wire, kw_only=True):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int  # seconds since 1970
    model: str  # as the client wrote it
    system_fingerprint: str | None = None
    service_tier: ServiceTier | UnsetType = UNSET
    choices: list[Choice]
    usage: Usage


class AudioDelta(Wire, omit_defaults=True):
    id: str | None = None
    data: str | None = None
    expires_at: int | None = None


class Delta(Wire, omit_defaults=True):
    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: FunctionCall | None = None
    annotations: list[Annotation] | None = None
    images: list[Image] | None = None
    audio: AudioDelta | None = None
    extra_content: dict[str, Any] | None = None


class ChunkChoice(Wire, kw_only=True):
    index: int = 0
    delta: Delta
    finish_reason: FinishReason | None = None
    logprobs: ChoiceLogprobs | UnsetType = UNSET


class ChatCompletionChunk(Wire, kw_only=True):
    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    system_fingerprint: str | UnsetType = UNSET
    service_tier: ServiceTier | UnsetType = UNSET
    choices: list[ChunkChoice]
    usage: Usage | UnsetType | None = UNSET
