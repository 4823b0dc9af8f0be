"""The HTTP surface around the endpoints: paths, keys, methods, headers, errors."""

import http.client
import socket
from itertools import pairwise
from typing import Any

import httpx
import msgspec
import pytest

from service.settings import Secret
from tests.conftest import StartGateway
from tests.gateway import API_KEY, HELLO, Gateway
from tests.simulators.google import Google

PATH = "/v1/chat/completions"
ERROR_KEYS = {"message", "type", "param", "code"}


def error_of(response: httpx.Response) -> dict[str, Any]:
    """Return the error object, which has the same four keys wherever it comes from."""
    assert response.headers["content-type"] == "application/json"
    (error,) = response.json().values()
    assert set(error) == ERROR_KEYS
    assert error["message"]
    assert isinstance(error, dict)
    return error


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/v1/chat/completions/",
        "/chat/completions",
        "/chat/completions/",
        "/v1/v1/chat/completions",
    ],
)
def test_the_prefix_is_optional_and_a_trailing_slash_is_accepted(
    path: str, client: httpx.Client
) -> None:
    assert client.post(path, json=HELLO).json()["object"] == "chat.completion"


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/", "/v1/v1/models"])
def test_the_model_list(path: str, client: httpx.Client) -> None:
    body = client.get(path).json()
    assert body["object"] == "list"
    rows = {row["id"]: row for row in body["data"]}
    assert set(rows["gemini-3.8-flash"]) >= {"id", "object", "created", "owned_by"}
    assert rows["gemini-3-pro-preview"]["deprecated"] is True
    assert rows["gemini-3-pro-preview"]["shutdown_date"] == "2026-03-09"
    assert "deprecated" not in rows["gemini-3.8-flash"]
    assert rows["gemini-3-pro-preview"]["replacement"] == "gemini-3.1-pro-preview"


@pytest.mark.parametrize(
    "name",
    ["gemini-2.5-flash", "models/gemini-2.5-flash", "models%2Fgemini-2.5-flash", "gemini-5-new"],
)
@pytest.mark.parametrize("prefix", ["/v1/models/", "/models/"])
def test_one_model(prefix: str, name: str, client: httpx.Client) -> None:
    body = client.get(prefix + name).json()
    assert (body["id"], body["object"]) == (name.replace("%2F", "/"), "model")


def test_a_model_that_does_not_exist(client: httpx.Client) -> None:
    response = client.get("/v1/models/nope")
    assert response.status_code == 404
    error = error_of(response)
    assert (error["code"], error["param"]) == ("model_not_found", "model")


def test_the_index_says_what_this_is(stranger: httpx.Client) -> None:
    body = stranger.get("/").json()
    assert body["authentication"]["required"] is True
    assert body["version"]
    debug = body["endpoints"].pop("debug")
    for path in (*body["endpoints"].values(), *debug.values()):
        assert stranger.get(path).status_code != 404


def test_health_and_readiness_ask_nobody(stranger: httpx.Client, google: Google) -> None:
    assert stranger.get("/health").json() == {"status": "ok"}
    assert stranger.get("/ready").json() == {"status": "ready"}
    assert google.requests == []


@pytest.mark.parametrize("path", ["/schema", "/schema/openapi.json"])
def test_the_openapi_document_needs_no_key(path: str, stranger: httpx.Client) -> None:
    assert stranger.get(path).status_code == 200


