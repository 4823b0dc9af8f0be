"""`generateContent`, as Code Assist, Vertex AI and the Gemini Developer API share it.

Google's JSON omits zero, empty and false values, and its enums grow every few months: every field
is optional, every enum is a string, unknown fields are skipped.
"""

from typing import Any

from msgspec import Raw, Struct

from service.schemas.extensions import SafetySetting

#: JSON that was not there.
NOTHING = Raw()


class FunctionCall(Struct, omit_defaults=True, rename="camel"):
    id: str | None = None
    name: str | None = None
    args: Raw = NOTHING  # an object, byte for byte


class FunctionResponse(Struct, omit_defaults=True, rename="camel"):
    name: str
    response: Raw  # an object


class Blob(Struct, omit_defaults=True, rename="camel"):
    """Bytes of an image, a recording, a document."""

    mime_type: str
    data: str  # base64


class FileData(Struct, omit_defaults=True, rename="camel"):
    """The same, where Google fetches it."""

    file_uri: str
    mime_type: str | None = None


class Part(Struct, omit_defaults=True, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    thought_signature: str | None = None  # opaque; goes back on the part that it came on


class Content(Struct, omit_defaults=True, rename="camel"):
    role: str | None = None
    parts: list[Part] | None = None


class ThinkingConfig(Struct, omit_defaults=True, rename="camel", kw_only=True):
    """Never both a budget and a level: which one is a matter of the model."""

    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


class ImageConfig(Struct, omit_defaults=True, rename="camel"):
    aspect_ratio: str | None = None
    image_size: str | None = None


class GenerationConfig(Struct, omit_defaults=True, rename="camel", kw_only=True):
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    thinking_config: ThinkingConfig | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None  # OpenAPI's dialect, for old models
    response_json_schema: dict[str, Any] | None = None
    response_modalities: list[str] | None = None
    image_config: ImageConfig | None = None


class FunctionDeclaration(Struct, omit_defaults=True, rename="camel"):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None  # OpenAPI's dialect, for old models
    parameters_json_schema: dict[str, Any] | None = None


class Tool(Struct, omit_defaults=True, rename="camel"):
    function_declarations: list[FunctionDeclaration] | None = None


class FunctionCallingConfig(Struct, omit_defaults=True, rename="camel"):
    mode: str
    allowed_function_names: list[str] | None = None


class ToolConfig(Struct, omit_defaults=True, rename="camel"):
    function_calling_config: FunctionCallingConfig | None = None
    include_server_side_tool_invocations: bool | None = None  # the Developer API's


class GenerateContentRequest(Struct, omit_defaults=True, rename="camel", kw_only=True):
    contents: list[Content]
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[SafetySetting] | None = None


#: A number that some servers send as a string.
Count = int | float | str | None


class ModalityCount(Struct, rename="camel"):
    """How many of some tokens are text, images, audio, video or documents."""

    modality: str | None = None
    token_count: Count = None


class UsageMetadata(Struct, rename="camel"):
    """Running totals: in a stream the last value of each field counts."""

    prompt_token_count: Count = None
    cached_content_token_count: Count = None
    candidates_token_count: Count = None
    thoughts_token_count: Count = None
    tool_use_prompt_token_count: Count = None
    total_token_count: Count = None
    prompt_tokens_details: list[ModalityCount] | None = None
    tool_use_prompt_tokens_details: list[ModalityCount] | None = None
    candidates_tokens_details: list[ModalityCount] | None = None


class Candidate(Struct, rename="camel"):
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int | None = None


class PromptFeedback(Struct, rename="camel"):
    block_reason: str | None = None


class GenerateContentResponse(Struct, rename="camel"):
    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None


class Bare(GenerateContentResponse, rename="camel"):
    """An answer without an envelope, which may be an error all the same."""

    error: Raw | None = None


#: Finish reasons that mean that the model failed, whatever text came with them. Asking once more
#: usually helps, and a call that came along must not be passed on.
MALFORMED = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    }
)
