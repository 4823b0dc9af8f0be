"""`generateContent`, as Code Assist, Vertex AI and the Gemini Developer API share it.

Google's JSON omits zero, empty and false values, and its enums grow every few months: every field
is optional, every enum is a string, unknown fields are skipped.
"""

from typing import Any

from msgspec import Raw, field

from service.schemas.extensions import SafetySetting, VideoMetadata
from service.schemas.wire import Wire

#: JSON that was not there.
NOTHING = Raw()

#: Google's own word for a thought signature that nobody has:
#: https://ai.google.dev/gemini-api/docs/thought-signatures
BYPASS_SIGNATURE = "skip_thought_signature_validator"


class FunctionCall(Wire, omit_defaults=True, rename="camel"):
    id: str | None = None
    name: str | None = None
    args: Raw = NOTHING  # an object, byte for byte


class FunctionResponse(Wire, omit_defaults=True, rename="camel"):
    name: str
    response: Raw  # an object
    parts: "list[Part] | None" = None  # images and files of it, from Gemini 3 on


class Blob(Wire, omit_defaults=True, rename="camel"):
    """Bytes of an image, a recording, a document."""

    mime_type: str = ""
    data: str = ""  # base64


class FileData(Wire, omit_defaults=True, rename="camel"):
    """The same, where Google fetches it."""

    file_uri: str
    mime_type: str | None = None


class PartMediaResolution(Wire, rename="camel"):
    level: str


class ExecutableCode(Wire, omit_defaults=True, rename="camel"):
    """Code that Gemini has written and run."""

    language: str | None = None
    code: str | None = None


class CodeExecutionResult(Wire, omit_defaults=True, rename="camel"):
    outcome: str | None = None
    output: str | None = None


class Part(Wire, omit_defaults=True, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    video_metadata: VideoMetadata | None = None
    media_resolution: PartMediaResolution | None = None  # from Gemini 3 on
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: ExecutableCode | None = None
    code_execution_result: CodeExecutionResult | None = None
    thought_signature: str | None = None  # opaque; goes back on the part that it came on


class Content(Wire, omit_defaults=True, rename="camel"):
    role: str | None = None
    parts: list[Part] | None = None


class ThinkingConfig(Wire, omit_defaults=True, rename="camel", kw_only=True):
    """Never both a budget and a level: which one is a matter of the model."""

    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


class PrebuiltVoice(Wire, omit_defaults=True, rename="camel"):
    voice_name: str


class VoiceConfig(Wire, omit_defaults=True, rename="camel"):
    prebuilt_voice_config: PrebuiltVoice


class SpeechConfig(Wire, omit_defaults=True, rename="camel"):
    voice_config: VoiceConfig


class ImageConfig(Wire, omit_defaults=True, rename="camel"):
    aspect_ratio: str | None = None
    image_size: str | None = None


class GenerationConfig(Wire, omit_defaults=True, rename="camel", kw_only=True):
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    thinking_config: ThinkingConfig | None = None
    media_resolution: str | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None  # OpenAPI's dialect, for old models
    response_json_schema: dict[str, Any] | None = None
    response_modalities: list[str] | None = None
    speech_config: SpeechConfig | None = None
    image_config: ImageConfig | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None


class FunctionDeclaration(Wire, omit_defaults=True, rename="camel"):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None  # OpenAPI's dialect, for old models
    parameters_json_schema: dict[str, Any] | None = None


class Tool(Wire, omit_defaults=True, rename="camel", kw_only=True):
    """Functions of the client's, or one of Gemini's own tools with its options."""

    function_declarations: list[FunctionDeclaration] | None = None
    google_search: dict[str, Any] | None = None
    google_maps: dict[str, Any] | None = None
    url_context: dict[str, Any] | None = None
    code_execution: dict[str, Any] | None = None


class FunctionCallingConfig(Wire, omit_defaults=True, rename="camel"):
    mode: str
    allowed_function_names: list[str] | None = None


class ToolConfig(Wire, omit_defaults=True, rename="camel"):
    function_calling_config: FunctionCallingConfig | None = None
    include_server_side_tool_invocations: bool | None = None  # the Developer API's


class GenerateContentRequest(Wire, omit_defaults=True, rename="camel", kw_only=True):
    contents: list[Content]
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    service_tier: str | None = None  # `flex` or `priority`
    cached_content: str | None = None  # the name of what was sent before, with the same account
    labels: dict[str, str] | None = None  # for the bill


#: A number that some servers send as a string.
Count = int | float | str | None


class ModalityCount(Wire, rename="camel"):
    """How many of some tokens are text, images, audio, video or documents."""

    modality: str | None = None
    token_count: Count = None


class UsageMetadata(Wire, rename="camel"):
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
    traffic_type: str | None = None  # Vertex AI's word for the tier that served the request
    service_tier: str | None = None  # the Developer API's


class LogprobsCandidate(Wire, rename="camel"):
    text: str = field(default="", name="token")
    log_probability: float = 0


class TopCandidates(Wire, rename="camel"):
    candidates: list[LogprobsCandidate] | None = None


class LogprobsResult(Wire, rename="camel"):
    """Token by token what was chosen, and what might have been."""

    chosen_candidates: list[LogprobsCandidate] | None = None
    top_candidates: list[TopCandidates] | None = None


class Source(Wire, rename="camel"):
    """A page, a document or a place that an answer rests on."""

    uri: str | None = None
    title: str | None = None
    domain: str | None = None


class GroundingChunk(Wire, rename="camel"):
    web: Source | None = None
    maps: Source | None = None
    retrieved_context: Source | None = None


class Segment(Wire, rename="camel"):
    """A stretch of a part's text; its offsets count bytes of UTF-8."""

    start_index: int | None = None
    end_index: int | None = None
    part_index: int | None = None
    text: str | None = None


class GroundingSupport(Wire, rename="camel"):
    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class GroundingMetadata(Wire, rename="camel"):
    """What Gemini found with its own tools, and which words rest on it."""

    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None


class Candidate(Wire, rename="camel"):
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int | None = None
    logprobs_result: LogprobsResult | None = None
    grounding_metadata: Raw = NOTHING  # read by `translation.grounding`, which forgives its shape


class PromptFeedback(Wire, rename="camel"):
    block_reason: str | None = None


class GenerateContentResponse(Wire, rename="camel"):
    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None  # may be another model than the one that was asked for


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
