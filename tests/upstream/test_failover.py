"""Which way to Gemini is asked, in which order, and when again."""

import pytest

from service.errors import (
    CapacityError,
    CredentialsError,
    GatewayError,
    InvalidRequestError,
    ModelNotFoundError,
    PermissionDeniedError,
    QuotaExhaustedError,
    RateLimitError,
    TokenEndpointError,
    TooLargeForThisWayError,
    UnreadableFileError,
    UpstreamEmptyError,
    UpstreamInternalError,
    UpstreamMalformedError,
    UpstreamResponseError,
    UpstreamUnreachableError,
)
from service.interfaces import Answer, AnswerStream
from service.schemas.gemini import GenerateContentRequest, GenerateContentResponse
from service.upstream import failover
from service.upstream.failover import Failover, Named

REQUEST = GenerateContentRequest(contents=[])


class Upstream:
    """Fails with what it is told to, for as long as it is told to; counts its requests."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.error: GatewayError | None = None
        self.asked = 0

    async def generate(self, *_: object) -> Answer:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return Answer(GenerateContentResponse(), self.name)

    async def stream(self, *_: object) -> AnswerStream:
        raise NotImplementedError


class World:
    """Three ways, and a clock that only tests move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.a, self.b, self.c = (Upstream(name) for name in "abc")
        ways = [Named(one.name, one) for one in (self.a, self.b, self.c)]
        self.failover = Failover(ways, now=lambda: self.now)

    async def answered_by(self, model: str = "m") -> str:
        return (await self.failover.generate(model, REQUEST)).upstream

    async def asked(self, model: str = "m") -> str:
        """Return who was asked, one letter for each time, by the next request."""
        before = [one.asked for one in (self.a, self.b, self.c)]
        await self.answered_by(model)
        after = [one.asked for one in (self.a, self.b, self.c)]
        return "".join(
            name * (now - then) for name, then, now in zip("abc", before, after, strict=True)
        )


@pytest.fixture
def world() -> World:
    return World()


async def test_the_first_way_is_taken_while_it_is_open(world: World) -> None:
    assert await world.asked() == "a"


@pytest.mark.parametrize(
    ("error", "asked", "seconds"),
    [
        (RateLimitError("x"), "ab", 60),
        (RateLimitError("x", retry_after=7), "ab", 7),
        (CapacityError("x"), "ab", 60),
        (QuotaExhaustedError("x", retry_after=47_942), "ab", 47_942),
        (PermissionDeniedError("x"), "ab", 600),
        (ModelNotFoundError("x"), "ab", 600),
        (CredentialsError("x"), "ab", 60),
        (TokenEndpointError("x"), "ab", 10),
        (UpstreamUnreachableError("x"), "ab", 10),
        (UpstreamInternalError("x"), "aab", 10),
        (UpstreamResponseError("x"), "aab", 10),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, GatewayError) else str(value),
)
async def test_a_closed_way_is_left_for_as_long_as_its_error_says(
    world: World, error: GatewayError, asked: str, seconds: float
) -> None:
    world.a.error = error
    assert await world.asked() == asked
    world.now = seconds - 0.01
    assert await world.asked() == "b"
    world.now, world.a.error = seconds, None
    assert await world.asked() == "a"
    world.now = 0
    assert await world.asked() == "a", "one success clears what was remembered"


@pytest.mark.parametrize(
    "error", [InvalidRequestError("x"), UpstreamMalformedError("x"), UpstreamEmptyError("x")]
)
async def test_what_is_wrong_with_the_request_is_not_asked_elsewhere(
    world: World, error: GatewayError
) -> None:
    world.a.error = error
    with pytest.raises(type(error)):
        await world.answered_by()
    assert world.b.asked == 0


