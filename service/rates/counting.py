"""What each API key uses in a minute: how many requests, and how many tokens.

The minute ends now: what was used in the calendar's minute before counts for as much of it as is
left in that. So nobody gets twice the limit where two minutes meet, and two numbers are all that is
kept of a key, which others can be told.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from service.errors import RateLimitError, TokenRateLimitError

MINUTE = 60


class Used(NamedTuple):
    requests: int = 0
    tokens: int = 0

    def plus(self, other: "Used") -> "Used":
        return Used(self.requests + other.requests, self.tokens + other.tokens)

    def minus(self, other: "Used") -> "Used":
        return Used(self.requests - other.requests, self.tokens - other.tokens)


class Which(NamedTuple):
    """By what instances know whose `Tally` it is, and of which minute."""

    account: str
    minute: int


class Shelf(Protocol):
    """Where all instances can reach."""

    async def add(self, more: Mapping[Which, Used]) -> Mapping[Which, Used]:
        """Add to what was used, and return the sums. One call; raises whatever it likes."""
        ...


class Tally:
    """One key in one minute of the calendar."""

    __slots__ = ("known", "ours", "told")

    def __init__(self) -> None:
        #: By this instance.
        self.ours = Used()
        #: Of that, what the others have been told.
        self.told = Used()
        #: By all together, when they were asked last.
        self.known = Used()

    @property
    def untold(self) -> Used:
        return self.ours.minus(self.told)

    @property
    def used(self) -> Used:
        return self.known.plus(self.untold)


class Limits(NamedTuple):
    """For one minute; None is any number."""

    requests: int | None = None
    tokens: int | None = None


class Account:
    """One key's.

    Args:
        limits: for it.
        now: seconds since 1970, on which the instances agree.
        moved: called after something was counted.

    """

    def __init__(
        self, limits: Limits, now: Callable[[], float], moved: Callable[[], object]
    ) -> None:
        self._limits = limits
        self._now = now
        self._moved = moved
        #: By minute: the one that is, and the one before.
        self.tallies: dict[int, Tally] = {}

    def admit(self) -> None:
        """Count a request; raise `RateLimitError` for one that is too many."""
        now = self._now()
        before, current, elapsed = self._look(now)
        try:
            if self._limits.requests is not None:
                wait = _wait(self._limits.requests, before.requests, current.requests, elapsed)
                if wait:
                    raise RateLimitError(
                        _message("requests", self._limits.requests, wait), retry_after=wait
                    )
            if self._limits.tokens is not None:
                wait = _wait(self._limits.tokens, before.tokens, current.tokens, elapsed)
                if wait:
                    raise TokenRateLimitError(
                        _message("tokens", self._limits.tokens, wait), retry_after=wait
                    )
            self._add(Used(requests=1), now)
        finally:
            self._moved()

    def spend(self, tokens: int) -> None:
        """Count what an answer has used, which is known when it is there."""
        self._add(Used(tokens=tokens), self._now())
        self._moved()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return OpenAI's headers, which say what is left."""
        before, current, elapsed = self._look(self._now())
        found: list[tuple[bytes, bytes]] = []
        for name, limit, was, has in zip(
            Limits._fields, self._limits, before, current, strict=True
        ):
            if limit is None:
                continue
            left = max(0, math.floor(limit - _in_the_last_minute(was, has, elapsed)))
            until = 2 * MINUTE - elapsed if has else MINUTE - elapsed if was else 0
            values = {"limit": b"%d" % limit, "remaining": b"%d" % left}
            values["reset"] = b"%ds" % math.ceil(until)
            found += [
                (f"x-ratelimit-{what}-{name}".encode(), value) for what, value in values.items()
            ]
        return found

    def tally(self, minute: int) -> Tally:
        if minute not in self.tallies:
            self.tallies = {at: one for at, one in self.tallies.items() if at >= minute - 1}
            self.tallies[minute] = Tally()
        return self.tallies[minute]

    def _add(self, more: Used, now: float) -> None:
        tally = self.tally(int(now // MINUTE))
        tally.ours = tally.ours.plus(more)

    def _look(self, now: float) -> tuple[Used, Used, float]:
        """Return what was used in the minute before and in this one, and how old this one is."""
        minute, elapsed = divmod(now, MINUTE)
        tallies = [self.tallies.get(int(minute) - 1), self.tallies.get(int(minute))]
        before, current = (Used() if tally is None else tally.used for tally in tallies)
        return before, current, elapsed


def _in_the_last_minute(before: int, current: int, elapsed: float) -> float:
    return before * (1 - elapsed / MINUTE) + current


def _wait(limit: int, before: int, current: int, elapsed: float) -> float:
    """Return after how many seconds there is less than the limit; 0 if there is by now."""
    if _in_the_last_minute(before, current, elapsed) < limit:
        return 0
    if current < limit:
        at = MINUTE * (1 - (limit - current) / before)
        return max(at - elapsed, 0) + _A_MOMENT
    return MINUTE - elapsed + MINUTE * (1 - limit / current) + _A_MOMENT


#: Seconds, by which it is less and not the same.
_A_MOMENT = 0.001


def _message(what: str, limit: int, wait: float) -> str:
    return (
        f"This API key has reached its limit of {limit} {what} per minute. "
        f"Ask again in {math.ceil(wait)} seconds."
    )


class Rates:
    """The accounts of all keys. Used in the event loop's thread only.

    Args:
        limits: for each of them.
        now: seconds since 1970.

    """

    def __init__(self, limits: Limits, now: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._now = now
        self.accounts: dict[str, Account] = {}
        #: Told when something was counted; see `service.rates.sharing`.
        self.on_move: Callable[[], object] = lambda: None

    def account(self, name: str) -> Account:
        if name not in self.accounts:
            self.accounts[name] = Account(self._limits, self._now, self._moved)
        return self.accounts[name]

    def _moved(self) -> None:
        self.on_move()

    @property
    def minute(self) -> int:
        return int(self._now() // MINUTE)
