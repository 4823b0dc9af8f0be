"""What follows when Google refuses a thought signature: one more try without any."""

from typing import Any

import msgspec
import pytest

from service.errors import GatewayError, InvalidRequestError, SignatureRefusedError
from service.interfaces import Answer, AnswerStream
from service.schemas.gemini import GenerateContentRequest
from service.upstream.again import AskAgain
from service.upstream.code_assist import CodeAssist
from service.upstream.http import GoogleHttp
from service.upstream.project import Project
from service.upstream.unsigned import without_signatures
from tests.simulators.google import Google
from tests.simulators.replies import answer, chunks, error

BYPASS = "skip_thought_signature_validator"
WRONG = ("Invalid thought signature.", "Corrupted thought signature.")
MISSING = "Function call is missing a thought_signature in functionCall parts."
NOT_VALID = "Thought signature is not valid."
CUT = (
    "Invalid value at 'request.contents[1].parts[0].thought_signature' (TYPE_BYTES), "
    'Base64 decoding failed for "abcde"'
)
MODEL = "gemini-3-flash-preview"


def call(signature: str | None = None) -> dict[str, Any]:
    part: dict[str, Any] = {"functionCall": {"name": "f", "args": {}}}
    return part | ({"thoughtSignature": signature} if signature else {})


def conversation(*parts: dict[str, Any], asked: str = "") -> GenerateContentRequest:
    question = [{"text": asked}] if asked else []
    results = {"functionResponse": {"name": "f", "response": {}}}
    body = {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": list(parts)},
            {
                "role": "user",
                "parts": [results] * sum("functionCall" in part for part in parts) + question,
            },
        ],
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=GenerateContentRequest)


def signatures(request: dict[str, Any]) -> list[str | None]:
    return [part.get("thoughtSignature") for part in request["contents"][1]["parts"]]


@pytest.fixture
def upstream(http: GoogleHttp, google: Google) -> AskAgain:
    project = Project(http, endpoint=google.url, configured="sim-project", memory=None)
    return AskAgain(CodeAssist(http, endpoint=google.url, project=project))


async def ask(upstream: AskAgain, request: GenerateContentRequest) -> None:
    answered: Answer | AnswerStream = await upstream.generate(MODEL, request)
    assert answered.upstream == "code_assist"


async def ask_for_a_stream(upstream: AskAgain, request: GenerateContentRequest) -> None:
    stream = await upstream.stream(MODEL, request)
    assert [batch async for batch in stream]
    await stream.aclose()


REFUSED = error(400, message=WRONG[0])
EMPTY = chunks([{"candidates": [{"finishReason": "STOP", "content": {"role": "model"}}]}])
ASKS = pytest.mark.parametrize("ask", [ask, ask_for_a_stream], ids=["whole", "stream"])


@ASKS
@pytest.mark.parametrize("said", [*WRONG, MISSING, NOT_VALID, CUT])
async def test_it_is_asked_again_with_the_bypass_value(
    ask: Any, said: str, upstream: AskAgain, google: Google
) -> None:
    google.script(error(400, message=said), answer("Rain."))
    await ask(upstream, conversation(call("b25l"), call()))
    first, second = google.calls("generate")
    assert signatures(first.request) == ["b25l", None]
    assert signatures(second.request) == [BYPASS, None]
    assert second.request["contents"][::2] == first.request["contents"][::2]


@ASKS
async def test_once(ask: Any, upstream: AskAgain, google: Google) -> None:
    google.script(*[error(400, message=WRONG[0])] * 2)
    with pytest.raises(SignatureRefusedError):
        await ask(upstream, conversation(call("b25l")))
    assert len(google.calls("generate")) == 2


@ASKS
@pytest.mark.parametrize(
    ("script", "sent"),
    [
        ([REFUSED, EMPTY, answer("Rain.")], ["b25l", BYPASS, BYPASS]),
        ([EMPTY, REFUSED, answer("Rain.")], ["b25l", "b25l", BYPASS]),
    ],
    ids=["then it is empty", "after it was empty"],
)
async def test_beside_an_empty_answer(
    ask: Any, script: list[Any], sent: list[str], upstream: AskAgain, google: Google
) -> None:
    google.script(*script)
    await ask(upstream, conversation(call("b25l"), asked="Go on."))
    assert [signatures(one.request) for one in google.calls("generate")] == [[one] for one in sent]


@ASKS
@pytest.mark.parametrize(
    ("said", "refused"),
    [(WRONG[0], conversation(call(BYPASS))), ("Too many tools.", conversation(call("b25l")))],
    ids=["nothing to change", "something else"],
)
async def test_not_where_it_would_not_help(
    ask: Any,
    said: str,
    refused: GenerateContentRequest,
    upstream: AskAgain,
    google: Google,
) -> None:
    google.script(error(400, message=said))
    with pytest.raises(GatewayError) as caught:
        await ask(upstream, refused)
    assert isinstance(caught.value, InvalidRequestError)
    assert (caught.value.status, caught.value.code) == (400, "invalid_argument")
    assert len(google.calls("generate")) == 1


def test_texts_lose_theirs_and_everything_else_is_bypassed() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": ""}, "thoughtSignature": "b25l"}
    text = {"text": "Hm", "thoughtSignature": "b25l"}
    request = without_signatures(conversation(text, image, call(), call("b25l"), call()))
    parts = request.contents[1].parts or []
    assert [part.thought_signature for part in parts] == [None, BYPASS, BYPASS, BYPASS, None]
