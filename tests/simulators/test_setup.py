"""The calls around generation: Code Assist's set-up, keys, lists of models, counting."""

from typing import Any

import pytest

from tests.simulators.asking import Got, ask, credentials, fetch, user
from tests.simulators.google import Google
from tests.simulators.scenarios import SCENARIOS

METADATA = {
    "ideType": "IDE_UNSPECIFIED",
    "platform": "PLATFORM_UNSPECIFIED",
    "pluginType": "GEMINI",
}


def call(google: Google, method: str, body: bytes = b"{}") -> Got:
    headers = credentials(google, "code_assist")
    return fetch(google, "POST", f"/v1internal:{method}", body, headers)


def poll(google: Google, name: str) -> Any:
    headers = credentials(google, "code_assist")
    return fetch(google, "GET", f"/v1internal/{name}", headers=headers).json


def test_the_user_has_a_licence_and_a_project(google: Google) -> None:
    got = call(google, "loadCodeAssist", b'{"metadata": {"pluginType": "GEMINI"}}').json

    assert got["currentTier"]["id"] == "standard-tier"
    assert got["cloudaicompanionProject"] == "sim-project"
    named = call(google, "loadCodeAssist", b'{"cloudaicompanionProject": "mine"}').json
    assert named["cloudaicompanionProject"] == "mine"


def test_unknown_keys_are_refused_here_too(google: Google) -> None:
    got = call(google, "loadCodeAssist", b'{"metadata": {"foo": 1}}')

    assert (got.status, got.error["status"]) == (400, "INVALID_ARGUMENT")


def test_a_service_account_is_no_user(google: Google) -> None:
    bearer = {"authorization": f"Bearer {google.tokens.issue('service')}"}
    got = fetch(google, "POST", "/v1internal:loadCodeAssist", b"{}", bearer).json

    assert got["ineligibleTiers"][0]["reasonCode"] == "NON_USER_ACCOUNT"


@pytest.mark.parametrize(
    ("tier", "project", "status"),
    [
        ("free-tier", None, 200),
        ("free-tier", "mine", 400),
        ("standard-tier", "mine", 200),
        ("standard-tier", None, 400),
    ],
)
def test_only_the_free_tier_is_had_without_a_project(
    google: Google, tier: str, project: str | None, status: int
) -> None:
    known = f', "cloudaicompanionProject": "{project}"' if project else ""
    got = call(google, "onboardUser", f'{{"tierId": "{tier}"{known}}}'.encode())

    assert got.status == status
    if status == 400:
        assert got.error["status"] == "FAILED_PRECONDITION"
    else:
        assert got.json["done"]
        assert poll(google, got.json["name"])["name"] == got.json["name"]


def test_g5_takes_three_polls(google: Google) -> None:
    google.play("G5")

    loaded = call(google, "loadCodeAssist").json
    assert "currentTier" not in loaded
    name = call(google, "onboardUser", b'{"tierId": "free-tier"}').json["name"]
    assert [poll(google, name)["done"] for _ in range(3)] == [False, False, True]


def test_g6_ends_in_an_error(google: Google) -> None:
    google.play("G6")

    assert poll(google, "operations/onboard.7f3a")["error"]["code"] == 7


@pytest.mark.parametrize(
    "scenario_id", [name for name in SCENARIOS if name.startswith("G") and name != "G7"]
)
def test_every_set_up_scenario_plays(google: Google, scenario_id: str) -> None:
    google.scale = 0
    bodies = {"onboardUser": b'{"tierId": "free-tier"}'}

    for operation, replies in google.play(scenario_id).scripts.items():
        for _ in replies:
            if operation == "operation":
                assert "done" in poll(google, "operations/onboard.7f3a")
            else:
                assert (
                    b"Traceback"
                    not in call(google, operation, bodies.get(operation, b"{}")).content
                )


@pytest.mark.parametrize("previews", [True, False])
def test_the_quota_tells_who_sees_previews(google: Google, *, previews: bool) -> None:
    google.preview_access = previews
    buckets = call(google, "retrieveUserQuota", b'{"project": "p"}').json["buckets"]

    assert any("preview" in bucket["modelId"] for bucket in buckets) is previews
    assert all(bucket["remainingFraction"] == 1 for bucket in buckets)


def test_settings_are_kept(google: Google) -> None:
    call(google, "setCodeAssistGlobalUserSetting", b'{"freeTierDataCollectionOptin": false}')
    headers = credentials(google, "code_assist")
    got = fetch(google, "GET", "/v1internal:getCodeAssistGlobalUserSetting", headers=headers)

    assert got.json == {"freeTierDataCollectionOptin": False}


