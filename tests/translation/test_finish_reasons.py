"""Gemini's finish reasons in OpenAI's words, row by row."""

import pytest

from service.errors import UpstreamMalformedError, UpstreamResponseError, UpstreamTruncatedError
from service.translation.response import finish_reason

FILTERED = (
    "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII MODEL_ARMOR ESCALATION "
    "IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION IMAGE_OTHER NO_IMAGE"
)


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "with text"])
@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("CONTINUATION", "length"),
        *((native, "content_filter") for native in FILTERED.split()),
    ],
)
def test_known_reasons_do_not_depend_on_the_text(
    native: str, expected: str, *, empty: bool
) -> None:
    assert finish_reason(native, blocked=False, empty=empty) == expected


@pytest.mark.parametrize(
    ("native", "expected"),
    [("OTHER", "stop"), ("PUP_LIMITED_DISABLED", "stop"), ("SOMETHING_NEW", "stop")],
)
def test_text_before_an_unclear_end_is_an_answer(native: str, expected: str) -> None:
    assert finish_reason(native, blocked=False, empty=False) == expected


def test_other_without_text_is_a_filter() -> None:
    assert finish_reason("OTHER", blocked=False, empty=True) == "content_filter"


@pytest.mark.parametrize("native", ["PUP_LIMITED_DISABLED", "SOMETHING_NEW"])
def test_nothing_before_an_unknown_end_is_an_error(native: str) -> None:
    with pytest.raises(UpstreamResponseError, match=native):
        finish_reason(native, blocked=False, empty=True)


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "with text"])
@pytest.mark.parametrize(
    "native",
    [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    ],
)
def test_a_failure_of_the_model_is_never_an_answer(native: str, *, empty: bool) -> None:
    with pytest.raises(UpstreamMalformedError, match=native):
        finish_reason(native, blocked=False, empty=empty)


@pytest.mark.parametrize("native", [None, "", "FINISH_REASON_UNSPECIFIED"])
def test_no_end_is_an_error_unless_the_prompt_was_blocked(native: str | None) -> None:
    with pytest.raises(UpstreamTruncatedError):
        finish_reason(native, blocked=False, empty=False)
    assert finish_reason(native, blocked=True, empty=True) == "content_filter"
