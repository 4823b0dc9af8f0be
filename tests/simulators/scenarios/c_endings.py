"""C: all the ways in which an answer ends, or is kept from beginning."""

from tests.simulators.replies import answer, chunks
from tests.simulators.scenarios.table import Scenario, ends, generating, says, usage

_BLOCKED = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}]
_CITED = {"citations": [{"startIndex": 0, "endIndex": 9, "uri": "https://example.com/book"}]}
_ALL_THINKING = {
    "promptTokenCount": 82088,
    "totalTokenCount": 90280,
    "trafficType": "ON_DEMAND",
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 82088}],
    "thoughtsTokenCount": 8192,
}
_OTHER_REASONS = ("BLOCKLIST", "SPII", "LANGUAGE", "OTHER", "IMAGE_SAFETY", "MODEL_ARMOR")
_BLOCK_REASONS = ("SAFETY", "OTHER", "BLOCKLIST", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK")


def _cut_by(suffix: str, reason: str) -> Scenario:
    reply = chunks([says("Partial ", usageMetadata=usage(3, 2)), ends(reason)])
    return generating(f"C7{suffix}", f"cut by {reason}", reply)


def _blocked_by(suffix: str, reason: str) -> Scenario:
    return generating(f"C8{suffix}", f"prompt blocked by {reason}", chunks([_feedback(reason)]))


def _feedback(reason: str) -> dict[str, object]:
    return {
        "promptFeedback": {
            "blockReason": reason,
            "blockReasonMessage": "The prompt could not be submitted.",
            "safetyRatings": [],
        },
        "usageMetadata": usage(12),
        "modelVersion": "gemini-2.5-pro",
    }


def _suffix(reason: str) -> str:
    return "-" + reason.lower().replace("_", "-")


SCENARIOS = (
    generating(
        "C1",
        "the token limit, after some text",
        answer("Once upon a ", "time", finish="MAX_TOKENS"),
    ),
    generating(
        "C2",
        "the token limit, before any text",
        chunks([says(finish="MAX_TOKENS", usageMetadata=_ALL_THINKING)]),
    ),
    generating(
        "C3",
        "the token limit, inside a call that is never seen",
        chunks([ends("MAX_TOKENS") | {"usageMetadata": usage(20, 16)}]),
    ),
    generating(
        "C4",
        "safety, after some text",
        chunks([says("Well, "), ends("SAFETY", safetyRatings=_BLOCKED)]),
    ),
    generating("C5", "safety, at once", chunks([ends("SAFETY", safetyRatings=_BLOCKED)])),
    generating(
        "C6", "recitation", chunks([says("Call me I"), ends("RECITATION", citationMetadata=_CITED)])
    ),
    _cut_by("", "PROHIBITED_CONTENT"),
    *(_cut_by(_suffix(reason), reason) for reason in _OTHER_REASONS),
    _blocked_by("", "PROHIBITED_CONTENT"),
    *(_blocked_by(_suffix(reason), reason) for reason in _BLOCK_REASONS),
    generating(
        "C9", "the prompt blocked late", chunks([says("Well, "), _feedback("PROHIBITED_CONTENT")])
    ),
    generating("C10", "two ends", chunks([says("Hi", finish="STOP"), says("", finish="STOP")])),
    generating(
        "C11",
        "usage and grounding after the end",
        chunks(
            [
                says("Hi", finish="STOP"),
                {
                    "candidates": [{"groundingMetadata": {"webSearchQueries": ["hi"]}}],
                    "usageMetadata": usage(3, 1),
                },
            ]
        ),
    ),
    generating(
        "C12",
        "an end that is none",
        chunks([says("Hel", finish="FINISH_REASON_UNSPECIFIED"), says("lo", finish="STOP")]),
    ),
    generating("C13", "an end without text", chunks([ends("STOP")])),
)
