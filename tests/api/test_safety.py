"""Safety settings of the operator and of the client, over a socket."""

from tests.conftest import StartGateway
from tests.gateway import HELLO
from tests.simulators.google import Google
from tests.simulators.replies import answer


def test_the_clients_thresholds_win_over_the_operators(
    start_gateway: StartGateway, google: Google
) -> None:
    google.script(answer("Hi"))
    harassment = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}
    with start_gateway(
        gemini_moderation_harassment_threshold="block_low_and_above",
        gemini_moderation_hate_speech_threshold="block_few",
        gemini_moderation_dangerous_content_threshold="off",
    ).client() as client:
        client.post("/v1/chat/completions", json=HELLO | {"safety_settings": [harassment]})
    (call,) = google.calls("generate")
    assert call.request["safetySettings"] == [
        harassment,
        {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_ONLY_HIGH"},
        {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "OFF"},
    ]
