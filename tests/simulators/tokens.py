"""The access tokens of the simulated Google: which it gave out, and which it still takes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

LIFETIME = 3599
Holder = Literal["user", "service"]  # a person who logged in, or a service account


@dataclass(frozen=True)
class Token:
    value: str
    holder: Holder
    expires_at: float


class Tokens:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.expires_in: object = LIFETIME  # what the next replies say: a number, text, or None
        self._clock = clock
        self._lock = threading.Lock()
        self._issued: list[Token] = []
        self._accepted: dict[str, Token] = {}
        self._revoked: set[str] = set()
        self._expired: set[str] = set()

    @property
    def issued(self) -> list[str]:
        """Every token that was given out, oldest first."""
        with self._lock:
            return [token.value for token in self._issued]

    @property
    def current(self) -> str:
        """The token that was given out last."""
        return self.issued[-1]

    def issue(self, holder: Holder = "user", *, expires_in: object = LIFETIME) -> str:
        seconds = expires_in if isinstance(expires_in, int | float) else LIFETIME
        with self._lock:
            prefix = "ya29.c.sim" if holder == "service" else "ya29.sim"
            value = f"{prefix}-{len(self._issued) + 1}"
            self._issued.append(Token(value, holder, self._clock() + seconds))
        return value

    def accept(self, value: str, holder: Holder = "user") -> None:
        """Take a token that was not given out here, such as one from the environment."""
        with self._lock:
            self._accepted[value] = Token(value, holder, float("inf"))

    def revoke(self, value: str) -> None:
        with self._lock:
            self._revoked.add(value)

    def revoke_all(self) -> None:
        """Stop taking every token that was given out so far."""
        with self._lock:
            self._revoked.update(token.value for token in self._issued)

    def expire(self, value: str) -> None:
        with self._lock:
            self._expired.add(value)

    def fault(self, value: str) -> str | None:
        """Say what is wrong with a token, in the `reason` of Google's ErrorInfo."""
        token = self._find(value)
        if token is None or value in self._revoked:
            return "ACCESS_TOKEN_TYPE_UNSUPPORTED"
        if value in self._expired or token.expires_at <= self._clock():
            return "ACCESS_TOKEN_EXPIRED"
        return None

    def holder(self, value: str) -> Holder:
        token = self._find(value)
        return token.holder if token else "user"

    def reset(self) -> None:
        """Forget what was revoked, expired and accepted; tokens in use stay good."""
        with self._lock:
            self.expires_in = LIFETIME
            self._revoked.clear()
            self._expired.clear()
            self._accepted.clear()

    def _find(self, value: str) -> Token | None:
        with self._lock:
            issued = {token.value: token for token in self._issued}
            return issued.get(value) or self._accepted.get(value)
