"""Gemini's token counts in the course of a stream: what is kept of them."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import astuple

from service.schemas.gemini import UsageMetadata

#: How many are kept as they came, where not each says all that the one before it said.
_MOST = 8


def keep(usage: UsageMetadata, usages: list[UsageMetadata]) -> None:
    """Add to what a stream has counted, and let go of what nobody asks for any more.

    Most events of a stream bring counts, and all of a long stream's would be most of its memory.
    """
    if usages and _says_as_much(usage, usages[-1]):
        usages[-1] = usage
        return
    usages.append(usage)
    if len(usages) > _MOST:
        usages[:] = [latest(usages)]


def _says_as_much(usage: UsageMetadata, before: UsageMetadata) -> bool:
    for new, old in zip(astuple(usage), astuple(before), strict=True):
        if new is None and old is not None:
            return False
    return True


def latest(usages: Sequence[UsageMetadata]) -> UsageMetadata:
    """Return the last of each count: they are running totals, and events leave some of them out."""
    if len(usages) == 1:
        return usages[0]
    said: list[Any] = [None] * len(UsageMetadata.__struct_fields__)
    for usage in usages:
        for number, value in enumerate(astuple(usage)):
            if value is not None:
                said[number] = value
    return UsageMetadata(*said)
