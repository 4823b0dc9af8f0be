"""`POST /v1/embeddings`, through both ways that make them."""

import base64
import math
import struct
from typing import Any

import httpx
import openai
import pytest

from tests.conftest import StartGateway
from tests.gateway import API_KEY, Gateway
from tests.simulators.embeddings import vector
from tests.simulators.google import Google
from tests.simulators.replies import document, error
from tests.ways import by

PATH = "/v1/embeddings"
MODELS = ("gemini-embedding-001", "gemini-embedding-2", "text-embedding-005")
ASK = {"model": "gemini-embedding-001", "input": ["a", "b"]}


@pytest.fixture(params=["gemini_api", "vertex"])
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def embedding(way: str, google: Google, start_gateway: StartGateway) -> Gateway:
    return start_gateway(**by(google, way))


@pytest.fixture
def both(google: Google, start_gateway: StartGateway) -> Gateway:
    return start_gateway(**by(google, "code_assist", "vertex", "gemini_api"))


def post(gateway: Gateway, **differs: Any) -> httpx.Response:
    with gateway.client() as client:
        return client.post(PATH, json={**ASK, **differs})


@pytest.mark.parametrize("model", MODELS)
def test_texts_become_vectors_in_their_order(
    embedding: Gateway, google: Google, way: str, model: str
) -> None:
    google.models.add(model)
    response = post(embedding, model=model, input=["the first", "the other"])
    assert response.status_code == 200, response.text
    assert response.headers["x-upstream"] == way
    body = response.json()
    assert (body["object"], body["model"]) == ("list", model)
    assert [row["index"] for row in body["data"]] == [0, 1]
    assert [row["object"] for row in body["data"]] == ["embedding"] * 2
    assert body["data"][0]["embedding"] == vector("the first")
    assert body["data"][1]["embedding"] == vector("the other")


@pytest.mark.parametrize(("model", "counted"), [(MODELS[0], 0), (MODELS[1], 4)])
def test_usage_is_what_google_counts(
    google: Google, start_gateway: StartGateway, model: str, counted: int
) -> None:
    gateway = start_gateway(**by(google, "gemini_api"))
    usage = post(gateway, model=model, input=["eight ch", "eight ch"]).json()["usage"]
    assert usage == {"prompt_tokens": counted, "total_tokens": counted}


def test_vertex_counts_the_tokens_of_each_text(google: Google, start_gateway: StartGateway) -> None:
    gateway = start_gateway(**by(google, "vertex"))
    usage = post(gateway, input=["eight ch", "eight ch"]).json()["usage"]
    assert usage == {"prompt_tokens": 4, "total_tokens": 4}


def test_base64_is_float32_in_little_endian(embedding: Gateway) -> None:
    data = post(embedding, input="a", encoding_format="base64").json()["data"]
    raw = base64.b64decode(data[0]["embedding"])
    assert struct.unpack("<3072f", raw) == pytest.approx(vector("a"))


@pytest.mark.parametrize("model", MODELS)
def test_a_shorter_vector_has_length_one_again(
    embedding: Gateway, google: Google, model: str
) -> None:
    google.models.add(model)
    (row,) = post(embedding, model=model, input="a", dimensions=256).json()["data"]
    short = vector("a", 256)
    assert math.hypot(*short) < 0.9, "as Google cuts it"
    assert row["embedding"] == pytest.approx([value / math.hypot(*short) for value in short])


def test_a_full_vector_is_left_as_google_made_it(google: Google, embedding: Gateway) -> None:
    scripted = {"values": [3.0, 4.0]}
    google.script(
        document({"embeddings": [scripted], "predictions": [{"embeddings": scripted}]}), on="embed"
    )
    (row,) = post(embedding, input="a", dimensions=3072).json()["data"]
    assert row["embedding"] == [3.0, 4.0]


@pytest.mark.parametrize(
    ("way", "model", "sizes"),
    [
        ("gemini_api", MODELS[0], [100, 100, 60]),
        ("vertex", MODELS[0], [250, 10]),
        ("vertex", MODELS[1], [1] * 260),
    ],
)
def test_many_texts_are_split_and_joined_in_order(
    google: Google, start_gateway: StartGateway, way: str, model: str, sizes: list[int]
) -> None:
    gateway = start_gateway(**by(google, way))
    texts = [f"text {number}" for number in range(260)]
    response = post(gateway, model=model, input=texts, dimensions=1)
    assert response.status_code == 200, response.text
    signs = [row["embedding"] for row in response.json()["data"]]
    assert signs == [[math.copysign(1.0, vector(text, 1)[0])] for text in texts]
    asked = [call.body for call in google.calls("embed")]
    got = [len(body.get("requests") or body.get("instances") or [body]) for body in asked]
    assert sorted(got, reverse=True) == sizes