@pytest.mark.parametrize(
    ("error", "other_model"),
    [
        (RateLimitError("x"), "a"),
        (QuotaExhaustedError("x"), "a"),
        (CapacityError("x"), "a"),
        (ModelNotFoundError("x"), "a"),
        (PermissionDeniedError("x"), "b"),
        (UpstreamUnreachableError("x"), "b"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, GatewayError) else "",
)
async def test_a_limit_on_one_model_does_not_close_the_others(
    world: World, error: GatewayError, other_model: str
) -> None:
    world.a.error = error
    assert await world.answered_by() == "b"
    world.a.error = None
    assert await world.asked("another") == other_model


async def test_when_no_way_is_open_the_closed_ones_are_asked_all_the_same(world: World) -> None:
    for way in (world.a, world.b, world.c):
        way.error = PermissionDeniedError("x")
    with pytest.raises(PermissionDeniedError):
        await world.answered_by()
    world.b.error = None
    assert await world.asked() == "ab"


async def test_the_error_is_that_of_the_way_that_opens_first_and_names_the_others(
    world: World,
) -> None:
    world.a.error = PermissionDeniedError("No licence.")
    world.b.error = RateLimitError("Busy.", retry_after=30)
    world.c.error = RateLimitError("Busier.", retry_after=50)
    with pytest.raises(RateLimitError) as told:
        await world.answered_by()
    assert told.value.retry_after == 30
    assert told.value.message == (
        "b: Busy. No other way to Gemini is open (a: permission_denied, c: rate_limit_exceeded)."
    )
    assert world.b.error.message == "Busy."


async def test_what_knows_more_is_not_forgotten_for_what_knows_less(world: World) -> None:
    """Requests that were under way together fail in any order."""
    for error in (QuotaExhaustedError("x", retry_after=50_000), RateLimitError("x")):
        world.a.error = error
        world.b.error = world.c.error = InvalidRequestError("x")
        with pytest.raises(InvalidRequestError):
            await world.answered_by()
        world.b.error = world.c.error = PermissionDeniedError("x")
        with pytest.raises(GatewayError):
            await world.answered_by()
    world.b.error = world.c.error = None
    world.now = 49_999
    assert await world.asked() == "b"


async def test_a_model_is_open_as_long_as_one_way_is(world: World) -> None:
    for way in (world.a, world.b, world.c):
        assert world.failover.is_open("m")
        way.error = ModelNotFoundError("x")
    with pytest.raises(ModelNotFoundError):
        await world.answered_by()
    assert not world.failover.is_open("m")
    assert world.failover.is_open("another")


async def test_one_way_that_might_serve_another_model_is_enough_to_ask_for_one(
    world: World,
) -> None:
    world.a.error = UpstreamUnreachableError("x")
    world.b.error = QuotaExhaustedError("x")
    world.c.error = PermissionDeniedError("x")
    with pytest.raises(UpstreamUnreachableError) as told:
        await world.answered_by()
    assert told.value.other_model


async def test_models_that_nobody_has_do_not_fill_the_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failover, "_REMEMBERED", 10)
    world.a.error = ModelNotFoundError("x")
    for number in range(100):
        world.now += 100
        await world.answered_by(f"m{number}")
    assert len(world.failover._closed) <= 12


@pytest.mark.parametrize("error", [UnreadableFileError("x"), TooLargeForThisWayError("x")])
async def test_a_way_that_cannot_do_one_request_is_not_closed_for_others(
    world: World, error: GatewayError
) -> None:
    world.a.error = error
    assert await world.asked() == "ab"
    world.a.error = None
    assert await world.asked() == "a"


async def test_what_is_closed_is_told_rather_than_what_cannot_read(world: World) -> None:
    world.a.error = world.c.error = UnreadableFileError("x")
    world.b.error = PermissionDeniedError("No licence.")
    with pytest.raises(PermissionDeniedError, match="No licence"):
        await world.answered_by()
    world.b.error = UnreadableFileError("y")
    with pytest.raises(UnreadableFileError, match=r"^x$"):
        await world.answered_by()
