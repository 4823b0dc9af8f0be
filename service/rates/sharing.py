"""Rates that instances share: each tells the others what it counted, and hears what they did.

Beside requests, and at most once a second. Until then each goes by what it heard last, so that all
together may let in what comes to them within about a second beyond a limit. Where the others cannot
be reached each counts on by itself.
"""

import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from service.rates.counting import Rates, Shelf, Used, Which

logger = logging.getLogger(__name__)

#: Seconds from one exchange to the next.
EVERY_SECONDS = 1.0
#: Seconds for which the others are left alone after a failure.
DOWN_SECONDS = 5.0
#: Seconds between two lines in the log that say the same.
LOG_SECONDS = 60.0


class Sharing:
    """Keeps the rates of one instance together with those of the others.

    Args:
        rates: of this instance.
        shelf: of all.
        start: starts work that no request waits for.
        now: seconds since any moment.

    """

    def __init__(
        self,
        rates: Rates,
        shelf: Shelf,
        start: Callable[[Coroutine[Any, Any, None]], object],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates = rates
        self._shelf = shelf
        self._start = start
        self._now = now
        self._exchanging = False
        self._next_at = -DOWN_SECONDS
        self._logged_at = -LOG_SECONDS
        rates.on_move = self._moved

    def _moved(self) -> None:
        if not self._exchanging and self._now() >= self._next_at:
            self._exchanging = True
            self._next_at = self._now() + EVERY_SECONDS
            self._start(self._exchange())

    async def _exchange(self) -> None:
        try:
            await self._told(self._news())
        except Exception as error:  # noqa: BLE001  (whatever it is, no request may fail for it)
            self._is_down(error)
        finally:
            self._exchanging = False

    def _news(self) -> dict[Which, Used]:
        """Return what the others do not know; nothing of a key is a question, too."""
        minute = self._rates.minute
        return {
            Which(name, at): account.tally(at).untold
            for name, account in self._rates.accounts.items()
            if minute in account.tallies or minute - 1 in account.tallies
            for at in (minute - 1, minute)
        }

    async def _told(self, news: Mapping[Which, Used]) -> None:
        sums = await self._shelf.add(news)
        for (name, minute), more in news.items():
            # It may be over by now, and forgotten.
            tally = self._rates.accounts[name].tallies.get(minute)
            if tally is not None:
                tally.told = tally.told.plus(more)
                tally.known = sums[Which(name, minute)]

    def _is_down(self, error: Exception) -> None:
        now = self._now()
        self._next_at = now + DOWN_SECONDS
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            said = str(error) or type(error).__name__
            logger.warning("rate limits cannot be shared, each instance counts alone: %s", said)
