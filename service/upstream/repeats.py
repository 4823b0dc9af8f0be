"""Events that say the same as the one before them, but for their words and counts.

Most events of a stream are like that. Their words can be cut out as they stand, and go into the
client's JSON unread: to take the rest apart, and to look at it, is half of what a chunk costs.
"""

import re
from collections.abc import Sequence

import msgspec

_TEXT = re.compile(rb'"text"\s*:\s*("(?:[^"\\]|\\.)+")')
_NAME = b"data: "
_COUNTS = b'"usageMetadata"'
_DIGITS = b"0123456789"

_strings = msgspec.json.Decoder(str)


class Repeats:
    """Knows one event as it came, with its line's name and end, and those that repeat it."""

    __slots__ = ("_after", "_before", "_rest")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._before = self._after = self._rest = b""

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
        rest = event[text.end() - 1 :]
        self._before = event[: text.start(1) + 1]
        #: What comes right after the words; in all of what comes after them numbers may differ.
        self._after = rest.partition(_COUNTS)[0]
        self._rest = rest.translate(None, _DIGITS)

    def words_in(self, data: bytes) -> Sequence[bytes]:
        """Return the words of events that all repeat what was learned, as strings of JSON.

        Nothing, if any of the events is another, or its words are empty or no whole characters.
        """
        before = self._before
        if not before or not data.startswith(before):
            return ()
        begin = len(before)
        end = data.find(self._after, begin)
        # Most reads bring one.
        if end > begin and data[end:].translate(None, _DIGITS) == self._rest:
            words = data[begin - 1 : end + 1]
            try:
                _strings.decode(words)  # where it was cut, no string need end
            except (msgspec.DecodeError, UnicodeDecodeError):
                return ()
            return (words,)
        return self._words_in_many(data)

    def _words_in_many(self, data: bytes) -> Sequence[bytes]:
        found: list[bytes] = []
        at = 0
        while at < len(data):
            # The name of an event's line stands in no event.
            next_ = data.find(b"\n" + _NAME, at) + 1 or len(data)
            if next_ - at == len(data):
                return ()
            words = self.words_in(data[at:next_])
            if not words:
                return ()
            found += words
            at = next_
        return found


def last_event(data: bytes) -> bytes:
    """Return the last one of events that have a line of data each."""
    return data[data.rfind(b"\n" + _NAME) + 1 :]


def _string(data: bytes) -> str | None:
    try:
        return _strings.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
