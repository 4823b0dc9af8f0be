"""What an answer rests on: Gemini's grounding, as OpenAI's annotations or as links in the text.

Gemini counts bytes of UTF-8, in the part that it names; OpenAI counts characters of the whole
content, which may hold more than Gemini's words: thoughts in tags, code that was run.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import msgspec

from service.schemas import gemini
from service.schemas.openai_chat import Annotation, UrlCitation
from service.translation.reasoning import CLOSE_TAG, OPEN_TAG, Piece, said

_decoder = msgspec.json.Decoder(gemini.GroundingMetadata, strict=False)


class _Cited(NamedTuple):
    number: int  # of the source, from 1 on
    citation: UrlCitation


class _Text:
    """Gemini's words, in bytes and in characters."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        # Runs of words between which the content has nothing else: where each begins in the bytes,
        # and in the content. One for each piece would be more than the words themselves.
        self._starts: list[int] = []
        self._positions: list[int] = []
        self._end = -1  # of the last one in the content
        self._parts: list[int] = []  # where each of Gemini's parts begins

    def __bool__(self) -> bool:
        return bool(self._starts)

    def begin_part(self) -> None:
        self._parts.append(len(self._bytes))

    def write(self, text: str, position: int) -> None:
        """Add words that stand there in the content."""
        if position != self._end:
            self._starts.append(len(self._bytes))
            self._positions.append(position)
        self._bytes += text.encode()
        self._end = position + len(text)

    def position(self, segment: gemini.Segment) -> tuple[int, int]:
        """Return where the segment begins and ends in the content.

        Where the words are told, too, they decide between the part that is named, the text as a
        whole, and any other place; else the part is believed. What is out of range is moved inside.
        """
        part, words = segment.part_index or 0, (segment.text or "").encode()
        start = max(segment.start_index or 0, 0)
        length = max((segment.end_index or 0) - start, 0)
        named = self._parts[part] if 0 <= part < len(self._parts) else 0
        start, end = named + start, named + start + length
        if words and self._bytes[start:end] != words:
            whole = start - named
            if self._bytes[whole : whole + length] == words:
                start, end = whole, whole + length
            elif (at := self._bytes.find(words)) >= 0:
                start, end = at, at + len(words)
        start, end = min(start, len(self._bytes)), min(end, len(self._bytes))
        if start == end:
            return (self._at(start),) * 2
        begins = self._at(start)
        return begins, max(begins, self._at(end, ends=True))

    def _at(self, offset: int, *, ends: bool = False) -> int:
        """Between two runs an end belongs to the first, and a beginning to the second."""
        bisect = bisect_left if ends else bisect_right
        index = max(bisect(self._starts, offset) - 1, 0)
        inside = self._bytes[self._starts[index] : offset]
        return self._positions[index] + len(inside.decode(errors="ignore"))


class Grounding:
    """Follows one choice as its content grows, and says at the end which words have which source.

    Some servers tell it in several pieces; a piece is about the text from its beginning.

    Args:
        follows: whether there can be a source at all. Without it nothing is kept.

    """

    def __init__(self, *, follows: bool = True) -> None:
        self.follows = follows
        self._text = _Text()
        self._last: Piece | None = None
        self._length = 0
        self._found: list[gemini.GroundingMetadata] = []

    @classmethod
    def of(cls, candidate: gemini.Candidate, *, tagged: bool) -> "Grounding":
        """Follow a whole answer, whose thoughts stand in its content or do not."""
        grounding, in_tag = cls(), False
        for part in (candidate.content and candidate.content.parts) or []:
            grounding.begin_part()
            piece = said(part)
            if in_tag and (part.function_call is not None or (piece and not piece.thought)):
                grounding.skip(len(CLOSE_TAG))
                in_tag = False
            if piece is None:
                continue
            if not piece.thought:
                grounding.write(piece)
            elif tagged:
                grounding.skip(len(piece.text) + (0 if in_tag else len(OPEN_TAG)))
                in_tag = True
        grounding.learn(candidate)
        return grounding

    def learn(self, candidate: gemini.Candidate) -> None:
        """Take what a candidate says of sources. What cannot be read is not worth the answer."""
        if not candidate.grounding_metadata:
            return
        try:
            found = _decoder.decode(candidate.grounding_metadata)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if found.grounding_supports and found.grounding_chunks:
            self._found.append(found)

    def follow(self, piece: Piece) -> None:
        """Take the next piece of a stream: in a stream, neighbours of one kind are one part."""
        if not self.follows:
            return
        last, self._last = self._last, piece
        if last is None or piece.code or (last.thought, last.code) != (piece.thought, False):
            self.begin_part()
        if not piece.thought:
            self.write(piece)

    def begin_part(self) -> None:
        self._text.begin_part()

    def write(self, piece: Piece) -> None:
        if not piece.code:
            self._text.write(piece.text, self._length)
        self._length += len(piece.text)

    def skip(self, length: int) -> None:
        """Take note of what is written into the content and is not of the answer."""
        self._length += length

    def annotations(self) -> list[Annotation]:
        return [Annotation(cited.citation) for cited in self._cited()]

    def in_text(self, content: str) -> tuple[str, list[Annotation]]:
        """Put a link after all that has a source; return the annotations of the new text."""
        links: dict[int, str] = {}
        cited = self._cited()
        for number, citation in cited:
            link = _link(number, citation.url)
            if link not in links.get(citation.end_index, ""):
                links[citation.end_index] = links.get(citation.end_index, "") + link
        ends = sorted(links)
        pieces, shifts = [], [0]
        for begin, end in pairwise([0, *ends]):
            pieces += [content[begin:end], links[end]]
            shifts.append(shifts[-1] + len(links[end]))
        pieces.append(content[ends[-1] :] if ends else content)
        for _, citation in cited:
            # A link that ends where these words begin is before them, one at their end is after.
            citation.start_index += shifts[bisect_right(ends, citation.start_index)]
            citation.end_index += shifts[bisect_left(ends, citation.end_index)]
            citation.end_index = max(citation.start_index, citation.end_index)
        return "".join(pieces), [Annotation(citation) for _, citation in cited]

    def listed(self) -> str:
        """Return the sources as a list to stand after a text that cannot be changed any more."""
        lines = {
            f"- {_link(number, citation.url)} {_line(citation.title)}": number
            for number, citation in self._cited()
        }
        if not lines:
            return ""
        return "\n\n" + "\n".join(sorted(lines, key=lines.__getitem__)) + "\n"

    def _cited(self) -> list[_Cited]:
        if not self._found or not self._text:
            return []
        found = [one for metadata in self._found for one in _read(metadata, self._text)]
        return list({msgspec.structs.astuple(one.citation): one for one in found}.values())


def _read(metadata: gemini.GroundingMetadata, text: _Text) -> Iterator[_Cited]:
    chunks = metadata.grounding_chunks or []
    for support in metadata.grounding_supports or []:
        if support.segment is None:
            continue
        start, end = text.position(support.segment)
        for index in support.grounding_chunk_indices or []:
            chunk = chunks[index] if 0 <= index < len(chunks) else None
            source = chunk and (chunk.web or chunk.maps or chunk.retrieved_context)
            if source and source.uri:
                title = source.title or source.domain or source.uri
                yield _Cited(index + 1, UrlCitation(start, end, source.uri, title))


_ESCAPES = str.maketrans({"(": "%28", ")": "%29", " ": "%20", "<": "%3C", ">": "%3E", "\n": "%0A"})


def _link(number: int, uri: str) -> str:
    return f"[{number}]({uri.translate(_ESCAPES)})"


def _line(title: str) -> str:
    return " ".join(title.split())
