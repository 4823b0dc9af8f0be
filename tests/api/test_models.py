"""`GET /v1/models` follows what Google lists, and nobody waits for it."""

import time

import httpx
import pytest

from service.upstream import catalog
from tests.conftest import StartGateway
from tests.gateway import Gateway
from tests.simulators.google import Google
from tests.simulators.replies import Gate, answer, error, hold
from tests.ways import by


@pytest.fixture(autouse=True)
def always_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every list be old, so that each request has a new one made beside it."""
    monkeypatch.setattr(catalog, "REFRESH_SECONDS", 0)


def ids(client: httpx.Client, path: str = "/v1/models") -> set[str]:
    return {row["id"] for row in client.get(path).json()["data"]}


def next_ids(client: httpx.Client, google: Google, operation: str = "models") -> set[str]:
    """Return what is offered after a look that began now."""
    assert client.post("/v1/token-test").status_code == 200, "the gateway has started"
    before = len(google.calls(operation))
    ids(client)
    (*_, call) = google.wait_for(operation, before + 1)
    assert call.done.wait(5)
    return ids(client)  # the request before has ended, and the look with it


@pytest.mark.parametrize("way", ["gemini_api", "vertex"])
def test_a_model_that_appears_and_one_that_disappears(
    google: Google, start_gateway: StartGateway, way: str
) -> None:
    with start_gateway(**by(google, way)).client() as client:
        offered = next_ids(client, google)
        assert {"gemini-2.5-pro", "gemini-embedding-001"} < offered
        assert not {"gemini-5-neon", "gemma-4-31b-it"} & offered
        google.models = {"gemini-5-neon"}
        assert "gemini-5-neon" in next_ids(client, google)
        google.retired = {"gemini-2.5-pro"}
        assert "gemini-2.5-pro" not in next_ids(client, google)
        assert client.get("/v1/models/gemini-2.5-pro").status_code == 200, "still described"


def test_code_assist_offers_what_the_account_has_a_quota_of(
    google: Google, client: httpx.Client
) -> None:
    google.preview_access = False
    offered = next_ids(client, google, "retrieveUserQuota")
    assert {"gemini-2.5-pro", "gemini-3.5-flash"} < offered
    assert "gemini-3.1-pro-preview" not in offered
    google.preview_access = True
    assert "gemini-3.1-pro-preview" in next_ids(client, google, "retrieveUserQuota")


def test_several_ways_offer_what_any_of_them_has(
    google: Google, start_gateway: StartGateway
) -> None:
    with start_gateway(**by(google, "code_assist", "gemini_api")).client() as client:
        offered = next_ids(client, google)
        assert "gemini-3-pro-preview" in offered, "only Code Assist has it"
        assert "gemini-4-argon" in offered, "only the Developer API has it"


def test_nobody_waits_for_a_list(google: Google, start_gateway: StartGateway) -> None:
    never = Gate()
    google.script(*[hold(never, answer("late"))] * 3, on="models")
    gateway = start_gateway(**by(google, "gemini_api"))
    with gateway.client() as client:
        client.post("/v1/token-test")  # waits for the start
    began = time.monotonic()
    for _ in range(3):
        with gateway.client() as client:
            assert "gemini-2.5-pro" in ids(client)
    assert time.monotonic() - began < 1
    google.wait_for("models")
    never.open()


def test_a_refusal_to_list_leaves_what_is_known(
    google: Google, start_gateway: StartGateway
) -> None:
    with start_gateway(**by(google, "gemini_api")).client() as client:
        offered = next_ids(client, google)
        google.script(error(403), error(500), on="models")
        assert next_ids(client, google) == offered


def test_a_model_for_embeddings_says_so(google: Google, start_gateway: StartGateway) -> None:
    with start_gateway(**by(google, "vertex")).client() as client:
        rows = {row["id"]: row for row in client.get("/v1/models").json()["data"]}
    row = rows["gemini-embedding-001"]
    assert (row["inputs"], row["outputs"], row["dimensions"]) == (["text"], ["embedding"], 3072)
    assert rows["gemini-2.5-flash"]["outputs"] == ["text"]


def test_google_form_of_the_same(client: httpx.Client, gateway: Gateway) -> None:
    del gateway
    models = {model["name"]: model for model in client.get("/v1beta/models").json()["models"]}
    model = models["models/gemini-2.5-flash"]
    assert model["inputTokenLimit"] == 1_048_576
    assert model["supportedGenerationMethods"] == ["generateContent", "countTokens"]
    assert client.get("/v1beta/models/gemini-2.5-flash").json() == model
    missing = client.get("/v1beta/models/nope").json()["error"]
    assert (missing["code"], missing["status"]) == (404, "NOT_FOUND")
