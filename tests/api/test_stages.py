"""That requests come to the end of a stage before one of them goes on."""

import asyncio

from service.api.stages import next_stage


async def test_those_that_are_under_way_do_each_stage_one_after_another() -> None:
    done: list[str] = []

    async def request(name: str) -> None:
        done.append(f"decoded {name}")
        await next_stage()
        done.append(f"asked {name}")
        await next_stage()
        done.append(f"answered {name}")

    await asyncio.gather(request("1"), request("2"))
    assert done == [f"{what} {one}" for what in ("decoded", "asked", "answered") for one in "12"]
