import pytest

from service.errors import (
    GatewayError,
    InvalidRequestError,
    OverloadedError,
    QuotaExhaustedError,
    RateLimitError,
    UpstreamDeadlineError,
    UpstreamInternalError,
    UpstreamMalformedError,
    UpstreamTimeoutError,
    UpstreamTruncatedError,
    UpstreamUnreachableError,
)
from service.interfaces import Answer
from service.schemas.gemini import GenerateContentResponse
from service.upstream import retry
from service.upstream.retry import delay_before_retry, twice

ANSWER = Answer(GenerateContentResponse(), "someone")


class Upstream:
    """Fails as often as it was given errors, then answers."""

    def __init__(self, *errors: GatewayError) -> None:
        self.errors = list(errors)
        self.asked = 0

    async def generate(self) -> Answer:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return ANSWER


@pytest.mark.parametrize(
    "error",
    [
        OverloadedError("x"),
        OverloadedError("x", retry_after=0.01),
        RateLimitError("x"),
        UpstreamDeadlineError("x"),
        UpstreamInternalError("x"),
        UpstreamMalformedError("x"),
        UpstreamTruncatedError("x"),
        UpstreamUnreachableError("x"),
    ],
    ids=lambda error: type(error).__name__ + str(error.retry_after or ""),
)
async def test_what_may_pass_is_tried_once_more(error: GatewayError) -> None:
    upstream = Upstream(error)
    assert await twice(upstream.generate) == ANSWER
    assert upstream.asked == 2

    upstream = Upstream(error, InvalidRequestError("last"))
    with pytest.raises(InvalidRequestError, match="last"):
        await twice(upstream.generate)
    assert upstream.asked == 2


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequestError("x"),
        QuotaExhaustedError("x"),
        UpstreamTimeoutError("x"),
        RateLimitError("x", retry_after=2.1),
        OverloadedError("x", retry_after=9),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_will_not_pass_is_told_at_once(error: GatewayError) -> None:
    upstream = Upstream(error)
    with pytest.raises(GatewayError):
        await twice(upstream.generate)
    assert upstream.asked == 1


def test_a_short_wait_that_google_asks_for_is_kept_to_the_letter() -> None:
    assert delay_before_retry(RateLimitError("x", retry_after=1.9)) == 1.9
    assert delay_before_retry(RateLimitError("x", retry_after=0)) == 0


def test_without_one_the_wait_is_short_and_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "LONGEST_BACKOFF", 0.5)
    delays = {delay_before_retry(OverloadedError("x")) for _ in range(50)}
    assert len(delays) > 1
    assert all(delay is not None and 0 <= delay <= 0.5 for delay in delays)
