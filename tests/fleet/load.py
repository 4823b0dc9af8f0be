"""Many calls at the same moment, and calls without end."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, NamedTuple, Self

_SECONDS = 30


class Timed(NamedTuple):
    """When a call began and ended, and what came of it."""

    began: float
    ended: float
    outcome: Any

    @property
    def seconds(self) -> float:
        return self.ended - self.began


def timed(call: Callable[[], Any]) -> Timed:
    began = monotonic()
    outcome = call()
    return Timed(began, monotonic(), outcome)


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Timed]:
    """Make all the calls at the same moment, each in a thread of its own."""
    calls = list(calls)
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Timed:
        barrier.wait()
        return timed(call)

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def slowest(calls: Iterable[Timed]) -> float:
    return max(call.seconds for call in calls)


class Load:
    """`with Load(calls) as load`: makes each of the calls again and again, all at the same time."""

    def __init__(self, calls: Sequence[Callable[[], Any]]) -> None:
        self._ending = threading.Event()
        self._progress = threading.Condition()
        self._ended: list[list[Timed]] = [[] for _ in calls]
        self._failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, args=each)
            for each in zip(calls, self._ended, strict=True)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def round(self) -> None:
        """Wait until each of the calls has begun and ended once more; raise what one raised."""
        now = monotonic()

        def done() -> bool:
            return bool(self._failure) or all(
                ended and ended[-1].began >= now for ended in self._ended
            )

        with self._progress:
            assert self._progress.wait_for(done, _SECONDS), "The load has come to a halt."
        if self._failure:
            raise self._failure

    def since(self, moment: float) -> list[Timed]:
        """Return the calls that were under way at that moment, or began later, and have ended."""
        with self._progress:
            return [call for ended in self._ended for call in ended if call.ended >= moment]

    def _run(self, call: Callable[[], Any], ended: list[Timed]) -> None:
        while not self._ending.is_set() and not self._failure:
            try:
                latest = timed(call)
            except BaseException as error:  # noqa: BLE001  (the test's own thread raises it)
                with self._progress:
                    self._failure = error
                    self._progress.notify_all()
            else:
                with self._progress:
                    ended.append(latest)
                    self._progress.notify_all()