@pytest.mark.parametrize(
    "method", ["listExperiments", "fetchAdminControls", "recordCodeAssistMetrics"]
)
def test_the_client_s_other_calls_are_answered(google: Google, method: str) -> None:
    assert call(google, method).status == 200
    assert google.calls(method)


def test_a_key_is_needed_and_must_be_right(google: Google) -> None:
    missing = ask(google, headers={})
    assert (missing.status, missing.error["status"]) == (403, "PERMISSION_DENIED")
    wrong = ask(google, headers={"x-goog-api-key": "other"})
    assert (wrong.status, wrong.reason) == (400, "API_KEY_INVALID")
    on_vertex = ask(google, upstream="vertex", headers={"x-goog-api-key": "sim-api-key"})
    assert (on_vertex.status, on_vertex.reason) == (401, "CREDENTIALS_MISSING")

    google.api_keys = {"new"}
    assert ask(google, headers={"x-goog-api-key": "new"}).status == 200
    assert ask(google, method="generateContent?key=new", headers={}).status == 200


def test_vertex_express_takes_a_key(google: Google) -> None:
    path = "/v1/publishers/google/models/gemini-2.5-flash:generateContent"
    body = b'{"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}'

    assert fetch(google, "POST", f"{path}?key=sim-api-key", body).status == 200
    assert fetch(google, "POST", f"{path}?key=other", body).status == 400


def test_the_developer_api_lists_its_models_in_pages(google: Google) -> None:
    headers = credentials(google, "gemini_api")
    names: list[str] = []
    token = ""
    while True:
        path = f"/v1beta/models?pageSize=9&pageToken={token}"
        page = fetch(google, "GET", path, headers=headers).json
        names += [model["name"] for model in page["models"]]
        token = page.get("nextPageToken", "")
        if not token:
            break

    assert len(google.calls("models")) > 2
    assert len(names) == len(set(names))
    assert {"models/gemini-2.5-flash", "models/gemini-embedding-001"} < set(names)
    one = fetch(google, "GET", "/v1beta/models/gemini-2.5-flash", headers=headers).json
    assert "generateContent" in one["supportedGenerationMethods"]
    assert fetch(google, "GET", "/v1beta/models/foo", headers=headers).status == 404


def test_vertex_lists_its_models(google: Google) -> None:
    headers = credentials(google, "vertex")
    got = fetch(google, "GET", "/v1beta1/publishers/google/models", headers=headers).json

    assert got["publisherModels"][0]["name"].startswith("publishers/google/models/gemini-")


@pytest.mark.parametrize("upstream", ["gemini_api", "vertex"])
def test_tokens_are_counted_by_the_quarter_byte(google: Google, upstream: str) -> None:
    request = {"contents": [user("x" * 40)]}
    got = ask(google, request, upstream=upstream, method="countTokens").json

    assert got["totalTokens"] == 10
    assert got["promptTokensDetails"] == [{"modality": "TEXT", "tokenCount": 10}]
    assert got.get("totalBillableCharacters") == (40 if upstream == "vertex" else None)


def test_the_developer_api_counts_whole_requests_too(google: Google) -> None:
    inner = {
        "model": "models/gemini-2.5-flash",
        "contents": [user("x" * 40)],
        "systemInstruction": {"parts": [{"text": "y" * 40}]},
    }
    got = ask(google, {"generateContentRequest": inner}, method="countTokens").json

    assert got["totalTokens"] == 20


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b'{"request":{"model":"models/gemini-2.5-pro","contents":[%s]}}', 200),
        (b'{"request":{"model":"gemini-2.5-pro","contents":[%s]}}', 400),
        (b'{"request":{"model":"models/gemini-2.5-pro","contents":[%s],"tools":[]}}', 400),
        (b'{"request":{"model":"models/gemini-2.5-pro","contents":[%s,%s]}}', 400),
    ],
)
def test_code_assist_counts_in_its_own_way(google: Google, request_: bytes, status: int) -> None:
    content = b'{"role":"user","parts":[{"text":"hello, world"}]}'
    thought = b'{"role":"model","parts":[{"text":"hm","thought":true}]}'
    wanted = request_.count(b"%s")
    got = call(google, "countTokens", request_ % (content, thought)[:wanted])

    assert got.status == status
    if status == 200:
        assert got.json == {"totalTokens": 3}
