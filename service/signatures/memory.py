"""Thought signatures by call id, in this process: bounded, and forgotten after a day."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

#: Seconds. A tool that asks a person may take hours.
KEPT_SECONDS = 24 * 3600
#: Of all of them. One is a thousand bytes or so.
MOST = 20_000
MOST_BYTES = 16 * 1024 * 1024
#: Longer than any that was seen, and less than a Firestore document holds.
LONGEST = 512 * 1024


class _Kept(NamedTuple):
    signature: str
    until: float

    def __repr__(self) -> str:
        return "_Kept(…)"


class MemorySignatures:
    """A `SignatureStore` for an instance that is alone. What was not used for longest goes first.

    Args:
        most: how many are kept.
        most_bytes: how long they may be together, keys included.
        now: seconds since any moment.

    """

    def __init__(
        self,
        *,
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    async def find(self, steps: Sequence[Sequence[str]]) -> Mapping[str, str]:
        return self.known([key for step in steps for key in step])

    def keep(self, signatures: Mapping[str, str]) -> None:
        until = self._now() + KEPT_SECONDS
        for key, signature in signatures.items():
            self._forget(key)
            self._kept[key] = _Kept(signature, until)
            self._bytes += len(key) + len(signature)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            self._forget(next(iter(self._kept)))

    def known(self, keys: Iterable[str]) -> dict[str, str]:
        """Return those of the keys that are kept, with their signatures."""
        found: dict[str, str] = {}
        now = self._now()
        for key in keys:
            kept = self._kept.get(key)
            if kept is None:
                continue
            if kept.until <= now:
                self._forget(key)
            else:
                self._kept.move_to_end(key)
                found[key] = kept.signature
        return found

    def _forget(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(key) + len(kept.signature)
