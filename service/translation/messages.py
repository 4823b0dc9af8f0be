"""Messages, as Gemini's contents and system instruction."""

from typing import assert_never

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import (
    AssistantMessage,
    ChatMessage,
    Content,
    DeveloperMessage,
    SystemMessage,
    TextPart,
    UserMessage,
)

#: Stands where Gemini wants a text and the client gave none; an empty one is refused.
BLANK = gemini.Part(text=" ")
#: Asks for the rest of an answer that the client began, where a model may not be prefilled.
CONTINUE = gemini.Part(text="Continue exactly where your last message ends.")


def to_contents(
    messages: list[ChatMessage], model: Model
) -> tuple[gemini.Content | None, list[gemini.Content]]:
    """Split system messages off, and turn the rest into Gemini's two roles, which alternate.

    A system message counts wherever it stands. A conversation that holds nothing else is asked as
    the user, because Gemini wants a user turn first and at least one.
    """
    system: list[gemini.Part] = []
    contents: list[gemini.Content] = []

    for position, message in enumerate(messages):
        match message:
            case DeveloperMessage() | SystemMessage():
                system += text_parts(message.content)
            case UserMessage():
                _append(contents, "user", text_parts(message.content) or [BLANK])
            case AssistantMessage():
                _append(contents, "model", _model_parts(message, f"messages[{position}]"))
            case _:
                assert_never(message)

    if not contents:
        return None, [gemini.Content(role="user", parts=system or [BLANK])]
    if contents[0].role == "model":
        contents.insert(0, gemini.Content(role="user", parts=[BLANK]))
    if contents[-1].role == "model" and not model.prefill:
        contents.append(gemini.Content(role="user", parts=[CONTINUE]))
    return (gemini.Content(parts=system) if system else None), contents


def _append(contents: list[gemini.Content], role: str, parts: list[gemini.Part]) -> None:
    """Add a turn, or add to the last one if it has the same role."""
    if not parts:
        return
    if contents and contents[-1].role == role:
        contents[-1].parts = [*(contents[-1].parts or []), *parts]
    else:
        contents.append(gemini.Content(role=role, parts=parts))


def _model_parts(message: AssistantMessage, where: str) -> list[gemini.Part]:
    for name, called in (
        ("tool_calls", message.tool_calls),
        ("function_call", message.function_call),
    ):
        if called:
            msg = "Tool calls are not supported yet."
            raise InvalidRequestError(msg, param=f"{where}.{name}", code="unsupported_value")
    return text_parts(message.content) + text_parts(message.refusal)


def text_parts(content: Content) -> list[gemini.Part]:
    """Keep every text byte for byte, and leave empty ones out: Gemini refuses them."""
    if content is None or isinstance(content, str):
        texts = [content or ""]
    else:
        texts = [part.text if isinstance(part, TextPart) else part.refusal for part in content]
    return [gemini.Part(text=text) for text in texts if text]
