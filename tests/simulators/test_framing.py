"""The bytes of the answers, read from a socket: what a client library would hide."""

import gzip
import http.client
import re
import zlib

import msgspec
import pytest

from tests.simulators.asking import ask, connect, credentials, dechunked, read_all, stream
from tests.simulators.google import Google
from tests.simulators.replies import Cut, Pause, answer, chunks, error, raw
from tests.simulators.scenarios import SCENARIOS, scenario
from tests.simulators.wire import Reply


def texts(events: bytes) -> list[str]:
    found = []
    for line in events.split(b"\n"):
        if line.startswith(b"data: "):
            candidate = msgspec.json.decode(line.removeprefix(b"data: "))["response"]["candidates"][
                0
            ]
            found.append(candidate["content"]["parts"][0]["text"])
    return found


def test_a_stream_is_spelled_as_google_spells_it(google: Google) -> None:
    google.script(chunks([{"candidates": [{"content": {"role": "model"}, "index": 0}], "é": None}]))

    head, events, rest = dechunked(stream(google, "gemini-2.5-pro"))

    trace_id = head.partition("X-Cloudaicompanion-Trace-Id: ")[2][:16]
    line = '{"candidates": [{"content": {"role": "model"},"index": 0}],"é": null}'
    event = f'data: {{"response": {line},"traceId": "{trace_id}"}}\r\n\r\n'.encode()
    assert events == [event, b""]
    assert rest == b""
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    for header in (
        "Content-Type: text/event-stream",
        "Content-Disposition: attachment",
        "Transfer-Encoding: chunked",
        "Vary: Origin, X-Origin, Referer",
        "Server: ESF",
        "X-Content-Type-Options: nosniff",
    ):
        assert f"\r\n{header}" in head


def test_a1_gives_two_events_and_nothing_else(google: Google) -> None:
    _, events, _ = dechunked(stream(google, "gemini-sim-a1"))

    assert texts(b"".join(events)) == ["Hel", "lo"]
    assert len(events) == 3  # with the last, empty chunk
    assert all(event.endswith(b"}\r\n\r\n") for event in events[:-1])
    assert b'"finishReason": "STOP"' not in events[0]
    assert b'"finishReason": "STOP"' in events[1]


@pytest.mark.parametrize(
    ("model_id", "ends"),
    [
        ("gemini-sim-a11", [b'"text": "caf\xc3']),
        ("gemini-sim-a12", [b'"text": "\xe4', b"\xb8"]),
        ("gemini-sim-a13", [b'"text": "\xf0\x9f']),
        ("gemini-sim-a14", [rb'"text": "\ud83d']),
    ],
)
def test_characters_are_cut_where_they_should_be(
    google: Google, model_id: str, ends: list[bytes]
) -> None:
    _, events, _ = dechunked(stream(google, model_id))

    for event, end in zip(events, ends, strict=False):
        assert event.endswith(end)
    assert texts(b"".join(events))[0] in ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "世", "😀")


def test_a15_writes_lone_surrogates_as_escapes(google: Google) -> None:
    _, events, _ = dechunked(stream(google, "gemini-sim-a15"))

    assert rb'"text": "\ud83d"' in events[0]
    assert rb'"text": "\ude00"' in events[1]


def test_a17_writes_one_byte_at_a_time(google: Google) -> None:
    _, events, _ = dechunked(stream(google, "gemini-sim-a17"))

    assert {len(event) for event in events[:-1]} == {1}
    assert texts(b"".join(events)) == ["Hel", "lo"]


def test_a19_leaves_line_separators_unescaped(google: Google) -> None:
    _, events, _ = dechunked(stream(google, "gemini-sim-a19"))

    assert b'"text": "a\xe2\x80\xa8b\xe2\x80\xa9c\xc2\x85d"' in events[0]
    assert len(events) == 2


def test_a27_flushes_the_compressor_after_every_event(google: Google) -> None:
    head, events, _ = dechunked(stream(google, "gemini-sim-a27"))

    unpacker = zlib.decompressobj(wbits=31)
    assert "Content-Encoding: gzip" in head
    assert texts(unpacker.decompress(events[0])) == ["Hel"]
    assert texts(unpacker.decompress(events[1])) == ["lo"]
    unpacker.decompress(events[2])
    assert unpacker.eof

    _, events, _ = dechunked(stream(google, "gemini-sim-a27-cut"))
    unpacker = zlib.decompressobj(wbits=31)
    assert texts(unpacker.decompress(b"".join(events))) == ["Hel"]
    assert not unpacker.eof


