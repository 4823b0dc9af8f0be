"""Messages, as Gemini's contents and system instruction."""

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import (
    AssistantMessage,
    ChatMessage,
    DeveloperMessage,
    FunctionMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from service.schemas.openai_media import MediaPart
from service.translation.media import MediaReader
from service.translation.signatures import bypass_unsigned, of_message
from service.translation.tool_messages import (
    Placed,
    answers_after,
    call_parts,
    calls_of,
    content_parts,
    result_parts,
    stray_result,
    texts_of,
)
from service.translation.tool_names import ToolNames

#: Stands where Gemini wants a text and the client gave none; an empty one is refused.
BLANK = gemini.Part(text=" ")
#: Asks for the rest of an answer that the client began, where a model may not be prefilled.
CONTINUE = gemini.Part(text="Continue exactly where your last message ends.")


def to_contents(
    messages: list[ChatMessage], model: Model, names: ToolNames, media: MediaReader
) -> tuple[gemini.Content | None, list[gemini.Content]]:
    """Split system messages off, and turn the rest into Gemini's two roles, which alternate.

    A system message counts wherever it stands. A conversation that holds nothing else is asked as
    the user, because Gemini wants a user turn first and at least one.
    """
    system: list[gemini.Part] = []
    rest: list[Placed] = []
    for position, message in enumerate(messages):
        if isinstance(message, DeveloperMessage | SystemMessage):
            system += _texts_only(position, message)
        else:
            rest.append(Placed(position, message))

    contents = _turns(rest, names, media)
    if not contents:
        return None, [gemini.Content(role="user", parts=system or [BLANK])]
    if contents[0].role == "model":
        contents.insert(0, gemini.Content(role="user", parts=[BLANK]))
    if contents[-1].role == "model" and not model.prefill:
        contents.append(gemini.Content(role="user", parts=[CONTINUE]))
    if model.thinking == "level":
        bypass_unsigned(contents)
    return (gemini.Content(parts=system) if system else None), contents


def _turns(messages: list[Placed], names: ToolNames, media: MediaReader) -> list[gemini.Content]:
    contents: list[gemini.Content] = []
    next_ = 0
    while next_ < len(messages):
        placed = messages[next_]
        match placed.message:
            case UserMessage():
                _append(contents, "user", content_parts(placed, media) or [BLANK])
            case AssistantMessage() if calls := calls_of(placed):
                calling = [placed]
                while next_ + 1 < len(messages) and (more := calls_of(messages[next_ + 1])):
                    next_ += 1  # parallel calls, each in a message of its own
                    calling.append(messages[next_])
                    calls += more
                between = answers_after(next_, len(calls), messages)
                said = [*calling, *between]  # a text between call and result would part the two
                texts = [part for one in said for part in _said(one, media)]
                _append(contents, "model", texts + call_parts(calls, names))
                _append(contents, "user", result_parts(placed, calls, between, names, media))
                next_ += len(between)
            case AssistantMessage() as message:
                _append(contents, "model", _signed(_said(placed, media), of_message(message)))
            case ToolMessage() | FunctionMessage():
                _append(contents, "user", stray_result(placed, media))
            case _:
                pass
        next_ += 1
    return contents


def _said(placed: Placed, media: MediaReader) -> list[gemini.Part]:
    message = placed.message
    if not isinstance(message, AssistantMessage):
        return []
    refusal = [gemini.Part(text=message.refusal)] if message.refusal else []
    return content_parts(placed, media) + refusal


def _signed(parts: list[gemini.Part], signature: str | None) -> list[gemini.Part]:
    """Put the signature of a text on its last part."""
    if parts and signature is not None:
        parts[-1].thought_signature = signature
    return parts


def _append(contents: list[gemini.Content], role: str, parts: list[gemini.Part]) -> None:
    """Add a turn, or add to the last one if it has the same role."""
    if not parts:
        return
    if contents and contents[-1].role == role and contents[-1].parts is not None:
        contents[-1].parts.extend(parts)
    else:
        contents.append(gemini.Content(role=role, parts=list(parts)))


def _texts_only(position: int, message: DeveloperMessage | SystemMessage) -> list[gemini.Part]:
    """Return a system message's texts; raise `InvalidRequestError` where it is more than text."""
    parts = message.content if isinstance(message.content, list) else []
    for index, part in enumerate(parts):
        if isinstance(part, MediaPart):
            param = f"messages[{position}].content[{index}].type"
            msg = (
                f"Invalid '{param}': a system message takes text only. Let the user send the rest."
            )
            raise InvalidRequestError(msg, param=param, code="invalid_value")
    return [gemini.Part(text=text) for text in texts_of(message.content) if text]
