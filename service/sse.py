"""Server-sent events, without any I/O: bytes in, events out, and back.

The grammar is https://html.spec.whatwg.org/multipage/server-sent-events.html, of which Google and
OpenAI use only the field `data`.
"""

DONE = b"data: [DONE]\n\n"
KEEPALIVE = b": keepalive\n\n"
#: What a decoder is fed after the last byte, for an event whose end did not come.
END = b"\n\n"

#: Google sends events of more than a megabyte (images); nothing of this size is an event.
MAX_EVENT_BYTES = 64 * 1024 * 1024

_FIELDS = (b"event", b"id", b"retry")
_BOM = b"\xef\xbb\xbf"
_CR = 13


def encode(data: bytes) -> bytes:
    r"""Frame one line of JSON. The line ends are `\n`, as OpenAI's are."""
    return b"data: " + data + b"\n\n"


class EventTooLargeError(ValueError):
    """An event, or what passes for one, is larger than `MAX_EVENT_BYTES`."""


class Decoder:
    """Collects bytes, however they were cut, into the `data` of whole events.

    Lines are split as bytes: a JSON string may hold U+2028, U+2029 and U+0085 as they are, and what
    splits text into lines splits there too.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of the line that has not ended yet
        self._data: list[bytes] = []  # of the event that has not ended yet
        self._stray: list[bytes] = []
        self._sizes = {"pieces": 0, "data": 0, "stray": 0}
        self._first = True
        #: Whether what was fed ended with the end of an event.
        self.is_between_events = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take some bytes; return the events that they complete. Raise `EventTooLargeError`."""
        if not chunk:
            return []
        if self.is_between_events and (events := _whole_events(chunk)):
            self._first = False
            return events
        self._sizes["pieces"] += len(chunk)
        if sum(self._sizes.values()) > MAX_EVENT_BYTES:
            raise EventTooLargeError
        if b"\n" not in chunk and b"\r" not in chunk and not self._after_cr():
            self.is_between_events = False
            self._pieces.append(chunk)  # joined once, when the line ends: a line can be long
            return []
        lines = b"".join([*self._pieces, chunk]).splitlines(keepends=True)
        # Without its end the last line is incomplete, and after a CR an LF may still follow.
        self._pieces = [] if lines[-1].endswith(b"\n") else [lines.pop()]
        self._sizes["pieces"] = sum(map(len, self._pieces))
        return self._events(lines)

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        size = self._sizes["data"]
        for ended in lines:
            line = ended.rstrip(b"\r\n")
            if self._first:
                self._first = False
                line = line.removeprefix(_BOM)
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
                size += len(line) + 1
            elif line:
                self._other(line)
            elif self._data:
                if event := b"\n".join(self._data):
                    events.append(event)
                self._data, size = [], 0
        self._sizes["data"] = size
        self.is_between_events = not (self._data or self._pieces)
        return events

    @property
    def stray(self) -> bytes:
        """The lines that were no server-sent events: JSON sent as it is, or a page."""
        return b"\n".join(self._stray)

    def _after_cr(self) -> bool:
        return bool(self._pieces) and self._pieces[-1].endswith(b"\r")

    def _other(self, line: bytes) -> None:
        if not line.startswith(b":") and line.partition(b":")[0] not in _FIELDS:
            self._stray.append(line)
            self._sizes["stray"] += len(line) + 1


def _whole_events(chunk: bytes) -> list[bytes] | None:
    """Return the events of a read that is nothing but some of one line each, as most reads are."""
    end = b"\r\n\r\n" if chunk.endswith(b"\r\n\r\n") else b"\n\n"
    if not (chunk.startswith(b"data: ") and chunk.endswith(end)):
        return None
    events = chunk[6 : -len(end)].split(end + b"data: ")
    count = 2 * len(events)
    if chunk.count(b"\n") != count or chunk.count(b"\r") != (count if end[0] == _CR else 0):
        return None
    return None if b"" in events else events
