"""On the wire besides answers: waiting, leaving, keeping, stopping; and running alone."""

import http.client
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from tests.simulators.asking import (
    ask,
    begin_stream,
    connect,
    fetch,
    read_all,
    stream,
)
from tests.simulators.google import Google
from tests.simulators.replies import (
    Gate,
    Hold,
    answer,
    drop,
    hold,
    hung,
)
from tests.simulators.scenarios import SCENARIOS


def test_a_client_that_leaves_is_noticed(google: Google) -> None:
    google.script(answer("one ", Hold(Gate())))
    with begin_stream(google, "gemini-2.5-pro") as connection:
        (recorded,) = google.wait_for("generate")
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert google.open_replies == 1
        assert not recorded.left.is_set()

    assert recorded.left.wait(1)
    assert not recorded.done.is_set()
    assert google.open_replies == 0


def test_a_held_answer_waits_for_the_test(google: Google) -> None:
    release = Gate()
    google.script(hold(release, answer("at last")))
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(ask(google).content))
    asking.start()

    google.wait_for("generate")
    assert answers == []
    release.open()
    asking.join(5)
    assert b"at last" in answers[0]


def test_a_stream_can_be_held_in_the_middle(google: Google) -> None:
    release = Gate()
    google.script(answer("one ", Hold(release), "two"))
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(stream(google, "gemini-2.5-pro")))
    asking.start()

    google.wait_for("generate")
    assert not google.requests[0].done.is_set()
    release.open()
    asking.join(5)
    assert b"two" in answers[0]


def test_a_connection_is_kept_and_can_be_dropped(google: Google) -> None:
    google.play("A41")
    connection = http.client.HTTPConnection(urlsplit(google.url).netloc, timeout=5)
    body = b'{"contents":[{"parts":[{"text":"hi"}]}]}'
    path = "/v1beta/models/gemini-2.5-pro:generateContent?key=sim-api-key"
    connection.request("POST", path, body)
    assert connection.getresponse().read()
    kept = connection.sock

    connection.request("POST", path, body)
    assert connection.sock is kept
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()


def test_a_wrong_path_is_a_page_of_html(google: Google) -> None:
    for method, path in (
        ("GET", "/nowhere"),
        ("POST", "/v1beta/models/gemini-2.5-pro:dance"),
        ("GET", "/v1internal:loadCodeAssist"),
    ):
        got = fetch(google, method, path)
        assert (got.status, got.headers["content-type"]) == (404, "text/html; charset=UTF-8")


def test_what_is_not_http_is_refused(google: Google) -> None:
    with connect(google) as connection:
        connection.sendall(b"hello\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")


def test_a_client_may_wait_for_100_continue(google: Google) -> None:
    with connect(google) as connection:
        connection.sendall(
            b"POST /token HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n"
            b"content-length: 1\r\nexpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"x")
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")


def test_stopping_ends_what_is_open() -> None:
    google = Google().start()
    google.script(hung())
    outcome: list[BaseException] = []

    def asking() -> None:
        try:
            ask(google)
        except (OSError, http.client.HTTPException) as failure:
            outcome.append(failure)

    thread = threading.Thread(target=asking)
    thread.start()
    google.wait_for("generate")
    google.stop()
    thread.join(5)

    assert isinstance(outcome[0], http.client.RemoteDisconnected | ConnectionResetError)
    google.stop()  # twice does no harm


def test_a_port_can_be_chosen_and_taken(google: Google) -> None:
    taken = urlsplit(google.url).port
    assert taken is not None

    with pytest.raises(OSError, match="in use"):
        Google(port=taken).start()


def test_dropping_answers_nothing(google: Google) -> None:
    google.script(drop())

    assert stream(google, "gemini-2.5-pro") == b""


def test_it_runs_alone() -> None:
    command = [sys.executable, "-m", "tests.simulators", "--log", "--accept", "fake"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = urlsplit(process.stdout.readline().strip())
            connection = http.client.HTTPConnection(address.netloc, timeout=5)
            body = b'{"project": "p"}'
            headers = {"authorization": "Bearer fake"}
            connection.request("POST", "/v1internal:retrieveUserQuota", body, headers)
            assert connection.getresponse().status == 200
            connection.close()
            assert process.stdout.readline() == "POST /v1internal:retrieveUserQuota\n"
        finally:
            process.terminate()


def test_the_list_names_every_scenario() -> None:
    command = [sys.executable, "-m", "tests.simulators", "--list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert [line.split()[0] for line in listed.splitlines()] == list(SCENARIOS)
