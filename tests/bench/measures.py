"""What the rounds say: one number for each target and round, medians of them, medians of ratios."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.bench.load import Outcome

Row = dict[str, Any]
#: Makes a measure of one round of one target; raises `KeyError` where it was not taken.
At = Callable[["Rounds", str, int], float]


def row_of(outcome: Outcome, streams: int) -> Row:
    """Put a round into numbers: milliseconds, microseconds, megabytes, kilobytes."""
    right = max(1, outcome.requests - len(outcome.errors))
    row: Row = {
        "requests": outcome.requests,
        "errors": len(outcome.errors),
        "cpu_ms": 1e3 * outcome.cpu / right,
        "cpu_us_per_chunk": 1e6 * outcome.cpu / max(1, outcome.chunks),
        "requests_per_s": outcome.requests / outcome.wall,
        "chunks_per_s": outcome.chunks / outcome.wall,
        "core": outcome.cpu / outcome.wall,
    }
    if outcome.errors:
        row["error"] = outcome.errors[0][:300]
    named = {
        "first_byte": outcome.first_byte,
        "first_content": outcome.first_content,
        "delay": outcome.delays,
    }
    for name, values in named.items():
        if values:
            values.sort()
            for percent in (50, 99):
                row[f"{name}_p{percent}"] = 1e3 * values[len(values) * percent // 100]
    if streams:
        row["kb_per_stream"] = (outcome.rss_open - outcome.rss_before) / 1e3 / streams
    return row


@dataclass
class Rounds:
    """All rounds of a run."""

    rows: dict[tuple[str, str], list[Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, case: str, target: str, row: Row) -> None:
        self.rows[case, target].append(row)

    def get(self, case: str, target: str, number: int) -> Row:
        """Return a round; raise `KeyError` if there is none."""
        rows = self.rows.get((case, target), [])
        if number >= len(rows):
            raise KeyError(case, target, number)
        return rows[number]

    def median(self, at: At, target: str) -> float | None:
        """Return the median of a target's rounds; None if it was not measured."""
        return _median(self._all(lambda number: at(self, target, number)))

    def ratio(self, at: At, target: str, base: str) -> float | None:
        """Return the median of the ratios of rounds that ran side by side."""
        return _median(self._all(lambda number: at(self, target, number) / at(self, base, number)))

    def errors(self, target: str, cases: Iterable[str]) -> int:
        return sum(
            row.get("errors", 0) for case in cases for row in self.rows.get((case, target), [])
        )

    def _all(self, value: Callable[[int], float]) -> list[float]:
        values = []
        for number in range(max(map(len, self.rows.values()), default=0)):
            try:
                values.append(value(number))
            except (KeyError, ZeroDivisionError):
                continue
        return values


def _median(values: list[float]) -> float | None:
    return median(values) if values else None


def plain(case: str, name: str) -> At:
    """A number as it was taken."""
    return lambda rounds, target, number: rounds.get(case, target, number)[name]


def over_direct(case: str, name: str) -> At:
    """By how much it is more than without a gateway."""

    def at(rounds: Rounds, target: str, number: int) -> float:
        direct = rounds.get(case, "direct", number)[name]
        return float(rounds.get(case, target, number)[name] - direct)

    return at


def burst_chunk(rounds: Rounds, target: str, number: int) -> float:
    """Microseconds of CPU for one more chunk, without the request's own share."""
    many = rounds.get("burst200", target, number)["cpu_ms"]
    few = rounds.get("burst10", target, number)["cpu_ms"]
    return float(1e3 * (many - few) / 190)


@dataclass(frozen=True)
class Measure:
    label: str
    at: At
    digits: int = 1


MEASURES = {
    "small": Measure("CPU per small request, ms", plain("small", "cpu_ms"), 3),
    "burst": Measure("CPU per chunk in a burst, µs", burst_chunk),
    "paced": Measure("CPU per chunk every 50 ms, µs", plain("paced", "cpu_us_per_chunk")),
    "rate": Measure("small requests/s, one core", plain("small", "requests_per_s"), 0),
    "chunk_rate": Measure("chunks/s in bursts, one core", plain("burst200", "chunks_per_s"), 0),
    **{
        f"{what}_p{percent}": Measure(
            f"{what.replace('_', ' ')} over direct, p{percent}, ms",
            over_direct("first", f"{what}_p{percent}"),
            2,
        )
        for what in ("first_byte", "first_content")
        for percent in (50, 99)
    },
    "image": Measure("CPU per image of 1 MiB, ms", plain("image", "cpu_ms"), 2),
    "history": Measure("CPU per 300 messages, ms", plain("history", "cpu_ms"), 2),
    **{
        f"delay{streams}": Measure(
            f"delay of a chunk over direct at {streams} streams, p99, ms",
            over_direct(f"streams{streams}", "delay_p99"),
        )
        for streams in (100, 500, 1000)
    },
    **{
        f"core{streams}": Measure(
            f"share of the core at {streams} streams", plain(f"streams{streams}", "core"), 2
        )
        for streams in (100, 500, 1000)
    },
    **{
        f"memory{streams}": Measure(
            f"memory per open stream at {streams}, kB", plain(f"streams{streams}", "kb_per_stream")
        )
        for streams in (100, 500, 1000)
    },
    "rest": Measure("memory at rest, MB", plain("cold", "rss_mb")),
    "cold": Measure("cold start to the first 200, s", plain("cold", "seconds"), 2),
    "cold_cpu": Measure("CPU by the first 200, s", plain("cold", "cpu_s"), 2),
    "token": Measure("cold start to the first token, s", plain("token", "seconds"), 2),
    "token_cpu": Measure("CPU by the first token, s", plain("token", "cpu_s"), 2),
}
