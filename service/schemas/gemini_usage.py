"""Gemini's token counts in the course of a stream."""

from itertools import repeat
from operator import is_

from msgspec.structs import astuple

from service.schemas.gemini import GenerateContentResponse, UsageMetadata


class RunningUsage:
    """The last value of each count: they are running totals, and events leave some of them out.

    Most events of a stream bring counts; what is kept of them does not grow with it.
    """

    __slots__ = ("_gaps", "latest")

    def __init__(self, latest: UsageMetadata | None = None) -> None:
        #: None as long as there was nothing.
        self.latest = latest
        self._gaps: tuple[bool, ...] = ()

    def complete(self, response: GenerateContentResponse) -> None:
        """Add to a response's counts, if it has any, what earlier ones said and it leaves out."""
        usage = response.usage_metadata
        if usage is None:
            return
        gaps = tuple(map(is_, astuple(usage), repeat(None)))
        if self.latest is not None and gaps != self._gaps:
            pairs = zip(astuple(usage), astuple(self.latest), strict=True)
            usage = UsageMetadata(*[old if new is None else new for new, old in pairs])
            response.usage_metadata = usage
            gaps = tuple(map(is_, astuple(usage), repeat(None)))
        self.latest, self._gaps = usage, gaps
