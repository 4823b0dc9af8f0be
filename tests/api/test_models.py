"""`GET /v1/models` follows what Google lists, and nobody waits for it."""

import time
from typing import Any

import httpx
import pytest

from service.upstream import catalog
from tests.conftest import StartGateway
from tests.gateway import HELLO, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import Gate, answer, error, hold
from tests.ways import by


@pytest.fixture(autouse=True)
def always_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every list be old, so that each request has a new one made beside it."""
    monkeypatch.setattr(catalog, "REFRESH_SECONDS", 0)


def ids(client: httpx.Client, path: str = "/v1/models") -> set[str]:
    return {row["id"] for row in client.get(path).json()["data"]}


def follows(client: httpx.Client, *, has: str = "", lacks: str = "") -> set[str]:
    """Ask again until the list is as it should be, each time with a look beside it."""
    assert client.post("/v1/token-test").status_code == 200, "the gateway has started"
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        offered = ids(client)
        if set(has.split()) <= offered and not set(lacks.split()) & offered:
            return offered
    raise AssertionError(f"{has} not offered, or {lacks} still is")


@pytest.mark.parametrize("way", ["gemini_api", "vertex"])
def test_a_model_that_appears_and_one_that_disappears(
    google: Google, start_gateway: StartGateway, way: str
) -> None:
    with start_gateway(**by(google, way)).client() as client:
        # In the table, but in no list, is the model that is shut down.
        google.retired = {"gemini-3-pro-preview"}
        offered = follows(client, lacks="gemini-3-pro-preview")
        assert {"gemini-2.5-pro", "gemini-embedding-001"} < offered
        assert "gemini-5-neon" not in offered
        assert ("gemma-4-31b-it" in offered) == (way == "gemini_api")
        google.models = {"gemini-5-neon"}
        follows(client, has="gemini-5-neon")
        google.retired = {"gemini-2.5-pro"}
        follows(client, lacks="gemini-2.5-pro")
        assert client.get("/v1/models/gemini-2.5-pro").status_code == 200, "still described"


def test_a_model_of_another_name_that_is_listed_can_be_asked(
    google: Google, start_gateway: StartGateway
) -> None:
    told = [{"role": "system", "content": "Be brief."}, *HELLO["messages"]]
    with start_gateway(**by(google, "gemini_api")).client() as client:
        asked = {"model": "gemma-4-31b-it", "messages": told}
        response = client.post("/v1/chat/completions", json=asked)
    assert response.status_code == 200, response.text


def test_code_assist_offers_what_the_account_has_a_quota_of(
    google: Google, client: httpx.Client
) -> None:
    google.preview_access = False
    follows(client, has="gemini-2.5-pro gemini-3.5-flash", lacks="gemini-3.1-pro-preview")
    google.preview_access = True
    follows(client, has="gemini-3.1-pro-preview")


def test_several_ways_offer_what_any_of_them_has(
    google: Google, start_gateway: StartGateway
) -> None:
    google.models = {"gemini-5-neon"}
    with start_gateway(**by(google, "code_assist", "gemini_api")).client() as client:
        # The second only Code Assist has, the last only the Developer API.
        follows(client, has="gemini-5-neon gemini-3-pro-preview gemini-4-argon")


def test_nobody_waits_for_a_list(google: Google, start_gateway: StartGateway) -> None:
    never = Gate()
    google.script(*[hold(never, answer("late"))] * 3, on="models")
    gateway = start_gateway(**by(google, "gemini_api"))
    with gateway.client() as client:
        client.post("/v1/token-test")  # waits for the start
    began = time.monotonic()
    with gateway.client() as client:
        for _ in range(3):
            assert "gemini-2.5-pro" in ids(client), "also not the next request on the connection"
    assert time.monotonic() - began < 1
    google.wait_for("models")
    never.open()


def test_a_refusal_to_list_leaves_what_is_known(
    google: Google, start_gateway: StartGateway
) -> None:
    google.models = {"gemini-5-neon"}
    with start_gateway(**by(google, "gemini_api")).client() as client:
        offered = follows(client, has="gemini-5-neon")
        google.script(*[error(403)] * 5, on="models")
        for _ in range(5):
            assert ids(client) == offered


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


def test_the_operators_own_names_are_taken_and_listed_everywhere(
    google: Google, start_gateway: StartGateway
) -> None:
    names = {
        "gpt-4o": "gemini-3.8-flash",
        "text-embedding-3-small": "gemini-embedding-001",
        "gpt-image-1": "gemini-2.5-flash-image",
    }
    aliases = ",".join(f"{name}={id_}" for name, id_ in names.items())
    ways = by(google, "gemini_api")
    with start_gateway(**ways, model_aliases=aliases).client() as client:
        assert set(names) < ids(client)
        listed = {row["name"] for row in client.get("/v1beta/models").json()["models"]}
        assert {f"models/{name}" for name in names} < listed
        for name in names:
            assert client.get(f"/v1beta/models/{name}").json()["name"] == f"models/{name}"
        hello: list[Any] = [{"role": "user", "parts": [{"text": "Hi"}]}]
        asks: list[tuple[str, dict[str, Any]]] = [
            ("/v1beta/models/gpt-4o:generateContent", {"contents": hello}),
            ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hi"}),
            ("/v1/images/generations", {"model": "gpt-image-1", "prompt": "A dot"}),
        ]
        for path, body in asks:
            assert client.post(path, json=body).status_code == 200, path
