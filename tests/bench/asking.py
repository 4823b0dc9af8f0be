"""What the load asks for, and the cheap upstream says: one definition for both.

The prompt carries it, so that it comes through any gateway.
"""

import re
from functools import cache
from typing import NamedTuple, Self

MODEL = "gemini-2.5-flash"
KEY = "sk-bench-client"
GEMINI_KEY = "bench-gemini-key"
#: Before and after the nanoseconds at which the upstream wrote a chunk.
STAMP = b"~%019d~"
STAMPED = re.compile(rb"~(\d{19})~")
#: Every answer begins with it.
BEGINNING = b"00000 "

_MARK = re.compile(rb"\[say (\d+) x (\d+) every (\d+)\]")
_FILLER = (
    'A "fox" jumps\tover 5 \N{GREEK SMALL LETTER MU}m of \N{EM DASH} say \\ it \N{EM DASH} ice.\n'
)


class Wanted(NamedTuple):
    """So many chunks, of so many characters, so many milliseconds apart; 0 is at once.

    Chunks that are some time apart say when they were written.
    """

    chunks: int = 10
    size: int = 40
    pause: int = 0

    def mark(self) -> str:
        return f"[say {self.chunks} x {self.size} every {self.pause}]"

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Find the mark in a request's bytes."""
        found = _MARK.search(body)
        return cls(*map(int, found.groups())) if found else cls()

    def texts(self) -> list[str]:
        return [_text(number, self.size) for number in range(self.chunks)]


@cache
def _text(number: int, size: int) -> str:
    head = f"{number:05d} "
    return (head + _FILLER * (size // len(_FILLER) + 1))[:size]
