"""Numbers of one gateway: counted when a request ends, handed out when somebody asks.

Plain dictionaries, because the libraries that know the formats cost a third of a second to import,
and nobody may ever ask.
"""

import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from service.telemetry import RequestAtHand

#: Seconds; of answers that begin at once, and of streams that go on for an hour.
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120, 300, 600, 1800, 3600)

#: How many different values a label may have; what comes later is `other`.
MOST_VALUES = 100
OTHER = "other"
_METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})

_TOKENS = ("prompt", "completion", "reasoning", "cached")

Labels = tuple[str, ...]


class Distribution:
    """How many values fell below each of the bounds, and their sum."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(BOUNDS, value)] += 1
        self.total += value


class Point(NamedTuple):
    """A value, and the values of the labels that it belongs to."""

    labels: Labels
    value: float
    #: Of a histogram: a count for each bucket, and what is above all bounds; `value` is their sum.
    counts: Sequence[int] = ()


class Family(NamedTuple):
    """A metric with all its points, as they are at one moment."""

    name: str  # without the suffixes that OpenMetrics adds
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    help: str
    labels: Labels
    points: Sequence[Point]


class Metrics:
    """An `Observer` that counts.

    Args:
        now: seconds since 1970.

    """

    traces = False

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.since = now()
        self._values: dict[str, set[str]] = {}
        self._requests: Counter[Labels] = Counter()
        self._first_byte: defaultdict[Labels, Distribution] = defaultdict(Distribution)
        self._duration: defaultdict[Labels, Distribution] = defaultdict(Distribution)
        self._tokens: Counter[Labels] = Counter()
        self._refreshes: Counter[Labels] = Counter()
        self._closed: Counter[Labels] = Counter()
        self._streams = 0

    def began(self) -> None: ...

    def finished(self, request: RequestAtHand) -> None:
        if request.quiet:
            return
        fields = request.fields
        method = fields["method"] if fields["method"] in _METHODS else OTHER
        route = fields["route"] or OTHER
        model = self._bounded("model", fields["model"])
        upstream = fields["upstream"] or ""
        code = self._bounded("code", fields["code"])
        self._requests[route, method, str(fields["status"]), code, model, upstream] += 1
        where = (route, model, upstream)
        if (seconds := request.first_byte_seconds) is not None:
            self._first_byte[where].observe(seconds)
        self._duration[where].observe(request.seconds)
        if fields["prompt_tokens"] is not None:
            for kind in _TOKENS:
                self._tokens[model, kind] += fields[f"{kind}_tokens"]

    def happened(self, event: str, fields: Mapping[str, Any]) -> None:
        match event:
            case "token_refreshed":
                self._refreshes["ok",] += 1
            case "credentials_refused":
                self._refreshes[self._bounded("code", fields["code"]),] += 1
            case "upstream_closed":
                self._closed[fields["upstream"], self._bounded("code", fields["code"])] += 1
            case _:
                pass

    def streaming(self, change: int) -> None:
        self._streams += change

    def families(self) -> list[Family]:
        """Return everything, as it is now."""
        where = ("route", "model", "upstream")
        return [
            Family(
                "gateway_requests",
                "counter",
                "",
                "Requests that have ended, successful probes of /health and /ready left aside.",
                ("route", "method", "status", "code", "model", "upstream"),
                _points(self._requests),
            ),
            Family(
                "gateway_first_byte_seconds",
                "histogram",
                "seconds",
                "Time until the answer began.",
                where,
                _distributed(self._first_byte),
            ),
            Family(
                "gateway_request_seconds",
                "histogram",
                "seconds",
                "Time until the answer was complete.",
                where,
                _distributed(self._duration),
            ),
            Family(
                "gateway_tokens",
                "counter",
                "",
                "Tokens that Google counted. Reasoning is part of completion, cached of prompt.",
                ("model", "kind"),
                _points(self._tokens),
            ),
            Family(
                "gateway_token_refreshes",
                "counter",
                "",
                "Access tokens that Google was asked for: ok, or the code of its refusal.",
                ("outcome",),
                _points(self._refreshes),
            ),
            Family(
                "gateway_upstream_closed",
                "counter",
                "",
                "How often a way to Gemini was left alone for a while.",
                ("upstream", "code"),
                _points(self._closed),
            ),
            Family(
                "gateway_streams_open",
                "gauge",
                "",
                "Streams that are under way.",
                (),
                [Point((), self._streams)],
            ),
        ]

    def _bounded(self, label: str, value: str | None) -> str:
        if value is None:
            return ""
        known = self._values.setdefault(label, set())
        if value not in known:
            if len(known) >= MOST_VALUES:
                return OTHER
            known.add(value)
        return value


def _points(counts: Mapping[Labels, int]) -> list[Point]:
    return [Point(labels, count) for labels, count in counts.items()]


def _distributed(found: Mapping[Labels, Distribution]) -> list[Point]:
    return [Point(labels, one.total, tuple(one.counts)) for labels, one in found.items()]
