"""Token counts in the course of a stream: running totals, some of which events leave out."""

import hypothesis.strategies as st
from hypothesis import given

from service.schemas.gemini import GenerateContentResponse, UsageMetadata
from service.schemas.gemini_usage import RunningUsage

COUNTS = st.none() | st.integers(0, 9)
USAGES = st.builds(
    UsageMetadata,
    prompt_token_count=COUNTS,
    candidates_token_count=COUNTS,
    thoughts_token_count=COUNTS,
    service_tier=st.sampled_from([None, "flex", "standard"]),
)


@given(st.lists(USAGES, min_size=1, max_size=40))
def test_a_stream_has_counted_the_last_of_each_count(usages: list[UsageMetadata]) -> None:
    counted = RunningUsage()
    for number, usage in enumerate(usages, 1):
        said = {
            name: [value for one in usages[:number] if (value := getattr(one, name)) is not None]
            for name in UsageMetadata.__struct_fields__
        }
        expected = UsageMetadata(**{name: values[-1] for name, values in said.items() if values})
        response = GenerateContentResponse(usage_metadata=usage)
        counted.complete(response)
        assert counted.latest == response.usage_metadata == expected


def test_a_response_without_counts_changes_nothing() -> None:
    counted = RunningUsage()
    counted.complete(GenerateContentResponse(usage_metadata=UsageMetadata(prompt_token_count=1)))
    response = GenerateContentResponse()
    counted.complete(response)
    assert response.usage_metadata is None
    assert counted.latest == UsageMetadata(prompt_token_count=1)
