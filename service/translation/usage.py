"""Gemini's token counts, as OpenAI's usage."""

from collections.abc import Sequence

from service.schemas import gemini
from service.schemas.openai import CompletionTokensDetails, PromptTokensDetails, Usage


def to_usage(meta: gemini.UsageMetadata | None) -> Usage:
    """Count as OpenAI does: thoughts are completion tokens, tool results prompt tokens.

    Gemini's candidates leave thoughts out, except where its own total says that they are in.
    """
    if meta is None:
        meta = gemini.UsageMetadata()
    prompt, candidates = _int(meta.prompt_token_count), _int(meta.candidates_token_count)
    thoughts, tools = _int(meta.thoughts_token_count), _int(meta.tool_use_prompt_token_count)
    total_ = _int(meta.total_token_count)
    inclusive = total_ == prompt + candidates
    completion = candidates if inclusive else candidates + thoughts
    return Usage(
        prompt_tokens=prompt + tools,
        completion_tokens=completion,
        total_tokens=total_ or prompt + tools + completion,
        prompt_tokens_details=PromptTokensDetails(_int(meta.cached_content_token_count)),
        completion_tokens_details=CompletionTokensDetails(thoughts),
    )


def total(usages: Sequence[Usage]) -> Usage:
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        total_tokens=sum(usage.total_tokens for usage in usages),
        prompt_tokens_details=PromptTokensDetails(
            sum(usage.prompt_tokens_details.cached_tokens for usage in usages)
        ),
        completion_tokens_details=CompletionTokensDetails(
            sum(usage.completion_tokens_details.reasoning_tokens for usage in usages)
        ),
    )


def _int(count: gemini.Count) -> int:
    try:
        return int(count or 0)
    except (ValueError, OverflowError):
        return 0
