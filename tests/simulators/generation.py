"""What a model says when nothing is scripted, and how many tokens it took."""

import re
from typing import Any

from tests.simulators.calls import Call
from tests.simulators.counting import last_user_text, prompt_tokens, texts
from tests.simulators.objects import Beat
from tests.simulators.rendering import json_reply
from tests.simulators.replies import answer
from tests.simulators.wire import Pause, Reply

_LONGEST_QUOTE = 80


#: One red pixel.
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJg"
    "gg=="
)


def echo(call: Call) -> Reply:
    """Say something friendly that quotes the user, a word at a time; or draw, where that is asked.

    What is drawn is always the same.
    """
    config = call.recorded.request.get("generationConfig") or {}
    if "IMAGE" in (config.get("responseModalities") or []):
        return answer({"inlineData": {"mimeType": "image/png", "data": DOT}})(call)
    said = last_user_text(call.recorded.request)[:_LONGEST_QUOTE]
    text = f'Hello from the simulated Google! You said: "{said}".'
    beats: list[Beat] = []
    for word in re.findall(r"\S+\s*|\s+", text):
        if beats and call.world.pace:
            beats.append(Pause(call.world.pace))
        beats.append(word)
    return answer(*beats)(call)


def count(call: Call) -> Reply:
    request: dict[str, Any] = call.recorded.request
    request = request.get("generateContentRequest") or request
    total = prompt_tokens(request)
    counted: dict[str, Any] = {"totalTokens": total}
    if call.recorded.upstream == "vertex":
        counted["totalBillableCharacters"] = len("".join(texts(request)))
    if call.recorded.upstream != "code_assist":
        counted["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": total}]
    return json_reply(call, counted)
