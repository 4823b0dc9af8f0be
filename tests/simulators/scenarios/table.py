"""One scenario, and short words for the Gemini objects that scenarios are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulators.calls import Play
from tests.simulators.rendering import Inner

Part = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """What Google answers to consecutive calls, for each operation that takes part."""

    id: str
    about: str
    scripts: Mapping[str, tuple[Play, ...]]

    @property
    def replies(self) -> tuple[Play, ...]:
        """The replies of the only operation."""
        (replies,) = self.scripts.values()
        return replies


def generating(scenario_id: str, about: str, *replies: Play) -> Scenario:
    return Scenario(scenario_id, about, {"generate": replies})


def says(
    *parts: str | Part,
    finish: str | None = None,
    candidate: Mapping[str, Any] | None = None,
    **around: Any,
) -> Inner:
    """Make one of Gemini's objects: a candidate with these parts, and what stands around it."""
    spoken = [{"text": part} if isinstance(part, str) else part for part in parts]
    content: Inner = {"role": "model"} | ({"parts": spoken} if spoken else {})
    finished = {} if finish is None else {"finishReason": finish}
    return {"candidates": [{"content": content, **finished, **(candidate or {})}], **around}


def ends(reason: str, **candidate: Any) -> Inner:
    """Make an object whose candidate has no content, only an end."""
    return {"candidates": [{"finishReason": reason, **candidate}]}


def usage(prompt: int, candidates: int = 0, thoughts: int = 0, **more: Any) -> Inner:
    """Build a usage as protobuf writes it: zero counts are absent."""
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": candidates,
        "thoughtsTokenCount": thoughts,
    }
    present = {name: count for name, count in counts.items() if count}
    return present | {"totalTokenCount": prompt + candidates + thoughts} | more
