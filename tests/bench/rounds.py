"""Lets the targets take turns, case after case: A B C, C B A, …"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import uvloop

from tests.bench.cases import CASES, Case
from tests.bench.checking import fault_of
from tests.bench.cold import cloud, first_answer, first_token
from tests.bench.load import Load
from tests.bench.measures import Rounds, Row, row_of
from tests.bench.servers import LOAD_CPU, Server, on_cpu
from tests.bench.targets import BARE_ASGI, BARE_LITESTAR, OURS, Bench, MissingError

T = TypeVar("T")
#: What can be asked for by name, and the cases that it stands for.
GROUPS = {
    "first": ["first"],
    "small": ["small"],
    "burst": ["burst10", "burst200"],
    "paced": ["paced"],
    "image": ["image"],
    "history": ["history"],
    "streams": ["streams100", "streams500", "streams1000"],
    "cold": ["cold"],
    "token": ["token"],
}
_WARM_UP_SECONDS = 0.5
_STREAMS = ("streams100", "streams500", "streams1000")
#: What would say nothing, or would never end.
_NOT_IN = {
    "nginx-tls": _STREAMS,
    "litellm": ("streams500", "streams1000"),
}
#: Of which a few rounds are enough: nothing is promised of them.
_BY_THE_WAY = _STREAMS[:2]


@dataclass(frozen=True)
class Plan:
    """What to run.

    Args:
        groups: names of `GROUPS`.
        targets: names, in their order.
        rounds: of each case.
        seconds: of a round of a closed loop.
        quick: leaves out what takes long.

    """

    groups: Sequence[str]
    targets: Sequence[str]
    rounds: int = 5
    seconds: float = 1.5
    quick: bool = False

    @property
    def cases(self) -> list[str]:
        cases = [case for group in self.groups for case in GROUPS[group]]
        return [case for case in cases if not (self.quick and case in _BY_THE_WAY)]

    def rounds_of(self, case: str) -> int:
        few = 1 if self.quick else 2 if case in _BY_THE_WAY else self.rounds
        return min(few, self.rounds)


class Run:
    """Runs a plan."""

    def __init__(self, bench: Bench, plan: Plan) -> None:
        self.rounds = Rounds()
        self.left_out: list[str] = []
        self._bench = bench
        self._plan = plan

    def all(self) -> None:
        with self._bench.upstreams(), on_cpu(LOAD_CPU):
            apart = {*_STREAMS, "cold", "token"}
            closed = [case for case in self._plan.cases if case not in apart]
            if closed:
                self._closed(closed)
            for case in self._plan.cases:
                if case in _STREAMS:
                    self._streams(CASES[case])
                elif case == "cold":
                    self._cold()
                elif case == "token":
                    self._token()

    def _closed(self, cases: list[str]) -> None:
        """Measure servers that stay up for all of it."""
        names = [*self._plan.targets, *([BARE_ASGI] if "image" in cases else [])]
        with ExitStack() as stack:
            servers = [server for name in names if (server := self._started(stack, name))]
            for name in cases:
                _say(name)
                asked = [
                    server for server in servers if name == "image" or server.name != BARE_ASGI
                ]
                warm_up = CASES["burst10" if CASES[name].streams else name]
                for server in asked:
                    seconds = min(_WARM_UP_SECONDS, self._plan.seconds)
                    uvloop.run(Load(server, warm_up, seconds).run())
                for server in self._turns(asked):
                    outcome = uvloop.run(Load(server, CASES[name], self._plan.seconds).run())
                    self._add(name, server.name, row_of(outcome, 0))

    def _streams(self, case: Case) -> None:
        """Measure each target's first round after the warm-up, in a process of its own.

        The warm-up is small, because memory that was used before would not count.
        """
        _say(case.name)
        names = [name for name in self._plan.targets if case.name not in _NOT_IN.get(name, ())]
        rounds = self._plan.rounds_of(case.name)
        for name in self._turns(names, rounds):
            with ExitStack() as stack:
                server = self._tried(partial(stack.enter_context, self._bench.start(name)))
                if server is None:
                    continue
                uvloop.run(Load(server, CASES["burst10"], _WARM_UP_SECONDS).run())
                outcome = uvloop.run(Load(server, case).run())
                self._add(case.name, name, row_of(outcome, case.streams))

    def _cold(self) -> None:
        """Measure starts. The first one, which writes bytecode, does not count."""
        _say("cold")
        names = [name for name in self._plan.targets if name != "direct" and "tls" not in name]
        names.append(BARE_LITESTAR)
        for name in names:
            self._tried(partial(first_answer, self._bench, name))
        for name in self._turns(names):
            if (row := self._tried(partial(first_answer, self._bench, name))) is not None:
                self._add("cold", name, row)

    def _token(self) -> None:
        _say("token")
        with ExitStack() as stack:
            environ = self._tried(lambda: stack.enter_context(cloud(self._bench)))
            if environ is None:
                return
            start = partial(first_token, self._bench, environ)
            self._tried(start)  # writes bytecode, and its token for the others
            for _ in range(self._plan.rounds):
                if (row := self._tried(start)) is not None:
                    self._add("token", OURS, row)

    def _started(self, stack: ExitStack, name: str) -> Server | None:
        """Start a target and see that its answers are right; None if either fails."""
        server = self._tried(partial(stack.enter_context, self._bench.start(name)))
        if server is None or name == BARE_ASGI:
            return server
        wrong = uvloop.run(fault_of(server))
        if wrong:
            self._leave_out(f"{name} is not measured: {wrong}")
            return None
        return server

    def _turns(self, of: Sequence[T], rounds: int | None = None) -> Iterator[T]:
        for number in range(rounds or self._plan.rounds):
            yield from of[:: -1 if number % 2 else 1]

    def _tried(self, do: Callable[[], T]) -> T | None:
        try:
            return do()
        except (MissingError, RuntimeError) as error:
            self._leave_out(str(error))
            return None

    def _leave_out(self, why: str) -> None:
        if why not in self.left_out:
            self.left_out.append(why)
            _say(why)

    def _add(self, case: str, target: str, row: Row) -> None:
        self.rounds.add(case, target, row)
        if row.get("errors"):
            _say(f"{target}, {case}: {row['errors']} errors, as {row['error']}")


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()
