"""Requests in stages: those that are under way at the same time do each of them one after another.

A small request runs through a megabyte of code and data, twice what a core's own cache holds, and
does little at each place: what it costs is fetching them. Whoever does the same right after another
finds them there. This is the cohort scheduling of Larus and Parkes, "Using Cohort Scheduling to
Enhance Server Performance" (USENIX 2002); it saves a quarter of the CPU time of a small request
among sixteen, and what it costs one that is alone is lost in the noise.
"""

import asyncio


async def next_stage() -> None:
    """Let the others come to the same point before this one goes on.

    A stage should be neither so long that the cache cannot hold it, nor so short that the turn of
    the event loop, which this takes, costs more than it saves: `make bench CASES=small` tells.
    """
    await asyncio.sleep(0)
