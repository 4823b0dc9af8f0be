"""Gateways with several ways to the simulated Google, whose memory and pool a test can look at."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from service import connect
from service.settings import HttpClient
from service.transport import Pool, open_transport
from service.upstream.failover import Failover
from tests.gateway import Gateway, settings_for
from tests.simulators.calls import Call, Play
from tests.simulators.generation import echo
from tests.simulators.google import Google
from tests.simulators.wire import Reply
from tests.ways import by

#: What each way to Gemini has for an endpoint among the settings.
ENDPOINTS = {
    "code_assist": "code_assist_endpoint",
    "vertex": "vertex_endpoint",
    "gemini_api": "gemini_api_endpoint",
}
AGES = 20 * 366 * 86_400  # one of the scenarios says when in 2038


def settings_of_ways(google: Google, **differs: Any) -> dict[str, Any]:
    """Return what makes `settings_for` reach the simulated Google in all three ways."""
    return {
        **by(google, *ENDPOINTS),
        "gemini_project_id": "sim-project",
        "vertex_project": "proj-test-1",
        **differs,
    }


def only_on(*upstreams: str, play: Play) -> Play:
    """Play this to those who come by one of these ways, and the usual answer to the others."""

    def playing(call: Call) -> Reply:
        return (play if call.recorded.upstream in upstreams else echo)(call)

    return playing


def hanging(stack: ExitStack) -> str:
    """Return an address that takes no connections.

    Linux leaves the next one waiting when the queue of a server is full.
    """
    server = stack.enter_context(socket.socket())
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    for _ in range(3):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)  # noqa: FBT003
        assert waiting.connect_ex(server.getsockname()) in (0, errno.EINPROGRESS)
    return f"http://127.0.0.1:{server.getsockname()[1]}"


class Ways:
    """A running gateway, whose memory of the ways has a clock that only tests move.

    Args:
        gateway: is made by `started`.

    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.ahead = 0.0
        self.pool: Pool | None = None

    def now(self) -> float:
        return self.ahead

    def forget(self) -> None:
        """Let so much time pass that every way is open again."""
        self.ahead += AGES

    @property
    def connections_in_use(self) -> int:
        """How many connections to Google have not gone back to the pool."""
        assert self.pool is not None
        return self.pool.in_use

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Start the gateway, with an eye on what it makes."""

        def failover(*args: Any, **kwargs: Any) -> Failover:
            return Failover(*args, **kwargs, now=self.now)

        def transport(client: HttpClient) -> Pool:
            self.pool = open_transport(client)
            return self.pool

        with (
            patch.object(connect, "Failover", failover),
            patch.object(connect, "open_transport", transport),
            self.gateway,
        ):
            with self.gateway.client() as client:
                assert client.post("/v1/token-test").status_code == 200  # it is put together
            yield


@contextmanager
def started(google: Google, **differs: Any) -> Iterator[Ways]:
    """Run a gateway that reaches the simulated Google in all three ways, with these settings."""
    ways = Ways(Gateway(settings_for(google, **settings_of_ways(google, **differs))))
    with ways.watched():
        yield ways
