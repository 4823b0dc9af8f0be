"""Token counts in the course of a stream: running totals, some of which events leave out."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from service.schemas.gemini import UsageMetadata
from service.schemas.gemini_usage import keep, latest

COUNTS = st.none() | st.integers(0, 9)
USAGES = st.builds(
    UsageMetadata,
    prompt_token_count=COUNTS,
    candidates_token_count=COUNTS,
    thoughts_token_count=COUNTS,
    service_tier=st.sampled_from([None, "flex", "standard"]),
)


@given(st.lists(USAGES, max_size=40))
def test_what_is_kept_of_a_long_stream_says_the_last_of_each_count(
    usages: list[UsageMetadata],
) -> None:
    kept: list[UsageMetadata] = []
    for usage in usages:
        keep(usage, kept)
    said = {
        name: [value for usage in usages if (value := getattr(usage, name)) is not None]
        for name in UsageMetadata.__struct_fields__
    }
    assert latest(kept) == UsageMetadata(
        **{name: values[-1] for name, values in said.items() if values}
    )


@pytest.mark.parametrize("count", [10, 1000])
def test_a_long_stream_keeps_no_more_than_a_short_one(count: int) -> None:
    kept: list[UsageMetadata] = []
    for number in range(count):
        keep(UsageMetadata(candidates_token_count=number), kept)
    assert len(kept) < 10
