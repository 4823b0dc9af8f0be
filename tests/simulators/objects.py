"""A generation as objects of Gemini's, and how each upstream and method gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.simulators.calls import Call
from tests.simulators.counting import prompt_tokens, tokens
from tests.simulators.errors import Error
from tests.simulators.rendering import (
    Inner,
    compact,
    enveloped,
    event,
    json_array,
    json_reply,
    merged,
    server_sent_events,
)
from tests.simulators.wire import (
    LETS_THE_OTHER_SIDE_READ,
    Cut,
    Hold,
    Pause,
    Reply,
    Reset,
    Step,
)

Part = dict[str, Any]
Beat = str | Part | list[Part] | Step  # of an answer: text, a part, parts together, or a step
Item = Inner | Error | Step | None  # of a stream: an object, an error, a step, an empty envelope

CREATED = "2026-01-10T01:55:29.168589Z"


@dataclass(frozen=True)
class Chunks:
    """Gemini's objects, in the order of the stream; the unary method gives their sum."""

    items: tuple[Item, ...]
    envelope: Mapping[str, Any] = field(default_factory=dict)  # Code Assist, on the last event

    def __call__(self, call: Call) -> Reply:
        if not call.recorded.stream:
            return self._unary(call)
        steps = self._wrapped(call)
        if not call.recorded.server_sent_events:
            return json_array(call, steps)
        return server_sent_events(
            call, [event(step) if isinstance(step, dict | list) else step for step in steps]
        )

    def _wrapped(self, call: Call) -> list[Any]:
        """Give JSON values, where they are such, and steps."""
        objects = [
            at for at, item in enumerate(self.items) if item is None or isinstance(item, dict)
        ]
        wrapped: list[Any] = []
        for at, item in enumerate(self.items):
            if isinstance(item, Error):
                wrapped.append(item.value)
            elif item is None or isinstance(item, dict):
                extra = self.envelope if at == objects[-1] else None
                wrapped.append(enveloped(call, item, extra))
            else:
                wrapped.append(item)
        return wrapped

    def _unary(self, call: Call) -> Reply:
        failure = next((item for item in self.items if isinstance(item, Error)), None)
        objects = [item for item in self.items if isinstance(item, dict)]
        if failure is not None:
            reply = replace(failure, array=False)(call)
        else:
            inner = merged(objects) if objects else None
            reply = json_reply(call, enveloped(call, inner, self.envelope))
        waits = tuple(item for item in self.items if isinstance(item, Pause | Hold))
        ending = next((item for item in self.items if isinstance(item, Reset | Cut)), None)
        return replace(reply if ending is None else _broken_off(reply, ending), before=waits)


def _broken_off(reply: Reply, ending: Reset | Cut) -> Reply:
    half = reply.body[: len(reply.body) // 2]
    declared = ("Content-Length", str(len(reply.body)))
    steps = (half, LETS_THE_OTHER_SIDE_READ, ending)
    return replace(reply, headers=(*reply.headers, declared), steps=steps)


@dataclass(frozen=True)
class Answer:
    """A complete generation, with whatever Google puts around the text."""

    beats: tuple[Beat, ...]
    finish: str | None
    usage: Mapping[str, Any] | None  # None: counted, and in every event
    candidate: Mapping[str, Any]
    then: tuple[Item, ...]

    def __call__(self, call: Call) -> Reply:
        return Chunks((*self._objects(call), *self.then))(call)

    def _objects(self, call: Call) -> list[Item]:
        said = [_parts(beat) for beat in self.beats]
        positions = [at for at, parts in enumerate(said) if parts is not None]
        items: list[Item] = []
        so_far: list[Part] = []
        for at, parts in enumerate(said):
            beat = self.beats[at]
            if parts is None:
                assert not isinstance(beat, str | dict | list)
                items.append(beat)
                continue
            so_far += parts
            items.append(self._object(call, parts, so_far, last=at == positions[-1]))
        return items if positions else [*items, self._object(call, [], [], last=True)]

    def _object(self, call: Call, parts: list[Part], so_far: list[Part], *, last: bool) -> Inner:
        candidate: Inner = {"content": {"role": "model"} | ({"parts": parts} if parts else {})}
        if last and self.finish is not None:
            candidate["finishReason"] = self.finish
        if last:
            candidate |= self.candidate
        inner: Inner = {"candidates": [candidate]}
        if self.usage is None:
            inner["usageMetadata"] = _usage(call, so_far)
        elif last and self.usage:
            inner["usageMetadata"] = dict(self.usage)
        inner["modelVersion"] = call.recorded.model
        if call.recorded.upstream == "gemini_api":
            candidate["index"] = 0
        else:
            inner["createTime"] = CREATED
        return inner | {"responseId": f"sim-{call.number}"}


def _parts(beat: Beat) -> list[Part] | None:
    match beat:
        case str():
            return [{"text": beat}]
        case dict():
            return [beat]
        case list():
            return beat
        case _:
            return None


def _usage(call: Call, parts: Sequence[Part]) -> Inner:
    """Zero counts are left out, as protobuf JSON leaves out zeroes."""
    thoughts = "".join(part.get("text", "") for part in parts if part.get("thought"))
    visible = "".join(
        part["text"] if "text" in part else compact(part).decode()
        for part in parts
        if not part.get("thought")
    )
    prompt = prompt_tokens(call.recorded.request)
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": tokens(visible) if visible else 0,
        "thoughtsTokenCount": tokens(thoughts) if thoughts else 0,
    }
    usage: Inner = {name: count for name, count in counts.items() if count}
    usage["totalTokenCount"] = sum(counts.values())
    usage["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": prompt}]
    if call.recorded.upstream != "gemini_api":
        usage["trafficType"] = "ON_DEMAND"
    return usage
