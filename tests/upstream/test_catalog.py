"""Which models are offered, and when an upstream is asked for them."""

import asyncio
from collections.abc import Sequence

import pytest

from service import background
from service.errors import GatewayError, PermissionDeniedError
from service.models import table_of
from service.upstream.catalog import Catalog
from service.upstream.http import GoogleHttp
from service.upstream.listing import listed_models
from tests.simulators.google import Google

TABLE = [model.id for model in table_of("vertex")]


class Lister:
    """Lists what it is told to, or fails."""

    def __init__(self, *ids: str) -> None:
        self.ids: Sequence[str] = ids
        self.error: GatewayError | None = None
        self.asked = 0

    async def __call__(self) -> Sequence[str]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return self.ids


class World:
    """Two upstreams, and a clock that only tests move."""

    def __init__(self, *ids: str) -> None:
        self.now = 0.0
        self.one, self.other = Lister(*ids), Lister()
        self.catalog = Catalog(
            {"code_assist": self.one, "vertex": self.other}, now=lambda: self.now
        )

    def ids(self) -> list[str]:
        return [model.id for model in self.catalog.now_served()]

    async def later(self, seconds: float = 600) -> list[str]:
        """Let time go by, and the look that the next request starts come to its end."""
        self.now += seconds
        self.ids()
        await background.finished()
        return self.ids()


async def test_the_first_answer_is_the_table_and_the_next_what_is_listed() -> None:
    world = World("gemini-2.5-pro")
    world.other.ids = ["gemini-2.5-flash"]
    assert world.ids() == TABLE
    assert world.one.asked == 0, "nobody waits for the look"
    await background.finished()
    assert world.ids() == ["gemini-2.5-pro", "gemini-2.5-flash"]


async def test_it_is_looked_again_after_ten_minutes_and_not_before() -> None:
    world = World("gemini-2.5-pro")
    await world.later()
    for seconds, asked in ((599.9, 1), (0.1, 2), (300, 2), (300, 3)):
        await world.later(seconds)
        assert (world.one.asked, world.other.asked) == (asked, asked)


async def test_many_requests_at_once_start_one_look() -> None:
    world = World("gemini-2.5-pro")
    for _ in range(10):
        world.ids()
    await background.finished()
    assert world.one.asked == 1


async def test_a_model_that_appears_and_one_that_disappears() -> None:
    world = World("gemini-2.5-pro")
    world.other.ids = ["gemini-2.5-pro"]
    assert await world.later() == ["gemini-2.5-pro"]
    world.other.ids = ["gemini-2.5-pro", "gemini-5-neon", "gemini-5-neon"]
    assert await world.later() == ["gemini-2.5-pro", "gemini-5-neon"]
    world.one.ids, world.other.ids = ["gemini-2.5-flash"], ["gemini-2.5-flash"]
    assert await world.later() == ["gemini-2.5-flash"]


@pytest.mark.parametrize("error", [None, PermissionDeniedError("No.")], ids=["empty", "refused"])
async def test_without_a_list_the_last_one_counts_or_the_table(error: GatewayError | None) -> None:
    world = World("gemini-2.5-pro")
    world.other.ids, world.other.error = [], error
    assert await world.later() == TABLE
    world.other.ids, world.other.error = ["gemini-2.5-flash"], None
    assert await world.later() == ["gemini-2.5-pro", "gemini-2.5-flash"]
    world.other.ids, world.other.error = [], error
    assert await world.later() == ["gemini-2.5-pro", "gemini-2.5-flash"]


@pytest.mark.parametrize(
    ("listed", "offered"),
    [
        ("gemini-3-flash", "gemini-3.5-flash"),
        ("gemini-5-neon", "gemini-5-neon"),
        ("gemini-embedding-001", "gemini-embedding-001"),
        ("gemini-embedding-9", "gemini-embedding-9"),
        ("gemma-4-31b-it", "gemma-4-31b-it"),
        ("imagen-4", None),
        ("text-embedding-005", "text-embedding-005"),
        ("gemini-live-2.5-flash", None),
        ("gemini-2.5-flash-native-audio", None),
    ],
)
async def test_what_can_be_asked_is_offered_under_its_own_name(
    listed: str, offered: str | None
) -> None:
    world = World(listed, "gemini-2.5-pro")
    world.other.ids = ["gemini-2.5-pro"]
    assert set(await world.later()) == {"gemini-2.5-pro", offered} - {None}


async def test_an_unknown_model_has_the_dialect_of_its_generation() -> None:
    world = World()
    world.other.ids = ["gemini-3-ultra", "gemini-5-neon"]
    await world.later()
    known = {model.id: model for model in world.catalog.now_served()}
    assert known["gemini-3-ultra"].sampling
    assert not known["gemini-5-neon"].sampling


async def test_code_assists_table_has_what_it_serves() -> None:
    catalog = Catalog({"code_assist": Lister()})
    ids = {model.id for model in catalog.now_served()}
    assert {"gemini-3.8-flash", "gemini-2.5-pro"} <= ids
    assert not {"gemini-embedding-001", "gemini-4-argon"} & ids
    await background.finished()


@pytest.mark.parametrize("path", ["/v1beta/models", "/v1beta1/publishers/google/models"])
async def test_a_list_is_read_to_its_last_page(
    http: GoogleHttp, google: Google, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("service.upstream.listing._PAGE_SIZE", 4)
    google.models = {"gemini-5-neon"}
    ids = await listed_models(http, google.url + path)
    assert {"gemini-2.5-pro", "gemini-embedding-2-preview"} < set(ids)
    assert len(google.calls("models")) == -(-len(ids) // 4)
