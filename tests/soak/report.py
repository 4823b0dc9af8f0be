"""What a soak found: whether each demand was met, as JSON and as a table."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from msgspec import Struct, field

from tests.soak.accounts import Accounts
from tests.soak.kinds import FAULTS, KINDS
from tests.soak.watching import Held

_GROWTH = 0.03  # of resident memory, from one third of the time to the next
_ENOUGH = 60  # seconds of a soak, for its memory to mean anything


class Row(Struct):
    """A kind of request."""

    kind: str
    fault: bool
    requests: int
    outcomes: dict[str, int]


class Report(Struct):
    """All of it."""

    seconds: float
    requests: int
    rows: list[Row]
    played: dict[str, int]
    samples: list[Held]
    before: Held
    after: Held
    log_missing: int
    log_doubled: int
    unexplained: int
    first_unexplained: list[str]
    open_streams: float
    open_at_google: int
    exit_status: int
    #: Medians of the thirds of the time, in KB.
    thirds: list[float] = field(default_factory=list)
    met: dict[str, bool] = field(default_factory=dict)

    def judge(self) -> bool:
        """Fill in `thirds` and `met`; return whether all is."""
        self.thirds = _thirds(self.samples, self.seconds)
        _, middle, last = self.thirds
        kept_before = self.before.files - self.before.to_google
        kept_after = self.after.files - self.after.to_google
        self.met = {
            "every request has one line in the log": not self.log_missing and not self.log_doubled,
            "nothing is unexplained": not self.unexplained,
            "no file or socket is left open": kept_after <= kept_before,
            "no stream and no call to Google is left open": not (
                self.open_streams or self.open_at_google
            ),
            "it ended when it was told to": self.exit_status == 0,
        }
        if self.seconds >= _ENOUGH:
            self.met["memory is flat"] = last <= middle * (1 + _GROWTH)
        return all(self.met.values())

    def table(self) -> str:
        lines = [f"{'request':34} {'sent':>6}  came of it"]
        for row in sorted(self.rows, key=lambda row: (row.fault, row.kind)):
            found = ", ".join(f"{each}: {count}" for each, count in row.outcomes.items())
            lines.append(f"{row.kind:34} {row.requests:6}  {found}")
        first, middle, last = (each / 1024 for each in self.thirds)
        change = last / middle - 1 if middle else 0
        failed = sum(self.played.values())
        most = max((sample.files for sample in self.samples), default=0)
        lines += [
            "",
            f"{self.requests} requests in {self.seconds:.0f} s; Google failed {failed} times",
            f"memory by thirds: {first:.1f}, {middle:.1f}, {last:.1f} MiB ({change:+.1%} at last)",
            f"open files: {self.before.told()} before, {self.after.told()} after, at most {most}",
            f"threads: {self.before.threads} before, {self.after.threads} after",
            f"requests in the log: {self.log_missing} not there, {self.log_doubled} several times",
            f"unexplained: {self.unexplained}",
            *(f"  {each}" for each in self.first_unexplained),
            "",
            *(f"{'met    ' if met else 'NOT MET'} {demand}" for demand, met in self.met.items()),
        ]
        return "\n".join(lines)


def rows_of(accounts: Accounts) -> list[Row]:
    return [
        Row(kind, kind in FAULTS, counts.total(), dict(counts.most_common()))
        for kind in KINDS
        if (counts := accounts.outcomes.get(kind))
    ]


def _thirds(samples: Sequence[Held], seconds: float) -> list[float]:
    def of(third: int) -> float:
        found: list[Any] = [
            sample.kilobytes
            for sample in samples
            if seconds * third / 3 <= sample.seconds <= seconds * (third + 1) / 3
        ]
        return median(found) if found else 0

    return [of(0), of(1), of(2)]
