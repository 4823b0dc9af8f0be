"""What a client's user sees of a plain answer and of a refusal."""

import pytest

from tests.clients.conftest import StartClient
from tests.clients.running import CLIENTS
from tests.simulators.google import Google
from tests.simulators.replies import Play, answer, error, thought

HOW = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
EACH = pytest.mark.parametrize("name", CLIENTS)


@HOW
@EACH
def test_an_answer(name: str, start_client: StartClient, google: Google, *, streams: bool) -> None:
    google.script(
        answer(
            "Grüße ",
            "aus 東京 \u2028😀.",
            usage={
                "promptTokenCount": 7,
                "candidatesTokenCount": 5,
                "thoughtsTokenCount": 3,
                "totalTokenCount": 15,
            },
        )
    )
    got = start_client(name).ask("answer", model="gemini-2.5-flash", text="Hi!", streams=streams)
    assert got.pop("finish", "stop") == "stop"
    assert got.pop("thoughts", None) is None
    assert got == {"text": "Grüße aus 東京 \u2028😀.", "tokens": [7, 8, 15]}
    (call,) = google.calls("generate")
    assert call.stream is streams
    assert call.request["contents"] == [{"role": "user", "parts": [{"text": "Hi!"}]}]


#: Why an answer is not whole: Gemini's word, OpenAI's, and what OpenAI's `.stream` raises.
CUT = [
    ("MAX_TOKENS", "length", "LengthFinishReasonError"),
    ("SAFETY", "content_filter", "ContentFilterFinishReasonError"),
]


@HOW
@EACH
@pytest.mark.parametrize("cut", CUT, ids=["length", "content_filter"])
def test_an_answer_that_was_cut(
    name: str,
    cut: tuple[str, str, str],
    start_client: StartClient,
    google: Google,
    *,
    streams: bool,
) -> None:
    finish, reason, raised = cut
    google.script(answer("Once upon", finish=finish))
    got = start_client(name).ask("answer", model="gemini-2.5-flash", text="Hi!", streams=streams)
    if (name, streams) == ("openai-python", True):
        assert got["error"]["class"] == raised
    else:
        assert got["text"] == "Once upon"
        assert got.get("finish", reason).replace("-", "_") == reason


@HOW
@pytest.mark.parametrize(
    "name",
    ["openai-python", "openai-node", "ai-sdk", "ai-sdk-google", "openai-agents", "pydantic-ai"],
)
def test_thoughts(name: str, start_client: StartClient, google: Google, *, streams: bool) -> None:
    google.script(answer([thought("Should I ")], [thought("say hello?")], "Hello."))
    got = start_client(name).ask(
        "answer", model="gemini-2.5-flash", text="Hi!", streams=streams, reasoning_effort="low"
    )
    assert (got["thoughts"], got["text"]) == ("Should I say hello?", "Hello.")
    (call,) = google.calls("generate")
    assert call.request["generationConfig"]["thinkingConfig"]["includeThoughts"] is True


#: What each client makes of a status; for those that are not here, the class of OpenAI's SDK.
CLASSES = {
    "ai-sdk": dict.fromkeys((400, 404, 429, 503), "APICallError"),
    "ai-sdk-google": dict.fromkeys((400, 404, 429, 503), "APICallError"),
    "langchain": {
        400: "OpenAIInvalidRequestError",
        404: "OpenAIModelNotFoundError",
        429: "OpenAIRateLimitError",
        503: "OpenAIAPIError",
    },
    "pydantic-ai": {
        400: "ModelRequestRejectedError",
        404: "ModelNotFoundError",
        429: "ModelRateLimitError",
        503: "ModelOverloadedError",
    },
}
OPENAI = {
    400: "BadRequestError",
    404: "NotFoundError",
    429: "RateLimitError",
    503: "InternalServerError",
}
REFUSALS: dict[int, list[Play]] = {
    400: [error(400)],
    404: [error(404)],
    429: [error(429)] * 2,
    503: [error(503)] * 2,
}


@HOW
@EACH
@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_is_the_clients_own_error(
    name: str, status: int, start_client: StartClient, google: Google, *, streams: bool
) -> None:
    google.script(*REFUSALS[status])
    got = start_client(name).ask("answer", model="gemini-2.5-flash", text="Hi!", streams=streams)
    failure = got["error"]
    assert failure["class"] == CLASSES.get(name, OPENAI)[status]
    assert failure["status"] == status


@EACH
def test_an_answer_that_breaks_is_an_error(
    name: str, start_client: StartClient, google: Google
) -> None:
    google.script(answer("Hel", "lo", finish=None, then=error(503)))
    got = start_client(name).ask("answer", model="gemini-2.5-flash", text="Hi!", streams=True)
    assert "The model is overloaded." in got["error"]["message"]
