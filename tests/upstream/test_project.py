"""Which project Code Assist is asked in."""

from concurrent.futures import ThreadPoolExecutor

from tests.conftest import StartGateway
from tests.gateway import HELLO
from tests.simulators.google import Google
from tests.simulators.replies import document, error

PATH = "/v1/chat/completions"


def test_the_operators_project_is_used_and_nobody_is_asked(
    start_gateway: StartGateway, google: Google
) -> None:
    with start_gateway(gemini_project_id="mine").client() as client:
        client.post(PATH, json=HELLO)
    assert google.calls("loadCodeAssist") == []
    assert google.calls("generate")[0].body["project"] == "mine"


def test_the_discovered_project_is_remembered(start_gateway: StartGateway, google: Google) -> None:
    with start_gateway().client() as client, ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: client.post(PATH, json=HELLO), range(20)))
    (call,) = google.calls("loadCodeAssist")
    assert call.body == {
        "metadata": {
            "ideType": "IDE_UNSPECIFIED",
            "platform": "PLATFORM_UNSPECIFIED",
            "pluginType": "GEMINI",
        }
    }
    assert {call.body["project"] for call in google.calls("generate")} == {google.project}


def test_an_account_without_a_project_is_told_what_to_set(
    start_gateway: StartGateway, google: Google
) -> None:
    tier = {"reasonCode": "UNSUPPORTED_CLIENT", "reasonMessage": "Migrate.", "tierId": "free-tier"}
    google.script(document({"ineligibleTiers": [tier]}), on="loadCodeAssist")
    with start_gateway().client() as client:
        response = client.post(PATH, json=HELLO)
        assert response.status_code == 403
        error_ = response.json()["error"]
        assert error_["code"] == "project_required"
        assert "GEMINI_PROJECT_ID" in error_["message"]
        assert "Migrate." in error_["message"]
        assert client.post(PATH, json=HELLO).status_code == 200, "a failure is not remembered"


def test_a_refusal_to_say_it_is_told_as_any_other(
    start_gateway: StartGateway, google: Google
) -> None:
    google.script(error(403, message="No licence."), on="loadCodeAssist")
    with start_gateway().client() as client:
        response = client.post(PATH, json=HELLO)
    assert (response.status_code, response.json()["error"]["message"]) == (403, "No licence.")
