"""Who is cancelled by a limit, and what becomes of other cancellations."""

import asyncio

import pytest

from service.time_limit import Patience, TimeLimit


class TooLate(Exception):  # noqa: N818  (as short as can be)
    pass


def limit(seconds: float | None) -> TimeLimit:
    end = None if seconds is None else asyncio.get_running_loop().time() + seconds
    return TimeLimit(end, TooLate)


async def never() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("seconds", [-1, 0, 0.001])
async def test_what_takes_too_long_ends_with_the_error(seconds: float) -> None:
    with pytest.raises(TooLate):
        async with limit(seconds):
            await never()
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0


@pytest.mark.parametrize("seconds", [None, 60])
async def test_what_ends_by_itself_is_left_alone(seconds: float | None) -> None:
    async with limit(seconds):
        await asyncio.sleep(0)
    with pytest.raises(ZeroDivisionError):
        async with limit(seconds):
            raise ZeroDivisionError


@pytest.mark.parametrize("outer", [0.001, 60])
async def test_the_inner_of_two_limits_says_so_unless_the_outer_is_over(outer: float) -> None:
    inside: list[type[BaseException]] = []

    async def limited() -> None:
        try:
            async with limit(60 if outer < 1 else 0.001):
                await never()
        except (TooLate, asyncio.CancelledError) as error:
            inside.append(type(error))
            raise

    with pytest.raises(TooLate):
        async with limit(outer):
            await limited()
    assert inside == [asyncio.CancelledError if outer < 1 else TooLate]


async def test_a_task_that_is_cancelled_by_another_ends_so() -> None:
    async def limited() -> None:
        async with limit(60):
            await never()

    task = asyncio.ensure_future(limited())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_patience_is_for_each_body_and_not_for_all_of_them() -> None:
    patience = Patience(0.05, TooLate)
    for _ in range(4):
        async with patience:
            await asyncio.sleep(0.02)
    with pytest.raises(TooLate):
        async with patience:
            await never()
    async with patience:
        await asyncio.sleep(0)
    patience.end()


async def test_patience_that_is_renewed_lasts_longer() -> None:
    patience, loop = Patience(0.05, TooLate), asyncio.get_running_loop()
    heard_at = loop.time()
    patience.heed(lambda: heard_at)
    async with patience:
        for _ in range(4):
            await asyncio.sleep(0.02)
            heard_at = loop.time()
    with pytest.raises(TooLate):
        async with patience:
            await never()
    patience.end()


async def test_patience_counts_only_inside() -> None:
    patience = Patience(0.01, TooLate)
    async with patience:
        await asyncio.sleep(0)
    await asyncio.sleep(0.03)
    async with patience:
        await asyncio.sleep(0)
    patience.end()


async def test_patience_is_for_whoever_reads() -> None:
    patience = Patience(0.01, TooLate)

    async def read() -> None:
        async with patience:
            await never()

    for _ in range(2):
        with pytest.raises(TooLate):
            await asyncio.create_task(read())
    patience.end()
