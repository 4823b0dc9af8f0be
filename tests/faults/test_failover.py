"""Two of three ways fail in ten different ways, and every request is answered by the third."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.faults.ways import Ways, started
from tests.gateway import API_KEY, HELLO
from tests.simulators.calls import Call, Play
from tests.simulators.generation import echo
from tests.simulators.google import Google
from tests.simulators.replies import chunks, drop, error, page
from tests.simulators.scenarios import scenario
from tests.simulators.scenarios.table import says
from tests.simulators.wire import Reply, Reset

REQUESTS = 200
TEN: list[Play] = [
    *(scenario(name).scripts["generate"][0] for name in ("E10", "E14", "E22", "E28", "E7")),
    error(500),
    error(503),
    page(502),
    drop(),
    chunks([says("Hello "), says("wor")], then=Reset()),
]


@pytest.fixture
def ways(google: Google) -> Iterator[Ways]:
    with started(google) as ways:
        yield ways


class FailingInTurn:
    """Refuses in the next of ten ways, unless the request came by the third way to Gemini."""

    def __init__(self) -> None:
        self._turns = itertools.cycle(TEN)
        self.refused: Counter[int] = Counter()

    def __call__(self, call: Call) -> Reply:
        if call.recorded.upstream == "gemini_api":
            return echo(call)
        play = next(self._turns)
        self.refused[TEN.index(play)] += 1
        return play(call)


async def ask_at_once(ways: Ways, times: int) -> Counter[tuple[int, str | None]]:
    """Return status and upstream of so many requests that are made together, and how often."""
    headers = {"authorization": f"Bearer {API_KEY}"}
    limits = httpx.Limits(max_connections=times)
    async with httpx.AsyncClient(
        base_url=ways.gateway.url,
        headers=headers,
        limits=limits,
        timeout=60,
        verify=False,  # noqa: S501  (nobody is encrypted here)
    ) as client:
        asked = [client.post("/v1/chat/completions", json=HELLO) for _ in range(times)]
        answers = await asyncio.gather(*asked)
    return Counter((answer.status_code, answer.headers.get("x-upstream")) for answer in answers)


def asked(google: Google) -> Counter[str | None]:
    return Counter(call.upstream for call in google.calls("generate"))


async def test_two_hundred_requests_are_answered_by_the_third_way(
    ways: Ways, google: Google
) -> None:
    failing = FailingInTurn()
    google.script(*[failing] * 3000)
    assert await ask_at_once(ways, REQUESTS) == {(200, "gemini_api"): REQUESTS}
    assert set(failing.refused) == set(range(len(TEN)))
    assert ways.connections_in_use == 0

    before = asked(google)
    assert await ask_at_once(ways, 20) == {(200, "gemini_api"): 20}
    assert asked(google) - before == {"gemini_api": 20}, "the closed ways are left alone"


@pytest.mark.parametrize(
    ("play", "seconds"),
    [
        (error(500), 10),
        (drop(), 10),
        (error(429), 60),
        (scenario("E28").scripts["generate"][0], 9),
        (scenario("E22").scripts["generate"][0], 47_941.21),
        (error(403), 600),
        (page(404), 600),
    ],
    ids=["500", "hung up on", "429", "no capacity, and when", "quota, and when", "403", "404"],
)
async def test_a_closed_way_is_asked_again_when_it_said_and_not_before(
    play: Play, seconds: float, ways: Ways, google: Google
) -> None:
    failing = [play] * 2

    def fails_at_first(call: Call) -> Reply:
        is_first = call.recorded.upstream == "code_assist"
        return (failing.pop() if is_first and failing else echo)(call)

    failing = failing[: 2 if seconds == 10 else 1]  # what is tried once more fails twice
    google.script(*[fails_at_first] * 20)
    for moment, upstream in ((0, "vertex"), (seconds - 0.1, "vertex"), (seconds, "code_assist")):
        ways.ahead = moment
        assert await ask_at_once(ways, 1) == {(200, upstream): 1}
