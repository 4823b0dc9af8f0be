"""`/v1/responses`, which is not there yet."""

import httpx
import pytest

from tests.simulators.google import Google


@pytest.mark.parametrize("prefix", ["/v1", "", "/v1/v1"])
@pytest.mark.parametrize("path", ["", "/", "/compact", "/input_tokens"])
@pytest.mark.parametrize("content", [b'{"model":"m","input":"Hi"}', b"", b"no JSON"])
def test_it_names_what_to_use_instead(
    prefix: str, path: str, content: bytes, client: httpx.Client, google: Google
) -> None:
    response = client.post(f"{prefix}/responses{path}", content=content)
    assert response.status_code == 501
    assert response.headers["x-should-retry"] == "false"
    error = response.json()["error"]
    assert error["code"] == "unsupported_endpoint"
    assert "/v1/chat/completions" in error["message"]
    assert google.requests == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/resp_1", 404),
        ("DELETE", "/resp_1", 404),
        ("POST", "/resp_1/cancel", 404),
        ("GET", "/resp_1/input_items", 404),
        ("GET", "", 405),
    ],
)
def test_nothing_is_stored(method: str, path: str, status: int, client: httpx.Client) -> None:
    response = client.request(method, f"/v1/responses{path}")
    assert response.status_code == status
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_it_needs_the_key(stranger: httpx.Client) -> None:
    assert stranger.post("/v1/responses", json={}).status_code == 401
