"""Gemini's token counts, as OpenAI's usage."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from msgspec import UNSET, UnsetType, structs

from service.schemas import gemini
from service.schemas.openai import CompletionTokensDetails, PromptTokensDetails, Usage
from service.schemas.openai_chat import ServiceTier


class Tokens(NamedTuple):
    """OpenAI's counts: thoughts are completion tokens, tool results prompt tokens."""

    prompt: int
    completion: int
    total: int
    cached: int  # of the prompt's
    reasoning: int  # of the completion's


def to_tokens(meta: gemini.UsageMetadata) -> Tokens:
    """Count as OpenAI does.

    Gemini's candidates leave thoughts out, except where its own total says that they are in.
    """
    prompt, candidates, thoughts, tools, total_, cached = _ints(
        meta.prompt_token_count,
        meta.candidates_token_count,
        meta.thoughts_token_count,
        meta.tool_use_prompt_token_count,
        meta.total_token_count,
        meta.cached_content_token_count,
    )
    inclusive = total_ == prompt + candidates
    completion = candidates if inclusive else candidates + thoughts
    whole = total_ or prompt + tools + completion
    return Tokens(prompt + tools, completion, whole, cached, thoughts)


def to_usage(meta: gemini.UsageMetadata | None) -> Usage:
    """Do the same for a client, with what Gemini tells apart."""
    if meta is None:
        meta = gemini.UsageMetadata()
    tokens = to_tokens(meta)
    return Usage(
        prompt_tokens=tokens.prompt,
        completion_tokens=tokens.completion,
        total_tokens=tokens.total,
        prompt_tokens_details=PromptTokensDetails(
            tokens.cached,
            **_by_modality(meta.prompt_tokens_details, meta.tool_use_prompt_tokens_details),
        ),
        completion_tokens_details=CompletionTokensDetails(
            tokens.reasoning, **_by_modality(meta.candidates_tokens_details)
        ),
    )


_TIERS: dict[str, ServiceTier] = {
    "standard": "default",
    "flex": "flex",
    "priority": "priority",
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
}


def tier(meta: gemini.UsageMetadata | None) -> ServiceTier | UnsetType:
    """Say which tier served a request, if Google has said it."""
    said = meta and (meta.service_tier or meta.traffic_type)
    return _TIERS.get(said.lower(), UNSET) if said else UNSET


_MODALITIES = {"AUDIO": "audio_tokens", "IMAGE": "image_tokens", "TEXT": "text_tokens"}


def _by_modality(*lists: list[gemini.ModalityCount] | None) -> dict[str, int]:
    """Count audio, images and text, if Google has told any of them apart."""
    if not any(lists):
        return {}
    counts = dict.fromkeys(_MODALITIES.values(), 0)
    for one in itertools.chain.from_iterable(filter(None, lists)):
        if name := _MODALITIES.get(one.modality or ""):
            counts[name] += _ints(one.token_count)[0]
    return counts


def total(usages: Sequence[Usage]) -> Usage:
    if len(usages) == 1:
        return usages[0]
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        total_tokens=sum(usage.total_tokens for usage in usages),
        prompt_tokens_details=_sum(
            PromptTokensDetails, [usage.prompt_tokens_details for usage in usages]
        ),
        completion_tokens_details=_sum(
            CompletionTokensDetails, [usage.completion_tokens_details for usage in usages]
        ),
    )


Details = TypeVar("Details", PromptTokensDetails, CompletionTokensDetails)


def _sum(kind: type[Details], details: Sequence[Details]) -> Details:
    """Add up field by field; what nobody counts stays away."""
    sums: dict[str, int] = {}
    for one in details:
        for name, count in structs.asdict(one).items():
            if count is not UNSET:
                sums[name] = sums.get(name, 0) + count
    return kind(**sums)


def _ints(*counts: gemini.Count) -> list[int]:
    """Return numbers; zero for what is none."""
    found = []
    for count in counts:
        try:
            found.append(int(count or 0))
        except (ValueError, OverflowError):
            found.append(0)
    return found
