"""What one gateway takes on at the same time: requests, and the bytes that they hold in memory.

What is beyond it is refused at once, before its body is read: a queue would only be longer.
"""

from contextvars import ContextVar

from service.errors import BusyError, RequestTooLargeError
from service.rates.counting import Account

#: Of the request at hand.
claim_at_hand: ContextVar["Claim"] = ContextVar("claim_at_hand")


class Load:
    """What is under way in one gateway. Used in the event loop's thread only.

    Args:
        requests: how many there may be; None is any number.
        bytes_: of bodies, and of what was fetched for them.

    """

    def __init__(self, *, requests: int | None = None, bytes_: int) -> None:
        self.most_requests = requests
        self.most_bytes = bytes_
        self.requests = 0
        self.bytes = 0


class Claim:
    """What one request takes of it. Whoever makes one calls `release`, whatever happens."""

    __slots__ = ("_bytes", "_counted", "_load", "account", "unannounced")

    def __init__(self, load: Load) -> None:
        self._load = load
        self._bytes = 0
        self._counted = False
        #: Whether nobody knows yet how long the body is: `take` is to be told as it comes.
        self.unannounced = False
        #: Of the key that came with it, where there are limits for one.
        self.account: Account | None = None

    def admit(self) -> None:
        """Count the request; raise `BusyError` if there are too many."""
        load = self._load
        if load.most_requests is not None and load.requests >= load.most_requests:
            raise BusyError(f"This instance of the gateway has {load.requests} requests to answer.")
        load.requests += 1
        self._counted = True

    def take(self, size: int) -> None:
        """Hold so many bytes more.

        Raise `RequestTooLargeError` for what would never find room, `BusyError` if there is none
        at the moment.
        """
        load = self._load
        if self._bytes + size > load.most_bytes:
            raise RequestTooLargeError(
                f"The request is larger than {load.most_bytes} bytes, with all that it names."
            )
        if load.bytes + size > load.most_bytes:
            raise BusyError("This instance of the gateway has no memory left for the request.")
        load.bytes += size
        self._bytes += size

    def release(self) -> None:
        """Give everything back."""
        load = self._load
        load.requests -= self._counted
        load.bytes -= self._bytes
        self._counted, self._bytes = False, 0


def hold(size: int) -> None:
    """Count bytes that the request at hand has had fetched; raise as `Claim.take` does."""
    if (claim := claim_at_hand.get(None)) is not None:
        claim.take(size)
