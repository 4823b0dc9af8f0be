"""Thoughts on their way to the client: in fields of their own, in tags, or not at all."""

from typing import Literal, NamedTuple

from msgspec import UNSET

from service.schemas import gemini
from service.schemas.openai_chat import AssistantReply, Delta
from service.translation.code_execution import as_markdown

#: Where thoughts go: `REASONING_FIELD`. Most clients read `reasoning_content`, some `reasoning`.
ReasoningField = Literal["both", "reasoning_content", "reasoning", "tags", "none"]

OPEN_TAG = "<thinking>"
CLOSE_TAG = "</thinking>"


class Piece(NamedTuple):
    """Neighbouring texts of one kind; an empty one ends the thoughts before a call or an image."""

    text: str
    thought: bool
    #: Whether it is code that Gemini has run, or its output, in our words.
    code: bool = False


def pieces(candidate: gemini.Candidate) -> list[Piece]:
    """Return the texts of a candidate in their order, neighbours of one kind joined."""
    found: list[Piece] = []
    for part in (candidate.content and candidate.content.parts) or []:
        drawn = part.inline_data is not None and not part.thought
        if (part.function_call is not None or drawn) and (not found or found[-1].thought):
            found.append(Piece("", thought=False))
        piece = said(part)
        if piece is None:
            continue
        if found and not piece.code and found[-1][1:] == piece[1:]:
            found[-1] = piece._replace(text=found[-1].text + piece.text)
        else:
            found.append(piece)
    return found


def said(part: gemini.Part) -> Piece | None:
    """Return the text of one part, if it has any."""
    code = "" if part.text else as_markdown(part)
    text = part.text or code
    return Piece(text, bool(part.thought), bool(code)) if text else None


def reply(said: list[Piece], field: ReasoningField) -> AssistantReply:
    """Return the message of a complete answer.

    A field for thoughts is never empty and never null: some clients look no further than the first
    one that is there.
    """
    content = "".join([piece.text for piece in said if not piece.thought])
    thoughts = "".join([piece.text for piece in said if piece.thought])
    if not thoughts or field == "none":
        return AssistantReply(content=content)
    if field == "tags":
        return AssistantReply(content=_tagged(said))
    return AssistantReply(
        content=content,
        reasoning_content=thoughts if field != "reasoning" else UNSET,
        reasoning=thoughts if field != "reasoning_content" else UNSET,
    )


def _tagged(said: list[Piece]) -> str:
    """Put tags around thoughts where they stand, as a stream must."""
    texts = [
        f"{OPEN_TAG}{piece.text}{CLOSE_TAG}" if piece.thought else piece.text for piece in said
    ]
    return "".join(texts)


class ThoughtWriter:
    """Writes the thoughts of one streamed choice; remembers whether a tag is open."""

    def __init__(self, field: ReasoningField) -> None:
        self._field = field
        self.is_open = False  # a tag

    def write(self, thought: str) -> Delta | None:
        """Return what says this thought; None if nothing shall."""
        match self._field:
            case "none":
                return None
            case "tags":
                tag = "" if self.is_open else OPEN_TAG
                self.is_open = True
                return Delta(content=tag + thought)
            case "reasoning_content":
                return Delta(reasoning_content=thought)
            case "reasoning":
                return Delta(reasoning=thought)
            case "both":
                return Delta(reasoning_content=thought, reasoning=thought)

    def close(self) -> str:
        """Return what must stand before anything else, and at the end: a tag or nothing."""
        if not self.is_open:
            return ""
        self.is_open = False
        return CLOSE_TAG
