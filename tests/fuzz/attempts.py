"""What every fuzz test does: try it, and let nothing out but the gateway's own errors."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, event, settings

from service.errors import GatewayError

T = TypeVar("T")

#: As many examples as the profile says, and no haste: a machine may have much else to do.
UNHURRIED = settings(
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


def attempt(call: Callable[[], T]) -> T | GatewayError:
    """Return what the call does, or the error that it raises; tell hypothesis which."""
    try:
        done = call()
    except GatewayError as error:
        event(f"{type(error).__name__} {error.code}")
        return error
    event("done")
    return done
