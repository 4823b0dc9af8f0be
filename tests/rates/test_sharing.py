"""What instances hear of each other, and when; then the same in Google's own emulator."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import pytest

from service import background
from service.credentials.firestore import Firestore
from service.errors import RateLimitError
from service.rates.counting import MINUTE, Limits, Rates, Used, Which
from service.rates.firestore import COLLECTION_SUFFIX, KEPT_SECONDS, FirestoreTallies
from service.rates.sharing import DOWN_SECONDS, EVERY_SECONDS, Sharing
from tests.firestore_emulator import FirestoreEmulator
from tests.rates.test_counting import BEGIN, Clock, admitted


class Memory:
    """A `Shelf` in memory, which may be away."""

    def __init__(self) -> None:
        self.sums: dict[Which, Used] = {}
        self.calls = 0
        self.failure: Exception | None = None
        self.silent = False

    async def add(self, more: Mapping[Which, Used]) -> Mapping[Which, Used]:
        self.calls += 1
        if self.silent:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure
        for which, used in more.items():
            self.sums[which] = self.sums.get(which, Used()).plus(used)
        return {which: self.sums[which] for which in more}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf() -> Memory:
    return Memory()


def instance(shelf: Memory, clock: Clock, *, requests: int = 100) -> Rates:
    rates = Rates(Limits(requests=requests, tokens=1000), clock)
    Sharing(rates, shelf, background.beside_the_answer, clock)
    return rates


async def passes(clock: Clock, seconds: float) -> None:
    """Let what is under way end, and time pass."""
    await background.finished()
    clock.now += seconds


async def test_together_instances_let_in_the_limit_and_what_came_in_a_second(
    shelf: Memory, clock: Clock
) -> None:
    """Twenty get ten requests a second each: alone they would let 12,000 in."""
    instances = [instance(shelf, clock, requests=1000).account("key") for _ in range(20)]
    count = 0
    for _ in range(590):
        count += sum(admitted(one, 1) for one in instances)
        await passes(clock, 0.1)
    assert 1000 <= count <= 1000 + 20 * 10 * (EVERY_SECONDS + 0.1)


async def test_the_others_hear_of_tokens(shelf: Memory, clock: Clock) -> None:
    one, other = (instance(shelf, clock).account("key") for _ in range(2))
    one.admit()
    await passes(clock, EVERY_SECONDS)
    one.spend(2000)
    await passes(clock, EVERY_SECONDS)
    other.admit()  # and asks
    await passes(clock, EVERY_SECONDS)
    with pytest.raises(RateLimitError):
        other.admit()


async def test_they_speak_at_most_once_a_second_however_much_there_is_to_say(
    shelf: Memory, clock: Clock
) -> None:
    rates = instance(shelf, clock, requests=100_000)
    for _ in range(50):
        for key in ("one", "other"):
            admitted(rates.account(key), 100)
        await passes(clock, EVERY_SECONDS / 10)
    assert shelf.calls == 5


async def test_the_minute_before_is_heard_of_too(shelf: Memory, clock: Clock) -> None:
    one, other = (instance(shelf, clock).account("key") for _ in range(2))
    clock.now += 59
    assert admitted(one, 200) == 100
    await passes(clock, 2)
    other.admit()
    await passes(clock, 0)
    assert admitted(other, 200) < 5


@pytest.mark.parametrize("how", ["failure", "silence"])
async def test_without_the_others_each_counts_alone_and_says_so_once(
    shelf: Memory, clock: Clock, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    shelf.failure = OSError("It is away.") if how == "failure" else None
    shelf.silent = how == "silence"
    one = instance(shelf, clock).account("key")
    count = 0
    for _ in range(40):
        count += admitted(one, 5)
        await asyncio.sleep(0)
        clock.now += 1
    assert count == 100
    said = [message for message in caplog.messages if "rate limits cannot be shared" in message]
    if how == "failure":
        assert said == [
            "rate limits cannot be shared, each instance counts alone: It is away.",
        ]
        assert shelf.calls <= 40 / DOWN_SECONDS + 1
        shelf.failure = None
        clock.now += DOWN_SECONDS
        admitted(one, 1)
        await passes(clock, 0)
        assert sum(used.requests for used in shelf.sums.values()) == 100, "nothing is lost"
    else:
        assert shelf.calls == 1
        for task in background._all_work:
            task.cancel()


# --- in Firestore


@pytest.fixture
async def database(firestore: FirestoreEmulator) -> AsyncIterator[Firestore]:
    del firestore
    database = Firestore(project="sim-project", database="(default)", collection="gateway")
    yield database
    await database.aclose()


async def test_what_several_add_at_once_adds_up(database: Firestore) -> None:
    shelf = FirestoreTallies(database, collection="gateway")
    one, other = Which("one", 30_000_000), Which("other", 30_000_001)
    await asyncio.gather(*[shelf.add({one: Used(1, 100), other: Used(0, 7)}) for _ in range(10)])
    assert await shelf.add({other: Used(), one: Used(2, 1)}) == {
        other: Used(0, 70),
        one: Used(12, 1001),
    }


async def test_a_document_holds_numbers_and_when_it_may_go(database: Firestore) -> None:
    minute = int(BEGIN // MINUTE)
    await FirestoreTallies(database, collection="gateway").add({Which("key", minute): Used(1, 2)})
    async with database.client() as client:
        [document] = await client.collection("gateway" + COLLECTION_SUFFIX).get()
    fields = document.to_dict() or {}
    until = fields.pop("expire_at")
    assert isinstance(until, datetime)
    assert until.timestamp() == BEGIN + MINUTE + KEPT_SECONDS
    assert (document.id, fields) == (f"key-{minute}", {"requests": 1, "tokens": 2})