def test_a28_compresses_the_unary_answer(google: Google) -> None:
    got = ask(google, upstream="code_assist", model_id="gemini-sim-a28")

    assert b"Hello" in gzip.decompress(got.content)


def test_a29_has_chunks_of_odd_sizes_with_extensions(google: Google) -> None:
    response = stream(google, "gemini-sim-a29")

    _, events, _ = dechunked(response)
    assert [len(event) for event in events[:2]] == [1, 7]
    assert b"\r\n\r\n1;sim=1\r\nd\r\n7;sim=1\r\n" in response


def test_a36_resets_the_connection_after_three_events(google: Google) -> None:
    response = stream(google, "gemini-sim-a36")

    assert response.endswith(b"!RST")
    assert texts(response) == ["one ", "two ", "three "]


def test_a37_leaves_out_the_last_chunk(google: Google) -> None:
    response = stream(google, "gemini-sim-a37")

    assert texts(response) == ["Hel", "lo"]
    assert not response.endswith(b"0\r\n\r\n")
    assert not response.endswith(b"!RST")


def test_a38_ends_in_good_order_without_a_finish_reason(google: Google) -> None:
    response = stream(google, "gemini-sim-a38")

    assert response.endswith(b"\r\n\r\n\r\n0\r\n\r\n")
    assert texts(response) == ["Hel", "lo"]
    assert b"finishReason" not in response


