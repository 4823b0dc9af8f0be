"""What every fuzz test does: try it, and let nothing out but the gateway's own errors."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import event

from service.errors import GatewayError

T = TypeVar("T")


def attempt(call: Callable[[], T]) -> T | GatewayError:
    """Return what the call does, or the error that it raises; tell hypothesis which."""
    try:
        done = call()
    except GatewayError as error:
        event(f"{type(error).__name__} {error.code}")
        return error
    event("done")
    return done
