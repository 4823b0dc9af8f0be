"""`POST /v1/images/generations`."""

from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.conftest import StartGateway
from tests.gateway import API_KEY, Gateway, settings_for
from tests.simulators.generation import DOT
from tests.simulators.google import Google
from tests.simulators.replies import answer, chunks, error
from tests.ways import by

PATH = "/v1/images/generations"
ASK = {"model": "gemini-2.5-flash-image", "prompt": "A red dot"}


@pytest.fixture(scope="module")
def one_drawing(one_google: Google) -> Iterator[Gateway]:
    with Gateway(settings_for(one_google, **by(one_google, "gemini_api"))) as gateway:
        yield gateway


@pytest.fixture
def drawing(google: Google, one_drawing: Gateway) -> Gateway:
    del google  # so that nothing is scripted
    return one_drawing


def post(gateway: Gateway, **differs: Any) -> httpx.Response:
    with gateway.client() as client:
        return client.post(PATH, json={**ASK, **differs})


def test_an_image_comes_in_base64(drawing: Gateway, google: Google) -> None:
    response = post(drawing)
    assert response.status_code == 200, response.text
    assert response.headers["x-upstream"] == "gemini_api"
    assert "x-ignored-params" not in response.headers
    body = response.json()
    assert body["data"] == [{"b64_json": DOT}]
    assert body["created"] > 1_700_000_000
    assert body["usage"]["input_tokens"] == 2
    (call,) = google.calls("generate")
    assert call.request["contents"] == [{"role": "user", "parts": [{"text": "A red dot"}]}]
    assert call.request["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"]}


def test_several_images_are_as_many_calls(drawing: Gateway, google: Google) -> None:
    body = post(drawing, n=3).json()
    assert len(body["data"]) == 3
    assert len(google.calls("generate")) == 3
    assert body["usage"]["input_tokens"] == 6


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ("1024x1024", "1:1"),
        ("1536x1024", "3:2"),
        ("1024x1536", "2:3"),
        ("1792x1024", "16:9"),
        ("1024x1792", "9:16"),
        ("auto", None),
    ],
)
def test_a_size_becomes_the_nearest_shape(
    drawing: Gateway, google: Google, size: str, ratio: str | None
) -> None:
    assert post(drawing, size=size).status_code == 200
    config = google.calls("generate")[0].request["generationConfig"]
    assert config.get("imageConfig") == ({"aspectRatio": ratio} if ratio else None)


def test_what_gemini_has_no_word_for_is_named(drawing: Gateway) -> None:
    response = post(
        drawing, quality="high", style="vivid", background="auto", response_format="url"
    )
    assert response.headers["x-ignored-params"] == "quality,response_format,style"
    assert response.json()["data"] == [{"b64_json": DOT}]


@pytest.mark.parametrize(
    ("differs", "param", "code"),
    [
        ({"prompt": ""}, "prompt", "invalid_type"),
        ({"prompt": None}, "prompt", "missing_required_parameter"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 11}, "n", "integer_above_max_value"),
        ({"size": "large"}, "size", "invalid_value"),
        ({"response_format": "png"}, "response_format", "invalid_value"),
        ({"stream": True}, "stream", "unsupported_parameter"),
        ({"model": "gemini-2.5-flash"}, "model", "model_not_found"),
        ({"model": "gpt-image-1"}, "model", "model_not_found"),
    ],
    ids=str,
)
def test_what_is_refused_before_any_call(
    drawing: Gateway, google: Google, differs: dict[str, Any], param: str, code: str
) -> None:
    response = post(drawing, **differs)
    assert response.status_code == (404 if param == "model" else 400)
    told = response.json()["error"]
    assert (told["param"], told["code"]) == (param, code)
    assert google.calls("generate") == []


def test_words_instead_of_an_image_are_told(drawing: Gateway, google: Google) -> None:
    google.script(answer("I only write."))
    response = post(drawing)
    assert response.status_code == 400
    told = response.json()["error"]
    assert told["code"] == "no_image"
    assert told["message"].endswith("It said: I only write.")


def test_a_refusal_to_draw_is_told(drawing: Gateway, google: Google) -> None:
    google.script(chunks([{"candidates": [{"finishReason": "IMAGE_SAFETY"}]}]))
    told = post(drawing).json()["error"]
    assert told["code"] == "content_policy_violation"
    assert "IMAGE_SAFETY" in told["message"]


def test_code_assist_alone_draws_nothing(client: httpx.Client) -> None:
    response = client.post(PATH, json=ASK)
    assert response.status_code == 501
    assert response.headers["x-should-retry"] == "false"
    assert response.json()["error"]["code"] == "unsupported_endpoint"


def test_a_way_without_the_model_is_passed_by(google: Google, start_gateway: StartGateway) -> None:
    gateway = start_gateway(**by(google, "code_assist", "vertex", "gemini_api"))
    google.script(error(404), error(429))
    response = post(gateway, size="1024x1024")
    assert (response.status_code, response.headers["x-upstream"]) == (200, "gemini_api")


def test_openais_sdk_gets_an_image(drawing: Gateway) -> None:
    with openai.OpenAI(base_url=f"{drawing.url}/v1", api_key=API_KEY) as client:
        images = client.images.generate(model=ASK["model"], prompt="A red dot")
    assert images.data is not None
    assert images.data[0].b64_json == DOT
