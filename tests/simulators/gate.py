"""What a reply waits for until the test opens it, on whatever thread that is."""

import asyncio
import threading


class Gate:
    """Shut at first. `open` lets everyone through who waits, and everyone who comes later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened = False
        self._waiting: set[asyncio.Future[None]] = set()

    def open(self) -> None:
        with self._lock:
            self._opened = True
            for future in self._waiting:
                future.get_loop().call_soon_threadsafe(_release, future)

    async def wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._opened:
                return
            self._waiting.add(future)
        try:
            await future
        finally:
            with self._lock:
                self._waiting.discard(future)


def _release(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
