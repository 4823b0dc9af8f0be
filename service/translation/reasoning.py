"""Thoughts on their way to the client: in fields of their own, in tags, or not at all."""

from typing import Literal, NamedTuple

from msgspec import UNSET

from service.schemas import gemini
from service.schemas.openai_chat import AssistantReply, Delta

#: Where thoughts go: `REASONING_FIELD`. Most clients read `reasoning_content`, some `reasoning`.
ReasoningField = Literal["both", "reasoning_content", "reasoning", "tags", "none"]

OPEN_TAG = "<thinking>"
CLOSE_TAG = "</thinking>"


class Piece(NamedTuple):
    """Neighbouring texts of one kind; an empty one is a call that ends the thoughts before it."""

    text: str
    thought: bool


def pieces(candidate: gemini.Candidate) -> list[Piece]:
    """Return the texts of a candidate in their order, neighbours of one kind joined."""
    found: list[Piece] = []
    for part in (candidate.content and candidate.content.parts) or []:
        if part.function_call is not None and (not found or found[-1].thought):
            found.append(Piece("", thought=False))
        if not part.text:
            continue
        thought = bool(part.thought)
        if found and found[-1].thought == thought:
            found[-1] = Piece(found[-1].text + part.text, thought)
        else:
            found.append(Piece(part.text, thought))
    return found


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
        self._open = False

    def write(self, thought: str) -> Delta | None:
        """Return what says this thought; None if nothing shall."""
        match self._field:
            case "none":
                return None
            case "tags":
                tag = "" if self._open else OPEN_TAG
                self._open = True
                return Delta(content=tag + thought)
            case "reasoning_content":
                return Delta(reasoning_content=thought)
            case "reasoning":
                return Delta(reasoning=thought)
            case "both":
                return Delta(reasoning_content=thought, reasoning=thought)

    def close(self) -> str:
        """Return what must stand before anything else, and at the end: a tag or nothing."""
        if not self._open:
            return ""
        self._open = False
        return CLOSE_TAG