def test_a_model_that_takes_one_text_at_a_time_is_asked_so(
    google: Google, start_gateway: StartGateway
) -> None:
    google.most_instances = 1
    gateway = start_gateway(**by(google, "vertex"))
    for calls in (1 + 3, 3):
        before = len(google.calls("embed"))
        data = post(gateway, input=["a", "b", "c"]).json()["data"]
        assert [row["embedding"] for row in data] == [vector(text) for text in "abc"]
        assert len(google.calls("embed")) - before == calls, "what was learned is remembered"


@pytest.mark.parametrize(
    ("given", "task"),
    [
        ({"task_type": "clustering"}, "CLUSTERING"),
        ({"input_type": "query"}, "RETRIEVAL_QUERY"),
        ({"input_type": "passage"}, "RETRIEVAL_DOCUMENT"),
        ({"task_type": "CLASSIFICATION", "input_type": "query"}, "CLASSIFICATION"),
        ({"user": "somebody"}, None),
    ],
)
def test_what_the_vector_is_for(
    google: Google, both: Gateway, given: dict[str, str], task: str | None
) -> None:
    assert post(both, **given).status_code == 200
    (call,) = google.calls("embed")
    assert [one.get("task_type") for one in call.body["instances"]] == [task, task]


@pytest.mark.parametrize(
    ("differs", "param", "code"),
    [
        ({"input": [1, 2, 3]}, "input", "invalid_type"),
        ({"input": [[1, 2], [3]]}, "input", "invalid_type"),
        ({"input": []}, "input", "empty_array"),
        ({"input": ""}, "input", "invalid_value"),
        ({"input": ["a", ""]}, "input[1]", "invalid_value"),
        ({"input": ["a"] * 2049}, "input", "array_above_max_length"),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"encoding_format": "hex"}, "encoding_format", "invalid_value"),
        ({"dimensions": 0}, "dimensions", "integer_below_min_value"),
        ({"dimensions": "many"}, "dimensions", "invalid_type"),
        ({"task_type": "dancing"}, "task_type", "invalid_value"),
        ({"model": "gemini-2.5-flash"}, "model", "model_not_found"),
        ({"model": "text-embedding-3-small"}, "model", "model_not_found"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_refused_before_any_call(
    google: Google,
    client: httpx.Client,
    differs: dict[str, Any],
    param: str,
    code: str,
) -> None:
    response = client.post(PATH, json={**ASK, **differs})
    assert response.status_code == (404 if param == "model" else 400)
    told = response.json()["error"]
    assert (told["param"], told["code"], told["type"]) == (param, code, "invalid_request_error")
    assert google.calls("embed") == []


def test_a_model_for_embeddings_does_not_chat(google: Google, client: httpx.Client) -> None:
    body = {"model": MODELS[0], "messages": [{"role": "user", "content": "Hello!"}]}
    response = client.post("/v1/chat/completions", json=body)
    assert response.status_code == 404
    assert "/v1/embeddings" in response.json()["error"]["message"]
    assert google.calls("generate") == []


def test_code_assist_alone_makes_none(client: httpx.Client) -> None:
    response = client.post(PATH, json=ASK)
    assert response.status_code == 501
    assert response.headers["x-should-retry"] == "false"
    told = response.json()["error"]
    assert told["code"] == "unsupported_endpoint"
    assert "Code Assist" in told["message"]


def test_another_way_is_asked_where_one_is_closed(google: Google, both: Gateway) -> None:
    google.script(error(403, message="No."), on="embed")
    response = post(both)
    assert (response.status_code, response.headers["x-upstream"]) == (200, "gemini_api")
    upstreams = [call.upstream for call in google.calls("embed")]
    assert upstreams == ["vertex", "gemini_api"]
    assert post(both).headers["x-upstream"] == "gemini_api", "the closed way is left alone"


def test_fewer_vectors_than_texts_are_no_answer(google: Google, embedding: Gateway) -> None:
    google.script(*[document({"embeddings": [{"values": [1.0]}]})] * 2, on="embed")
    response = post(embedding)
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "upstream_invalid_response"


def test_openais_sdk_gets_floats(embedding: Gateway) -> None:
    """It asks for base64 by itself, and decodes it."""
    with openai.OpenAI(base_url=f"{embedding.url}/v1", api_key=API_KEY) as client:
        answer = client.embeddings.create(model=MODELS[0], input=["a", "b"])
    assert [row.embedding for row in answer.data] == [
        pytest.approx(vector("a")),
        pytest.approx(vector("b")),
    ]
