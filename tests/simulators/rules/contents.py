"""Rules about contents, one by one: roles, parts, media."""

import re
from collections.abc import Iterator
from typing import Any

from tests.simulators.rules.ask import Ask, members

_DATA = {
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
}
_MEDIA = re.compile(
    r"image/(png|jpeg|webp|heic|heif)|text/[\w.+-]+|application/pdf"
    r"|audio/(wav|mp3|mpeg|aiff|aac|ogg|flac|m4a|mp4|opus|webm)"
    r"|video/(mp4|mpeg|mov|quicktime|avi|x-flv|mpg|webm|wmv|3gpp)"
)
_LARGEST_VERTEX_IMAGE = 7 * 2**20


def there_are_some(ask: Ask) -> str | None:
    if ask.contents:
        return None
    if ask.is_vertex_shaped:
        return "Unable to submit request because at least one contents field is required."
    return "* GenerateContentRequest.contents: contents is not specified\n"


def roles_are_known(ask: Ask) -> str | None:
    for content in ask.contents:
        given = content.get("role")
        bare = given is None and not ask.is_vertex_shaped and len(ask.contents) == 1
        response = given == "function" and bool(members(content, "functionResponse"))
        if given not in ("user", "model") and not bare and not response:
            return "Please use a valid role: user, model."
    return None


def user_begins(ask: Ask) -> str | None:
    if ask.contents[0].get("role") != "model":
        return None
    return "Please ensure that the contents begin with a user turn."


def have_parts(ask: Ask) -> str | None:
    for at, content in enumerate(ask.contents):
        if not content.get("parts"):
            return (
                f"* GenerateContentRequest.contents[{at}].parts: contents.parts must not be empty."
            )
    return None


def parts_have_one_datum(ask: Ask) -> str | None:
    for path, part in ask.parts:
        data = [name for name in part if name in _DATA]
        if not data:
            return f"* {path}.data: required oneof field 'data' must have one initialized field"
        if len(data) > 1:
            return (
                f"Invalid value at '{path}' (oneof), oneof field 'data' is already set. "
                f"Cannot set '{data[1]}'"
            )
    return None


def _media(ask: Ask) -> Iterator[dict[str, Any]]:
    """Yield every part that may hold media, those of functions' responses included."""
    for _, part in ask.parts:
        yield part
        yield from (part.get("functionResponse") or {}).get("parts", [])


def media_types_are_supported(ask: Ask) -> str | None:
    for part in _media(ask):
        media = part.get("inlineData") or part.get("fileData") or {}
        mime_type = media.get("mimeType")
        if "inlineData" in part and mime_type is None:
            return "mime_type is required for inline_data."
        if mime_type is not None and not _MEDIA.fullmatch(mime_type.split(";")[0]):
            return f"Unsupported MIME type: {mime_type}"
    return None


def media_is_small_enough(ask: Ask) -> str | None:
    inline = [part["inlineData"] for part in _media(ask) if "inlineData" in part]
    sizes = [len(media.get("data", "")) * 3 // 4 for media in inline]
    limit = ask.world.inline_limits[ask.upstream]
    if sum(sizes) > limit:
        return f"Request payload size exceeds the limit: {limit} bytes. Please use the File API."
    for media, size in zip(inline, sizes, strict=True):
        is_image = media.get("mimeType", "").startswith("image/")
        if ask.upstream == "vertex" and is_image and size > _LARGEST_VERTEX_IMAGE:
            return f"The image is larger than the limit of {_LARGEST_VERTEX_IMAGE} bytes."
    return None


def system_instruction_is_allowed(ask: Ask) -> str | None:
    instruction = ask.request.get("systemInstruction")
    if instruction is None:
        return None
    if ask.model.is_gemma:
        return f"Developer instruction is not enabled for models/{ask.model.id}"
    if not instruction.get("parts"):
        return "* GenerateContentRequest.system_instruction.parts: must not be empty."
    if any("text" not in part for part in instruction["parts"]):
        return "System instructions take text only."
    return None


def responses_have_allowed_members(ask: Ask) -> str | None:
    """The name is mandatory, media came with Gemini 3, and older Vertex versions know no id."""
    for path, part in ask.parts:
        response = part.get("functionResponse")
        if response is None:
            continue
        if not response.get("name"):
            return f"* {path}.function_response.name: Name cannot be empty."
        if response.get("parts") and not ask.model.combines_tools:
            return "Multimodal function responses are not supported by this model."
        if "id" in response and ask.upstream == "vertex" and not ask.world.takes_response_ids:
            return (
                'Invalid JSON payload received. Unknown name "id" at '
                f"'{path}.function_response': Cannot find field."
            )
    return None


def counts_plain_text(ask: Ask) -> str | None:
    if ask.upstream == "code_assist" and any(part.get("thought") for _, part in ask.parts):
        return "Request contains an invalid argument."
    return None


def counts_for_a_full_model_name(ask: Ask) -> str | None:
    """Code Assist wants the prefix here, and here only."""
    name = ask.request.get("model", "")
    if ask.upstream == "code_assist" and not name.startswith("models/"):
        return "Request contains an invalid argument."
    return None
