"""What is left of each model's quota."""

import pytest

from service.errors import PermissionDeniedError
from service.schemas.code_assist import QuotaBucket
from service.upstream.http import GoogleHttp
from service.upstream.quota import retrieve_quota
from tests.simulators.code_assist import RESET_TIME
from tests.simulators.google import Google
from tests.simulators.replies import document, error


async def quota(http: GoogleHttp, google: Google) -> dict[str | None, QuotaBucket]:
    return {bucket.model_id: bucket for bucket in await retrieve_quota(http, google.url, "mine")}


@pytest.mark.parametrize(("scenario", "previews"), [("G17", True), ("G17-released", False)])
async def test_each_model_has_its_own(
    http: GoogleHttp, google: Google, scenario: str, *, previews: bool
) -> None:
    google.play(scenario)
    buckets = await quota(http, google)
    assert buckets["gemini-2.5-pro"] == QuotaBucket(
        model_id="gemini-2.5-pro",
        token_type="REQUESTS",
        remaining_fraction=1,
        remaining_amount="1000",
        reset_time=RESET_TIME,
    )
    assert any("preview" in str(model) for model in buckets) is previews
    (call,) = google.calls("retrieveUserQuota")
    assert call.body == {"project": "mine"}


async def test_a_fraction_that_is_left_out_is_zero(http: GoogleHttp, google: Google) -> None:
    google.play("G17-used-up")
    assert (await quota(http, google))["gemini-2.5-pro"].remaining_fraction == 0


async def test_google_may_count_nothing(http: GoogleHttp, google: Google) -> None:
    google.script(document({}), on="retrieveUserQuota")
    assert await quota(http, google) == {}


@pytest.mark.parametrize("scenario", ["G17-403", None], ids=["403", "404"])
async def test_google_may_not_tell(http: GoogleHttp, google: Google, scenario: str | None) -> None:
    if scenario:
        google.play(scenario)
    else:
        google.script(error(404), on="retrieveUserQuota")
    with pytest.raises(PermissionDeniedError, match="The operator of this gateway has to"):
        await quota(http, google)