def test_the_openapi_document_describes_each_endpoint_once(stranger: httpx.Client) -> None:
    document = stranger.get("/schema/openapi.json").json()
    assert set(document["paths"]) == {
        "/",
        "/health",
        "/ready",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/audio/transcriptions",
        "/v1/embeddings",
        "/v1/images/generations",
        "/v1/models",
        "/v1/models/{model_id}",
        "/v1beta/models",
        "/metrics",
        "/v1beta/models/{target}",
        "/v1beta1/projects/{target}",
        "/v1beta1/publishers/{target}",
        "/v1/debug/cache",
        "/v1/cache",
        "/v1/token-test",
        "/v1/debug/token-test",
        "/v1/test",
        "/v1/debug/test",
    }
    operation = document["paths"]["/v1/chat/completions"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    request = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert "temperature" in request["properties"]
    assert set(operation["responses"]) >= {"200", "400", "401", "404", "429", "500", "503"}
    assert document["security"] == [{"key": []}]
    for path in ("/", "/health", "/ready"):
        assert document["paths"][path]["get"]["security"] == [{}], "no key needed"


# --- who may call


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions"])
@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {API_KEY}"},
        {"authorization": f"bearer {API_KEY}"},
        {"x-api-key": API_KEY},
        {"api-key": API_KEY},
        {"x-goog-api-key": API_KEY},
        {"authorization": "Bearer other", "x-api-key": API_KEY},
    ],
)
def test_the_key_is_taken_from_four_headers(
    headers: dict[str, str], path: str, stranger: httpx.Client
) -> None:
    assert stranger.post(path, json=HELLO, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong-key-9"},
        {"authorization": f"Basic {API_KEY}"},
        {"authorization": API_KEY},
        {"authorization": "Bearer"},
        {"x-api-key": "wrong-key-9"},
        {"api-key": f"{API_KEY}x"},
        {"x-api-key": "\xe9\xe8"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/chat/completions"),
        ("POST", "/chat/completions"),
        ("POST", "/v1/v1/chat/completions"),
        ("GET", "/v1/models"),
        ("GET", "/models"),
        ("GET", "/v1/models/gemini-2.5-flash"),
        ("GET", "/models/gemini-2.5-flash"),
        ("POST", "/v1/completions"),
        ("POST", "/v1/audio/transcriptions"),
        ("POST", "/v1/responses"),
        ("GET", "/v1/responses/resp_1"),
    ],
)
def test_without_the_right_key_nothing_is_done(
    method: str, path: str, headers: dict[str, str], stranger: httpx.Client, google: Google
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    response = stranger.request(method, path, headers=raw, json=HELLO)
    assert response.status_code == 401
    error = error_of(response)
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
    assert "wrong-key" not in error["message"]
    assert "Bearer" in response.headers["www-authenticate"]
    assert google.requests == []


def test_there_may_be_several_keys(start_gateway: StartGateway) -> None:
    gateway = start_gateway(openai_api_key=Secret("one, two"))
    for key, status in (("one", 200), ("two", 200), ("one, two", 401), ("three", 401)):
        with gateway.client(key) as client:
            assert client.get("/v1/models").status_code == status


def test_without_a_key_in_settings_the_gateway_is_open_and_says_so(
    start_gateway: StartGateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = start_gateway(openai_api_key=None)
    warnings = [record for record in caplog.records if "OPENAI_API_KEY" in record.message]
    assert len(warnings) == 1
    with gateway.client(key=None) as client:
        assert client.get("/v1/models").status_code == 200
        assert client.get("/").json()["authentication"]["required"] is False


@pytest.mark.parametrize("path", ["/", "/health", "/ready", "/v1/models", "/schema"])
def test_head_is_get_without_the_body(path: str, client: httpx.Client) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("cut", [0, 40, 10_000], ids=["one read", "in the head", "after it"])
def test_the_offer_of_another_protocol_is_ignored(cut: int, gateway: Gateway) -> None:
    content = msgspec.json.encode(HELLO)
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\n"
        f"Authorization: Bearer {API_KEY}\r\nContent-Length: {len(content)}\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    ).encode()
    cut = min(cut, len(head))
    with socket.create_connection(gateway.address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in ((head + content)[:cut], (head + content)[cut:]):
            connection.sendall(piece)
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = msgspec.json.decode(response.read())
    assert response.status == 200
    assert body["object"] == "chat.completion"


# --- what is refused before any call to Google


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v1/no/such/thing", 404, "unknown_url"),
        ("GET", "/nothing", 404, "unknown_url"),
        ("GET", "/healthz", 404, "unknown_url"),
        ("PUT", "/v1/chat/completions", 405, "method_not_supported"),
        ("GET", "/v1/chat/completions", 405, "method_not_supported"),
        ("DELETE", "/v1/models/x", 405, "method_not_supported"),
        ("POST", "/health", 405, "method_not_supported"),
        ("GET", "/v1/completions", 405, "method_not_supported"),
        ("GET", "/v1/audio/transcriptions", 405, "method_not_supported"),
        ("POST", "/v1/audio/translations", 404, "unknown_url"),
    ],
)
def test_what_is_not_there(
    method: str, path: str, status: int, code: str, client: httpx.Client
) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    error = error_of(response)
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert f"{method} {path}" in error["message"]
    assert ("allow" in response.headers) == (status == 405)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "text/plain", None]
)
def test_json_is_json_whatever_it_is_called(content_type: str | None, client: httpx.Client) -> None:
    content = b'{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"Hi"}]}'
    headers = {"content-type": content_type} if content_type else {}
    assert client.post(PATH, content=content, headers=headers).status_code == 200


