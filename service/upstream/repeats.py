"""Events that say the same as the one before them, but for their words and counts.

Most events of a stream are like that. Their words can be cut out as they stand, and go into the
client's JSON unread: to take the rest apart, and to look at it, is half of what a chunk costs.
"""

import re

import msgspec

_TEXT = re.compile(rb'"text"\s*:\s*("(?:[^"\\]|\\.)+")')
_NAME = b"data: "
_COUNTS = b'"usageMetadata"'
_ANY_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)

_strings = msgspec.json.Decoder(str)


class Repeats:
    """Knows one event as it came, with its line's name and end, and those that repeat it."""

    __slots__ = ("_after", "_before", "_beside")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._before = self._after = self._beside = b""

    def learn(self, data: bytes, words: str) -> None:
        """Learn the last one of whole events.

        Args:
            data: that came.
            words: that the event says, and beside its token counts nothing of interest.

        """
        self.forget()
        event = last_event(data)
        if not event.startswith(_NAME):
            return
        text = _TEXT.search(event)
        if text is None or event.count(b'"text"') > 1 or _string(text[1]) != words:
            return
        after, name, counts = event[text.end() - 1 :].partition(_COUNTS)
        self._before = event[: text.start(1) + 1]
        self._after = after + name
        self._beside = counts.translate(_ANY_DIGIT)

    def words_in(self, data: bytes) -> list[bytes]:
        """Return the words of events that all repeat what was learned, as strings of JSON.

        Nothing, if any of the events is another, or its words are empty or no whole characters.
        """
        found: list[bytes] = []
        if not self._before:
            return found
        at, size = 0, len(data)
        while at < size:
            if not data.startswith(self._before, at):
                return []
            begin = at + len(self._before)
            end = data.find(self._after, begin)
            if end <= begin:
                return []
            beside = end + len(self._after)
            at = beside + len(self._beside)
            if data[beside:at].translate(_ANY_DIGIT) != self._beside:
                return []
            words = data[begin - 1 : end + 1]
            if _string(words) is None:  # where it was cut, no string need end
                return []
            found.append(words)
        return found


def last_event(data: bytes) -> bytes:
    """Return the last one of events that have a line of data each."""
    return data[data.rfind(b"\n" + _NAME) + 1 :]


def _string(data: bytes) -> str | None:
    try:
        return _strings.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
