"""Who is cancelled when, without any server."""

import asyncio

import pytest

from service.api.while_wanted import WhileWanted
from service.connections import Client
from service.errors import ClientDisconnectedError


async def wait_for_ever(client: Client, reached: asyncio.Event) -> None:
    async with WhileWanted(client):
        reached.set()
        await asyncio.Event().wait()


async def test_the_body_ends_when_the_client_leaves() -> None:
    client = Client(asyncio.Transport())
    client.leave()
    with pytest.raises(ClientDisconnectedError):
        await wait_for_ever(client, asyncio.Event())
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0, "the request goes on, to write its log line"


async def test_the_bodys_own_end_is_left_alone() -> None:
    async with WhileWanted(Client(asyncio.Transport())):
        await asyncio.sleep(0)
    with pytest.raises(ZeroDivisionError):
        async with WhileWanted(Client(asyncio.Transport())):
            raise ZeroDivisionError


async def test_a_server_that_shuts_down_is_no_client_that_left() -> None:
    reached = asyncio.Event()
    task = asyncio.ensure_future(wait_for_ever(Client(asyncio.Transport()), reached))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_ticks_come_when_they_said() -> None:
    ticks: list[int] = []
    done = asyncio.Event()

    async def tick() -> float:
        ticks.append(len(ticks))
        if len(ticks) == 3:
            done.set()
        return 0.001

    async with WhileWanted(Client(asyncio.Transport()), tick=tick, first_tick=0.001):
        await asyncio.wait_for(done.wait(), 5)
    assert ticks == [0, 1, 2]
