"""What is let in, by a clock that only tests move."""

import math

import pytest

from service.errors import RateLimitError
from service.rates.counting import MINUTE, Account, Limits, Rates

BEGIN = 1_800_000_000.0  # of a minute


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def account(clock: Clock, requests: int | None = None, tokens: int | None = None) -> Account:
    return Rates(Limits(requests, tokens), clock).account("key")


def admitted(one: Account, times: int) -> int:
    """Return how many of so many are let in."""
    count = 0
    for _ in range(times):
        try:
            one.admit()
        except RateLimitError:
            continue
        count += 1
    return count


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_no_more_than_the_limit_is_let_in(clock: Clock, limit: int) -> None:
    assert admitted(account(clock, requests=limit), 2 * limit) == limit


def test_nobody_gets_twice_the_limit_where_two_minutes_meet(clock: Clock) -> None:
    one = account(clock, requests=60)
    clock.now += 59
    assert admitted(one, 100) == 60
    clock.now += 2
    assert admitted(one, 100) == 1
    clock.now += 29
    assert admitted(one, 100) == 29, "half a minute of what was used then is past"
    clock.now += 300
    assert admitted(one, 100) == 60


@pytest.mark.parametrize("elapsed", [0.5, 17.0, 59.9])
@pytest.mark.parametrize("limit", [1, 3, 60])
@pytest.mark.parametrize("before", [0, 1, 30])
def test_who_waits_as_long_as_told_is_let_in_and_sooner_is_not(
    clock: Clock, elapsed: float, limit: int, before: int
) -> None:
    one = account(clock, requests=limit)
    admitted(one, before)
    clock.now += MINUTE + elapsed
    admitted(one, limit + 1)
    with pytest.raises(RateLimitError) as refused:
        one.admit()
    wait = refused.value.retry_after
    assert wait is not None
    assert 0 < wait <= 2 * MINUTE
    clock.now += wait * 0.98 - 0.002
    with pytest.raises(RateLimitError):
        one.admit()
    clock.now += wait * 0.02 + 0.004
    one.admit()


def test_tokens_are_counted_when_they_are_known(clock: Clock) -> None:
    one = account(clock, tokens=100)
    one.admit()
    one.admit()
    one.spend(99)
    one.admit()
    one.spend(1)
    with pytest.raises(RateLimitError) as refused:
        one.admit()
    assert (refused.value.type, refused.value.code) == ("tokens", "rate_limit_exceeded")
    assert "100 tokens" in refused.value.message


def test_a_single_answer_far_beyond_the_limit_is_forgotten_in_two_minutes(clock: Clock) -> None:
    one = account(clock, tokens=100)
    one.admit()
    one.spend(1_000_000)
    with pytest.raises(RateLimitError) as refused:
        one.admit()
    assert refused.value.retry_after == pytest.approx(2 * MINUTE, abs=0.1)
    clock.now += 2 * MINUTE
    one.admit()


def test_what_was_refused_does_not_count(clock: Clock) -> None:
    one = account(clock, requests=2)
    assert admitted(one, 50) == 2
    clock.now += MINUTE + 31
    assert admitted(one, 1) == 1


def test_keys_have_nothing_to_do_with_each_other(clock: Clock) -> None:
    rates = Rates(Limits(requests=1), clock)
    rates.account("one").admit()
    rates.account("other").admit()
    assert rates.account("one") is rates.account("one")


def test_headers_say_what_is_left(clock: Clock) -> None:
    one = account(clock, requests=10, tokens=1000)
    clock.now += 20
    one.admit()
    one.spend(250)
    headers = {name.decode(): value.decode() for name, value in one.headers()}
    assert headers == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-reset-requests": "100s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "750",
        "x-ratelimit-reset-tokens": "100s",
    }
    clock.now += 70
    assert dict(one.headers())[b"x-ratelimit-remaining-tokens"] == b"%d" % math.floor(1000 - 125)
    clock.now += 100
    assert dict(one.headers())[b"x-ratelimit-reset-tokens"] == b"0s"


def test_there_are_no_headers_for_what_has_no_limit(clock: Clock) -> None:
    names = [name for name, _ in account(clock, tokens=5).headers()]
    assert len(names) == 3
    assert all(name.endswith(b"-tokens") for name in names)
