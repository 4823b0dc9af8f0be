"""Gemini's token counts in the course of a stream: what is kept of them."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import astuple

from service.schemas.gemini import UsageMetadata

#: How many are kept as they came: to put them together costs more than to keep them.
_MOST = 8


def keep(usage: UsageMetadata, usages: list[UsageMetadata]) -> None:
    """Add to what a stream has counted, and let go of what nobody asks for any more.

    Most events of a stream bring counts, and all of a long stream's would be most of its memory.
    """
    usages.append(usage)
    if len(usages) > _MOST:
        usages[:] = [latest(usages)]


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