def test_of_several_content_types_the_first_counts(client: httpx.Client) -> None:
    for first, second, status in (("application/json", FORM, 200), (FORM, "application/json", 415)):
        headers = [("content-type", first), ("content-type", second)]
        content = b'{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"Hi"}]}'
        assert client.post(PATH, content=content, headers=headers).status_code == status


FORM = "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    "content_type", ["Multipart/Form-Data; boundary=x", "application/x-www-form-urlencoded"]
)
def test_a_form_is_not_json(content_type: str, client: httpx.Client) -> None:
    response = client.post(PATH, content=b"{}", headers={"content-type": content_type})
    assert response.status_code == 415
    assert error_of(response)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'"x"', b"null"])
def test_a_body_that_is_no_json_object(
    content: bytes, client: httpx.Client, google: Google
) -> None:
    headers = {"content-type": "application/json"}
    response = client.post(PATH, content=content, headers=headers)
    assert response.status_code == 400
    assert error_of(response)["type"] == "invalid_request_error"
    assert "JSON" in error_of(response)["message"]
    assert google.requests == []


@pytest.mark.parametrize("cuts", [None, [600], []], ids=["announced", "chunked", "in one chunk"])
def test_too_large_a_body(start_gateway: StartGateway, cuts: list[int] | None) -> None:
    with start_gateway(max_request_bytes=1000).client() as client:
        content = b"{" + b" " * 1000
        ends = [0, *(cuts or []), len(content)]
        pieces = iter([content[start:end] for start, end in pairwise(ends)])
        response = client.post(PATH, content=content if cuts is None else pieces)
        assert client.post(PATH, json=HELLO).status_code == 200
    assert response.status_code == 413
    assert error_of(response)["code"] == "request_too_large"


# --- headers


def test_every_response_has_a_request_id(client: httpx.Client) -> None:
    responses = [
        client.get("/health"),
        client.get("/nothing"),
        client.post(PATH, json={}),
        client.post(PATH, json=HELLO),
        client.post(PATH, json=HELLO | {"stream": True}),
        client.get("/v1/models", headers={"authorization": "Bearer wrong"}),
        client.options(PATH),
    ]
    ids = [response.headers["x-request-id"] for response in responses]
    assert len(set(ids)) == len(ids)
    assert all(response.headers["openai-processing-ms"].isdigit() for response in responses)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("req-7", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("<x>", False)],
)
def test_a_sane_request_id_is_kept(given: str, *, kept: bool, client: httpx.Client) -> None:
    response = client.get("/health", headers={"x-request-id": given})
    assert (response.headers["x-request-id"] == given) == kept


@pytest.mark.parametrize("path", [PATH, "/v1/models", "/chat/completions", "/health"])
def test_options_needs_no_key(path: str, stranger: httpx.Client) -> None:
    response = stranger.options(path)
    assert response.status_code == 204
    assert "OPTIONS" in response.headers["allow"]


def test_a_browser_is_let_through(stranger: httpx.Client) -> None:
    origin = {"origin": "https://app.example"}
    wanted = "authorization, content-type, x-stainless-os, x-stainless-retry-count"
    preflight = stranger.options(
        PATH,
        headers=origin
        | {"access-control-request-method": "POST", "access-control-request-headers": wanted},
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert all(header in allowed for header in wanted.split(", "))

    refused = stranger.post(PATH, json=HELLO, headers=origin)
    assert refused.status_code == 401
    for response in (refused, stranger.get("/nothing", headers=origin)):
        assert response.headers["access-control-allow-origin"] == "*"
        exposed = response.headers["access-control-expose-headers"].lower()
        assert "x-request-id" in exposed
        assert "x-ignored-params" in exposed


def test_origins_can_be_limited(start_gateway: StartGateway) -> None:
    gateway = start_gateway(cors_allow_origins="https://a.example, https://b.example")
    with gateway.client() as client:
        for origin, allowed in (("https://a.example", True), ("https://evil.example", False)):
            response = client.get("/health", headers={"origin": origin})
            assert (response.headers.get("access-control-allow-origin") == origin) == allowed
