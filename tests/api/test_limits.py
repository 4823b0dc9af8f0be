"""What one gateway takes on at the same time, and what becomes of what is beyond it."""

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec
import pytest

from tests.conftest import StartGateway
from tests.gateway import API_KEY, HELLO, AccessLog, Gateway, send
from tests.media.file_server import FileServer, Page
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, answer, error

PATH = "/v1/chat/completions"
BODY = msgspec.json.encode(HELLO)
HEAD = f"POST {PATH} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {API_KEY}\r\n"


def announcing(size: int, key: str = API_KEY) -> bytes:
    head = HEAD.replace(API_KEY, key)
    return f"{head}content-length: {size}\r\nexpect: 100-continue\r\n\r\n".encode()


@contextmanager
def connected(gateway: Gateway) -> Iterator[socket.socket]:
    with socket.create_connection(gateway.address, timeout=10) as connection:
        yield connection


def response(connection: socket.socket) -> tuple[int, http.client.HTTPMessage, Any]:
    """Read a response whose body is JSON, without reading past it."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    body = answer.read()
    return answer.status, answer.headers, msgspec.json.decode(body) if body else None


def refused(gateway: Gateway, head: bytes) -> tuple[int, http.client.HTTPMessage, Any]:
    """Send nothing but a head, and return the answer."""
    with connected(gateway) as connection:
        connection.sendall(head)
        return response(connection)


def assert_overloaded(answer: tuple[int, http.client.HTTPMessage, Any]) -> None:
    status, headers, body = answer
    assert status == 503
    assert headers["retry-after"] == "1"
    assert headers["x-request-id"]
    assert body["error"]["code"] == "server_is_overloaded"


@contextmanager
def held_by_google(gateway: Gateway, google: Google) -> Iterator[Callable[[], None]]:
    """Have a stream under way; what is yielded lets it end, and reads it."""
    gate = Gate()
    google.script(answer("Hel", Hold(gate), "lo"))
    with connected(gateway) as connection:
        send(connection, HELLO | {"stream": True})
        google.wait_for("generate", 1)

        def end() -> None:
            gate.open()
            ended = http.client.HTTPResponse(connection)
            ended.begin()
            assert ended.read().endswith(b"[DONE]\n\n")

        yield end
        gate.open()


def test_a_request_too_many_is_refused_before_its_body_is_sent(
    start_gateway: StartGateway, google: Google, access_log: AccessLog
) -> None:
    gateway = start_gateway(max_concurrent_requests=1)
    with held_by_google(gateway, google) as end:
        assert_overloaded(refused(gateway, announcing(1000)))
        line = access_log.wait_for(status=503)
        assert (line["code"], line["route"]) == ("server_is_overloaded", PATH)
        end()
    with gateway.client() as client:
        for _ in range(3):
            assert client.post(PATH, json=HELLO).status_code == 200
    assert len([each for each in access_log.lines if each["status"] == 503]) == 1


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/"])
def test_who_looks_after_the_gateway_is_never_refused(
    start_gateway: StartGateway, google: Google, path: str
) -> None:
    gateway = start_gateway(max_concurrent_requests=1, max_inflight_bytes=200)
    with held_by_google(gateway, google), gateway.client() as client:
        assert client.get("/v1/models").status_code == 503
        assert client.get(path).status_code == 200
        assert client.options("/v1/models").status_code == 204


def test_a_wrong_key_takes_nobodys_place_and_is_told_so_also_where_there_is_none(
    start_gateway: StartGateway, google: Google
) -> None:
    gateway = start_gateway(max_concurrent_requests=1, max_inflight_bytes=1000)
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(connected(gateway))
            connection.sendall(announcing(900, key="sk-wrong"))
            assert response(connection)[0] == 401
        with held_by_google(gateway, google):
            assert refused(gateway, announcing(900, key="sk-wrong"))[0] == 401


@pytest.mark.parametrize("what", ["chat", "native", "models"])
def test_a_refusal_is_in_the_words_of_the_api_that_was_asked(
    start_gateway: StartGateway, google: Google, what: str
) -> None:
    path = {
        "chat": PATH,
        "native": "/v1beta/models/gemini-2.5-flash:generateContent",
        "models": "/v1beta/models",
    }[what]
    gateway = start_gateway(max_concurrent_requests=1)
    with held_by_google(gateway, google), gateway.client() as client:
        told = client.request("GET" if what == "models" else "POST", path).json()["error"]
    assert told["code"] == ("server_is_overloaded" if what == "chat" else 503)


# --- bytes in flight


def begin(connection: socket.socket, *, chunked: bool, size: int = 900) -> None:
    """Send the beginning of a request that takes so many bytes."""
    if chunked:
        connection.sendall(HEAD.encode() + b"transfer-encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n%b\r\n" % (size, b" " * size))
    else:
        connection.sendall(announcing(size))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")


BIG = BODY + b" " * 300


def ask_until(status: int, gateway: Gateway) -> None:
    """Ask again and again: what another connection does is known a little later."""
    with gateway.client() as client:
        for _ in range(2000):
            if client.post(PATH, content=BIG).status_code == status:
                return
    raise AssertionError(f"It never answers with {status}.")


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
@pytest.mark.parametrize("ending", ["leaves", "is wrong", "is answered", "google fails"])
def test_what_is_in_flight_takes_room_until_it_is_over_however_it_ends(
    start_gateway: StartGateway, google: Google, ending: str, *, chunked: bool
) -> None:
    gateway = start_gateway(max_inflight_bytes=1000)
    with connected(gateway) as connection:
        begin(connection, chunked=chunked, size=900)
        ask_until(503, gateway)
        assert_overloaded(refused(gateway, announcing(300)))
        if ending == "google fails":
            google.script(*[error(400)] * 2)
        rest = {"leaves": b"", "is wrong": b"x"}.get(ending, BODY)
        if chunked and rest:
            rest = b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest)
        elif rest:
            rest = rest.ljust(900)
        if rest:
            connection.sendall(rest)
            assert response(connection)[0] == {"is answered": 200}.get(ending, 400)
            google.reset()
    ask_until(200, gateway)


def test_a_chunked_body_that_finds_no_room_is_refused_as_it_comes(
    start_gateway: StartGateway, access_log: AccessLog
) -> None:
    gateway = start_gateway(max_inflight_bytes=1000)
    with connected(gateway) as first, connected(gateway) as second:
        begin(first, chunked=False)
        begin(second, chunked=True, size=300)
        assert_overloaded(response(second))
    line = access_log.wait_for(status=503)
    assert (line["code"], line["route"]) == ("server_is_overloaded", PATH)


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_what_would_never_find_room_is_too_large(
    start_gateway: StartGateway, *, chunked: bool
) -> None:
    gateway = start_gateway(max_inflight_bytes=1000)
    with gateway.client() as client:
        content = BODY + b" " * 1000
        pieces = iter([content[:600], content[600:]])
        answer = client.post(PATH, content=pieces if chunked else content)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
        assert client.post(PATH, content=BIG).status_code == 200


def test_what_is_fetched_for_a_request_counts(start_gateway: StartGateway, google: Google) -> None:
    """Alone it is too much for ever; beside another it is too much for now."""
    gateway = start_gateway(max_inflight_bytes=2000, media_allow_hosts="127.0.0.1")
    with FileServer() as files, gateway.client() as client:
        files.pages["/small"] = Page(PNG + b"x" * 1000, {"content-type": "image/png"})
        files.pages["/large"] = Page(PNG + b"x" * 2000, {"content-type": "image/png"})
        assert client.post(PATH, json=looking_at(f"{files.url}/small")).status_code == 200
        large = client.post(PATH, json=looking_at(f"{files.url}/large"))
        assert (large.status_code, large.json()["error"]["code"]) == (413, "request_too_large")
        with connected(gateway) as other:
            begin(other, chunked=False)
            beside = client.post(PATH, json=looking_at(f"{files.url}/small"))
        assert (beside.status_code, beside.headers["retry-after"]) == (503, "1")
        assert beside.json()["error"]["code"] == "server_is_overloaded"
    assert len(google.calls("generate")) == 1


PNG = b"\x89PNG\r\n\x1a\n"


def looking_at(url: str) -> dict[str, Any]:
    part = {"type": "image_url", "image_url": {"url": url}}
    return HELLO | {"messages": [{"role": "user", "content": [part]}]}