def test_e30_is_damaged_in_the_three_known_ways(google: Google) -> None:
    got = ask(google, model_id="gemini-sim-e30")

    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(got.content)
    mended = re.sub(rb",\s*,", b",", got.content)
    info = msgspec.json.decode(mended)["error"]["details"][0]
    assert info[" @type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert info["domain"] == "cloudcode-pa.googleapis.com,"


def test_e38_is_an_array_that_says_it_is_a_stream(google: Google) -> None:
    head, _, body = stream(google, "gemini-sim-e38").partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"Content-Type: text/event-stream" in head
    assert body.startswith(b'[{\n  "error": {\n    "code": 503,\n')
    assert body.endswith(b"  }\n}\n]\n")
    assert msgspec.json.decode(body)[0]["error"]["details"][1]["retryDelay"] == "9s"


def test_e42_puts_an_error_event_after_two_good_ones(google: Google) -> None:
    _, events, _ = dechunked(stream(google, "gemini-sim-e42"))

    assert texts(b"".join(events[:2])) == ["Hello ", "wor"]
    assert events[2] == (
        b'data: {"error": {"code": 503,"message": "The model is overloaded. Please try again '
        b'later.","status": "UNAVAILABLE"}}\r\n\r\n'
    )
    assert events[3:] == [b""]


def test_e44_puts_an_error_in_plain_lines_after_two_events(google: Google) -> None:
    _, events, _ = dechunked(stream(google, "gemini-sim-e44"))

    assert events[2] == (
        b'{\r\n  "error": {\r\n    "code": 500,\r\n'
        b'    "message": "Internal error encountered.",\r\n'
        b'    "status": "INTERNAL"\r\n  }\r\n}\r\n'
    )


def test_unary_answers_are_indented_by_two_spaces(google: Google) -> None:
    got = ask(google, upstream="code_assist")

    assert got.content.startswith(b'{\n  "response": {\n    "candidates": [\n')
    assert got.headers["content-type"] == "application/json; charset=UTF-8"
    assert got.headers["x-cloudaicompanion-trace-id"] == got.json["traceId"]


def test_without_alt_sse_a_stream_is_a_json_array(google: Google) -> None:
    google.script(answer("Hel", "lo"))
    got = ask(google, method="streamGenerateContent")

    assert got.headers["content-type"] == "application/json; charset=UTF-8"
    assert b"}\r\n,\r\n{" in got.content
    said = [item["candidates"][0]["content"]["parts"][0]["text"] for item in got.json]
    assert said == ["Hel", "lo"]


def test_errors_of_a_scenario_come_in_other_containers_too(google: Google) -> None:
    plain = ask(google, model_id="gemini-sim-e22")
    listed = ask(google, model_id="gemini-sim-e22-array-sse")

    assert listed.status == plain.status == 429
    assert listed.json == [plain.json]
    assert listed.headers["content-type"] == "text/event-stream"


@pytest.mark.parametrize(("upstream", "listed"), [("code_assist", True), ("gemini_api", False)])
def test_refusals_of_a_stream_are_listed_except_on_the_developer_api(
    google: Google, upstream: str, *, listed: bool
) -> None:
    got = ask(google, {"contents": []}, upstream=upstream, method="streamGenerateContent?alt=sse")

    assert isinstance(got.json, list) is listed


def test_a_declared_length_that_is_not_reached(google: Google) -> None:
    google.script(answer("Hello", then=Cut()))

    with pytest.raises(http.client.IncompleteRead):
        ask(google, upstream="vertex")


def test_errors_are_items_of_a_json_array_too(google: Google) -> None:
    google.script(chunks([{"candidates": []}], then=error(503, array=True)))
    got = ask(google, method="streamGenerateContent").json

    assert got[0] == {"candidates": []}
    assert got[1][0]["error"]["code"] == 503


@pytest.mark.parametrize(("scenario_id", "megabytes"), [("a21", 8), ("a21-args", 30), ("a22", 64)])
def test_the_larger_scenarios_play_too(google: Google, scenario_id: str, megabytes: int) -> None:
    method = "streamGenerateContent?alt=sse"
    got = ask(google, model_id=f"gemini-sim-{scenario_id}", method=method)

    assert got.status == 200
    assert len(got.content) > megabytes * 2**20


def test_raw_bytes_are_the_whole_response(google: Google) -> None:
    google.script(raw(b"HTTP/1.1 200 OK\r\n", Pause(0.001), b"\r\nhi"))

    assert stream(google, "gemini-2.5-pro") == b"HTTP/1.1 200 OK\r\n\r\nhi"


def test_until_close_declares_no_length(google: Google) -> None:
    google.script(Reply(200, (("Content-Type", "text/plain"),), (b"a", b"b"), "until-close"))

    response = stream(google, "gemini-2.5-pro")
    assert response.endswith(b"Connection: close\r\n\r\nab")
    assert b"Content-Length" not in response


UNBOUNDED = {"A26", "A39"}
LARGE = {"A21", "A21-args", "A22"}
GENERATING = sorted(
    found.id
    for found in SCENARIOS.values()
    if "generate" in found.scripts and found.id not in UNBOUNDED | LARGE
)


@pytest.mark.parametrize("scenario_id", GENERATING)
def test_every_scenario_plays(google: Google, scenario_id: str) -> None:
    google.scale = 0.0005
    for upstream in ("code_assist", "vertex"):
        for _ in scenario(scenario_id).replies[:3]:
            response = stream(google, f"gemini-sim-{scenario_id.lower()}", upstream)
            assert b"Traceback" not in response
            assert response.startswith((b"HTTP/1.1 ", b"!RST")) or scenario_id == "A41"


def test_every_promised_scenario_is_there() -> None:
    without_server = {"A40", "A42"}  # refused connections and HTTP/2 are not for this server
    by_default = {"F14", "F15", "F16", "F19"}  # nothing of Google's: see test_oauth
    promised = {
        f"{letter}{number}"
        for letter, last in zip("ABCDEFG", (42, 40, 13, 11, 50, 19, 19), strict=True)
        for number in range(1, last + 1)
    }

    assert promised - set(SCENARIOS) == without_server | by_default


def test_a_pipelined_second_request_is_answered_on_the_same_connection(google: Google) -> None:
    request = (
        "GET /v1beta/models/gemini-2.5-pro HTTP/1.1\r\nhost: sim\r\n"
        f"x-goog-api-key: {credentials(google, 'gemini_api')['x-goog-api-key']}\r\n"
    )
    with connect(google) as connection:
        connection.sendall(f"{request}\r\n{request}connection: close\r\n\r\n".encode())
        response = read_all(connection)

    assert response.count(b"HTTP/1.1 200 OK") == 2
