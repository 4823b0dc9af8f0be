"""What was promised, each as one number with its bound."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.measures import MEASURES, Rounds
from tests.bench.targets import BARE_ASGI, BARE_LITESTAR, OURS


@dataclass(frozen=True)
class Promise:
    """A measure of ours, or its ratio to another target's.

    Args:
        label: in words.
        measure: its name.
        bound: which it must not pass.
        base: whom it is divided by; as `at_least`, divided by us.
        cases: in which no error may have happened.

    """

    label: str
    measure: str
    bound: float
    cases: Sequence[str]
    base: str | None = None
    at_least: bool = False
    target: str = OURS

    def value(self, rounds: Rounds) -> float | None:
        """Return None if it was not measured."""
        at = MEASURES[self.measure].at
        if self.base is None:
            return rounds.median(at, self.target)
        pair = (self.base, self.target) if self.at_least else (self.target, self.base)
        return rounds.ratio(at, *pair)


@dataclass(frozen=True)
class Verdict:
    label: str
    value: float | None
    bound: str
    met: bool | None


_BURSTS = ("burst10", "burst200")

PROMISES = [
    Promise("CPU, small request: times nginx", "small", 25, ["small"], base="nginx"),
    Promise(
        "CPU, small request: LiteLLM's is so many times it",
        "small",
        30,
        ["small"],
        base="litellm",
        at_least=True,
    ),
    Promise("CPU, chunk in a burst: times nginx", "burst", 5, _BURSTS, base="nginx"),
    Promise(
        "CPU, chunk in a burst: LiteLLM's is so many times it",
        "burst",
        30,
        _BURSTS,
        base="litellm",
        at_least=True,
    ),
    Promise("CPU, chunk every 50 ms: times nginx", "paced", 6, ["paced"], base="nginx"),
    Promise("first content over direct, p50, ms", "first_content_p50", 1, ["first"]),
    Promise("first content over direct, p99, ms", "first_content_p99", 4, ["first"]),
    Promise("1,000 streams: delay over direct, p99, ms", "delay1000", 25, ["streams1000"]),
    Promise("1,000 streams: memory of each, kB", "memory1000", 40, ["streams1000"]),
    Promise(
        "1,000 streams, TLS upstream: delay over direct, p99, ms",
        "delay1000",
        25,
        ["streams1000"],
        target="gateway-tls",
    ),
    Promise(
        "1,000 streams, TLS upstream: memory of each, kB",
        "memory1000",
        80,
        ["streams1000"],
        target="gateway-tls",
    ),
    Promise("CPU, image of 1 MiB: times bare ASGI", "image", 2, ["image"], base=BARE_ASGI),
    Promise("cold start: times bare Litestar", "cold", 1.7, ["cold"], base=BARE_LITESTAR),
]


def verdicts(rounds: Rounds) -> list[Verdict]:
    """Hold the rounds against what was promised. A wrong answer breaks every promise."""
    found = []
    for promise in PROMISES:
        value = promise.value(rounds)
        met = None
        if value is not None:
            kept = value >= promise.bound if promise.at_least else value <= promise.bound
            met = kept and not rounds.errors(promise.target, promise.cases)
        bound = f"{'≥' if promise.at_least else '≤'} {promise.bound:g}"
        found.append(Verdict(promise.label, value, bound, met))
    return found
