"""What is under way when the process goes away, without a process."""

import asyncio

import pytest

from service.api.while_wanted import WhileWanted
from service.connections import Client
from service.draining import Drain
from service.errors import GoingAwayError


async def test_it_is_idle_when_the_last_request_has_ended() -> None:
    drain = Drain()
    with drain:
        waiting = asyncio.create_task(drain.idle(5))
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 1)


async def test_it_does_not_wait_for_ever() -> None:
    drain = Drain()
    with drain:
        await asyncio.wait_for(drain.idle(0.01), 1)


async def test_work_beside_an_answer_is_waited_for_until_it_begins() -> None:
    drain, done = Drain(), asyncio.Event()

    async def work() -> None:
        await done.wait()

    first = asyncio.create_task(drain.hold(work()))
    await asyncio.sleep(0)
    assert not first.done()
    done.set()
    await asyncio.wait_for(first, 1)

    done.clear()
    held = asyncio.create_task(drain.hold(work()))
    await asyncio.sleep(0)
    drain.begin()
    await asyncio.wait_for(held, 1)
    await asyncio.wait_for(drain.hold(work()), 1)


@pytest.mark.parametrize("inside", [True, False])
async def test_only_what_is_still_under_way_is_cut(*, inside: bool) -> None:
    drain = Drain()
    cuts: list[str] = []
    with drain:
        try:
            async with WhileWanted(Client(asyncio.Transport())):
                if inside:
                    drain.end()
                await asyncio.sleep(0)
        except GoingAwayError:
            cuts.append("cut")
        drain.end()
        await asyncio.sleep(0)
    assert cuts == ["cut"] * inside
