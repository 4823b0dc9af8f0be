"""Thought signatures that instances share, by way of somebody who may be away.

Losing one costs a bypass value, so nothing is waited for that is not there at once.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from service import background
from service.signatures.memory import MemorySignatures

logger = logging.getLogger(__name__)

#: Seconds for which a request waits for what another instance may have kept.
READ_SECONDS = 0.5
#: Seconds for which the others are left alone after a failure.
DOWN_SECONDS = 5.0
#: Seconds between two lines in the log that say the same.
LOG_SECONDS = 60.0


class Shelf(Protocol):
    """Where all instances can reach. Both raise whatever they like."""

    async def read(self, keys: Iterable[str]) -> dict[str, str]:
        """Return those that are there; one call, however many."""
        ...

    async def write(self, signatures: Mapping[str, str]) -> None:
        """Keep them; one call, however many."""
        ...


class SharedSignatures:
    """A `SignatureStore` that looks into its own memory first."""

    def __init__(self, memory: MemorySignatures, shelf: Shelf) -> None:
        self._memory = memory
        self._shelf = shelf
        self._down_until = 0.0
        self._logged_at = -LOG_SECONDS

    async def find(self, steps: Sequence[Sequence[str]]) -> Mapping[str, str]:
        # The signatures of a step were kept together, and most have only one.
        found: dict[str, str] = {}
        missing: list[str] = []
        for step in steps:
            known = self._memory.known(step)
            found |= known
            if not known:
                missing += step
        if not missing or time.monotonic() < self._down_until:
            return found
        try:
            async with asyncio.timeout(READ_SECONDS):
                others = await self._shelf.read(missing)
        except Exception as error:  # noqa: BLE001  (whatever it is, no request may fail for it)
            self._is_down(error)
            return found
        self._memory.keep(others)
        return found | others

    def keep(self, signatures: Mapping[str, str]) -> None:
        self._memory.keep(signatures)
        if signatures and time.monotonic() >= self._down_until:
            background.beside_the_answer(self._write(signatures))

    async def _write(self, signatures: Mapping[str, str]) -> None:
        try:
            await self._shelf.write(signatures)
        except Exception as error:  # noqa: BLE001
            self._is_down(error)

    def _is_down(self, error: Exception) -> None:
        now = time.monotonic()
        self._down_until = now + DOWN_SECONDS
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            said = str(error) or type(error).__name__
            logger.warning("thought signatures cannot be shared: %s", said)
