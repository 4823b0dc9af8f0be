"""Embeddings: a vector that depends on the text alone, in each of Google's forms."""

import hashlib
import math
import random
from typing import Any

from tests.simulators.calls import Call
from tests.simulators.counting import tokens
from tests.simulators.errors import RefusedError, error
from tests.simulators.rendering import json_reply
from tests.simulators.wire import Reply

Json = dict[str, Any]

FULL = 3072
MOST_CONTENTS = 100
#: Vertex AI's models that `:predict`; the others `:embedContent`.
PREDICT = ("gemini-embedding-001", "text-embedding-005")


def vector(text: str, dimensions: int = FULL) -> list[float]:
    """Return a vector of length 1, or the beginning of it, which is shorter."""
    seed = hashlib.sha256(text.encode()).digest()
    chance = random.Random(seed)  # noqa: S311  (the same for the same text)
    values = [chance.gauss(0, 1) for _ in range(FULL)]
    length = math.hypot(*values)
    return [round(value / length, 8) for value in values[:dimensions]]


def embed(call: Call) -> Reply:
    body, rpc = call.recorded.body, call.recorded.path.rpartition(":")[2]
    if rpc == "predict":
        dimensions = body.get("parameters", {}).get("outputDimensionality", FULL)
        return json_reply(
            call,
            {"predictions": [_prediction(one["content"], dimensions) for one in body["instances"]]},
        )
    asked = body.get("requests", [body])
    vectors = [{"values": vector(_text(one), _dimensions(one))} for one in asked]
    count = {"promptTokenCount": sum(tokens(_text(one)) for one in asked)}
    usage = {} if call.recorded.model in PREDICT else {"usageMetadata": count}
    if "requests" in body:
        return json_reply(call, {"embeddings": vectors, **usage})
    return json_reply(call, {"embedding": vectors[0], **usage})


def _prediction(text: str, dimensions: int) -> Json:
    statistics = {"truncated": False, "token_count": tokens(text)}
    return {"embeddings": {"values": vector(text, dimensions), "statistics": statistics}}


def _text(asked: Json) -> str:
    return "".join(part.get("text", "") for part in asked["content"]["parts"])


def _dimensions(asked: Json) -> int:
    config = asked.get("embedContentConfig", asked)
    return int(config.get("outputDimensionality") or FULL)


def check(call: Call) -> None:
    """Raise `RefusedError` for what Google would not embed."""
    recorded = call.recorded
    body, rpc = recorded.body, recorded.path.rpartition(":")[2]
    requests = body.get("requests", [])
    if len(requests) > MOST_CONTENTS:
        _refuse(
            "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch",
        )
    if any(one.get("model") != f"models/{recorded.model}" for one in requests):
        _refuse("* BatchEmbedContentsRequest.requests: the model of a request is another one")
    if len(body.get("instances", [])) > call.world.most_instances:
        _refuse("Unable to submit request because it included too many instances.")
    if recorded.upstream == "vertex" and (recorded.model in PREDICT) != (rpc == "predict"):
        _refuse(f"The model {recorded.model} does not support {rpc}.")
    texts = [one["content"] for one in body.get("instances", [])]
    if rpc != "predict":
        texts = [_text(one) for one in requests or [body]]
    if not all(texts):
        _refuse("* EmbedContentRequest.content: contents is not specified")


def _refuse(message: str) -> None:
    raise RefusedError(error(400, message=message))
