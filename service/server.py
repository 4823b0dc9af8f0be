"""The server below the application: uvicorn, with changes to how it reads requests and ends."""

import asyncio
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from litestar.types import ASGIApp

from service.connections import Protocol
from service.draining import Drain
from service.settings import Settings

_KEEPALIVE_SECONDS = 75  # longer than the pools of clients and front ends keep a connection
#: How often uvicorn ticks from one look at the connections to the next.
_TICKS = 10
#: Seconds for the last words to go out, of the half that the process may take to end.
_LAST_WORDS = 0.15


def server(
    app: ASGIApp,
    settings: Settings,
    drain: Drain | None = None,
    *,
    started: Callable[[], None] = lambda: None,
) -> uvicorn.Server:
    """Return the server; it calls `started` once it listens."""
    config = uvicorn.Config(
        app,
        host=settings.listen_host,
        port=settings.port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEPALIVE_SECONDS,
    )
    return Server(
        config,
        drain or Drain(),
        settings.drain_seconds,
        patience=settings.client_stall_seconds,
        started=started,
    )


class Server(uvicorn.Server):
    """Ends in three steps: what is under way goes on; what is left is told; all is closed.

    uvicorn by itself closes the listener at once, so that new clients meet a closed port, and cuts
    streams in mid-word.

    Args:
        config: uvicorn's.
        drain: knows what is under way.
        seconds: for which that may go on.
        patience: seconds for which a client may hold up its own request or answer.
        started: called once it listens.

    """

    def __init__(
        self,
        config: uvicorn.Config,
        drain: Drain,
        seconds: float,
        *,
        patience: float,
        started: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._seconds = seconds
        self._patience = patience
        self._started = started
        self._going: asyncio.Task[None] | None = None
        self._signalled = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._started()

    async def on_tick(self, counter: int) -> bool:
        """Do what uvicorn does ten times in a second, and look after the clients in one of them."""
        if counter % _TICKS == 0:
            now = self._loop.time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Protocol):
                    connection.look(now, self._patience)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to go away at the first signal; wait for no answer any longer at the second."""
        if not self.started:
            super().handle_exit(sig, frame)
        elif self._signalled:
            self._loop.call_soon_threadsafe(self._drain.end)
        else:
            self._signalled = True
            self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._going = asyncio.create_task(self._go_away())

    async def _go_away(self) -> None:
        self._drain.begin()
        await self._drain.idle(self._seconds)
        self._drain.end()
        await self._drain.idle(_LAST_WORDS)
        self.should_exit = True
        await asyncio.sleep(_LAST_WORDS)
        # Who has not read the last words by now holds up the end.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
