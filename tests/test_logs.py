import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from service import logs
from service.telemetry import RequestAtHand, request_at_hand
from tests.gateway import API_KEY, HELLO, AccessLog
from tests.simulators.google import Google
from tests.simulators.replies import error

PATH = "/v1/chat/completions"


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("service", logging.WARNING, __file__, 1, message, None, None)
    made.__dict__["fields"] = fields
    return made


def test_a_json_line_has_the_names_that_cloud_logging_knows() -> None:
    line = msgspec.json.decode(logs.JsonFormatter().format(record("Said.", status=200)))
    assert line == {"severity": "WARNING", "message": "Said.", "logger": "service", "status": 200}


def test_a_text_line_leaves_out_what_is_not_known() -> None:
    line = logs.TextFormatter().format(record("Said.", status=200, model=None))
    assert line == "warning Said. status=200"


@pytest.mark.parametrize("formatter", [logs.JsonFormatter(), logs.TextFormatter()])
def test_an_exception_is_logged_without_secrets(formatter: logging.Formatter) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.getLogger("test")
    logger.propagate = False
    logger.addHandler(handler)
    error_ = ValueError("ya29.a0-token")
    logger.error("with 1//refresh", exc_info=error_)
    logger.removeHandler(handler)
    assert "ValueError" in stream.getvalue()
    assert "ya29" not in stream.getvalue()
    assert "1//" not in stream.getvalue()


@contextmanager
def nothing_else_listens(raw: io.RawIOBase | None = None) -> Iterator[io.BytesIO]:
    """What goes to standard output as JSON; pytest's own handlers are left out."""
    output = io.BytesIO()
    buffer = output if raw is None else io.BufferedWriter(raw)
    lines = logs.JsonLines(io.TextIOWrapper(buffer, encoding="ascii", write_through=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.root, "handlers", [lines])
        yield output


class Pipe(io.RawIOBase):
    """One that is full at first."""

    def __init__(self) -> None:
        self.is_full = True
        self.read_from_it = b""
        self.writes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int | None:
        if self.is_full:
            return None
        self.read_from_it += bytes(data)
        self.writes += 1
        return len(data)


FIELDS = {"event": "request", "status": 200, "path": Path("a"), "none": None}


def test_a_line_past_logging_is_the_one_that_logging_writes() -> None:
    logger, message = logging.getLogger("service.access"), "100 % of ya29.a0-token\n"

    def in_a_request() -> None:
        request_at_hand.set(RequestAtHand({"request_id": "req_1"}))
        logs.log(logger, logs.Line(logging.WARNING, message, FIELDS))
        logger.warning(message, extra={"fields": FIELDS})

    with nothing_else_listens() as output:
        copy_context().run(in_a_request)
        first, second = output.getvalue().splitlines()
    assert first == second
    assert msgspec.json.decode(first) == {
        "severity": "WARNING",
        "message": "100 % of [redacted]\n",
        "logger": "service.access",
        "event": "request",
        "status": 200,
        "path": "a",
        "none": None,
        "request_id": "req_1",
    }


def test_a_line_past_logging_heeds_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("test.quiet")
    monkeypatch.setattr(logger, "level", logging.INFO)
    with nothing_else_listens() as output:
        logs.log(logger, logs.Line(logging.DEBUG, "Not said.", {}))
        logs.log(logger, logs.Line(logging.INFO, "Said.", {}))
        (line,) = output.getvalue().splitlines()
    assert msgspec.json.decode(line)["message"] == "Said."


class Unspeakable:
    def __str__(self) -> str:
        raise KeyError


@pytest.mark.parametrize(
    ("closes", "value"), [(True, "a"), (False, "\ud800"), (False, Unspeakable())]
)
def test_a_line_that_cannot_be_written_is_reported_and_raises_nothing(
    capsys: pytest.CaptureFixture[str], *, closes: bool, value: object
) -> None:
    with nothing_else_listens() as output:
        if closes:
            output.close()
        logs.log(
            logging.getLogger("service.access"), logs.Line(logging.INFO, "Said.", {"path": value})
        )
    assert "Logging error" in capsys.readouterr().err


def test_a_line_that_cannot_be_written_keeps_no_other_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logger, texts = logging.getLogger("service.access"), ["One.", "Two.", "Three."]
    fields: list[dict[str, Any]] = [{}, {"path": Unspeakable()}, {}]
    with nothing_else_listens() as output:
        logs.log(logger, *map(logs.Line, [logging.INFO] * 3, texts, fields))
        lines = output.getvalue().splitlines()
    assert [msgspec.json.decode(line)["message"] for line in lines] == ["One.", "Three."]
    assert "Logging error" in capsys.readouterr().err


def test_lines_that_come_together_go_out_together() -> None:
    logger, pipe = logging.getLogger("service.access"), Pipe()
    pipe.is_full = False
    with nothing_else_listens(pipe):
        logs.log(logger, *[logs.Line(logging.INFO, text, {}) for text in ["One.", "Two."]])
        assert pipe.writes == 1
        assert pipe.read_from_it.count(b"\n") == 2


def test_what_a_full_pipe_did_not_take_comes_once() -> None:
    pipe, logger = Pipe(), logging.getLogger("service.access")
    with nothing_else_listens(pipe):
        logs.log(logger, logs.Line(logging.INFO, "One.", {}))
        pipe.is_full = False
        logs.log(logger, logs.Line(logging.INFO, "Two.", {}))
        lines = pipe.read_from_it.splitlines()
    assert [msgspec.json.decode(line)["message"] for line in lines] == ["One.", "Two."]


def test_a_line_past_logging_is_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    logger, heard = logging.getLogger("service.access"), list[str]()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.msg)

    monkeypatch.setattr(logger, "handlers", [Listener()])
    with nothing_else_listens() as output:
        logs.log(logger, logs.Line(logging.INFO, "Said.", {}))
        assert (heard, output.getvalue().count(b"\n")) == ([], 1)
        logging.root.addHandler(Listener())
        logs.log(logger, logs.Line(logging.INFO, "To all.", {}))
    assert heard == ["To all.", "To all."]


@pytest.mark.parametrize("stream", [None, io.StringIO()])
@pytest.mark.parametrize("form", ["json", None])
def test_json_is_logged_whatever_standard_output_is(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None, form: str | None
) -> None:
    """As of a standard output that is closed."""
    monkeypatch.setattr(sys, "stdout", stream)
    for name in ("logThreads", "logProcesses", "logMultiprocessing", "_srcfile"):
        monkeypatch.setattr(logging, name, getattr(logging, name))  # set back at the end
    made: list[logging.Handler] = []
    monkeypatch.setattr(logging, "basicConfig", lambda **options: made.extend(options["handlers"]))
    logs.configure("info", form)
    (handler,) = made
    assert isinstance(handler.formatter, logs.JsonFormatter)


@pytest.mark.parametrize(
    "text",
    [
        "ya29.a0AbC-_d.e",
        "AIzaSyA1234567890",
        "1//0abc-DEF_g",
        "GOCSPX-abc_d",
        "authorization: Bearer abcdefgh123",
        "project_number:681255809395",
        "projects/681255809395/x",
        "project 681255809395",
        "overview?project=681255809395",
        "//cloudaicompanion.googleapis.com/projects/p/locations/global",
    ],
)
def test_what_looks_like_a_secret_is_redacted(text: str) -> None:
    redacted = logs.redact(f"before {text} after")
    assert "[redacted]" in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


def test_ordinary_words_are_not() -> None:
    text = "See https://ai.google.dev/gemini-api/docs, project my-proj, 404."
    assert logs.redact(text) == text


def test_a_request_leaves_one_line_with_what_happened(
    client: httpx.Client, access_log: AccessLog
) -> None:
    response = client.post(PATH, json=HELLO | {"stream": True})
    line = access_log.wait_for(path=PATH)
    assert line["request_id"] == response.headers["x-request-id"]
    assert (line["method"], line["status"], line["stream"]) == ("POST", 200, True)
    assert (line["model"], line["upstream"]) == ("gemini-2.5-flash", "code_assist")
    assert line["total_ms"] >= line["first_byte_ms"] > 0
    assert len(access_log.lines) == 1


def test_a_failure_leaves_its_code(
    client: httpx.Client, google: Google, access_log: AccessLog
) -> None:
    google.script(error(403, message="Said of Hello!"))
    client.post(PATH, json=HELLO)
    assert access_log.wait_for(path=PATH)["code"] == "permission_denied"


@pytest.mark.parametrize("scenario", [None, "E1", "E13", "E42", "A36"])
def test_neither_prompts_nor_keys_nor_answers_are_logged(
    scenario: str | None, client: httpx.Client, google: Google, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if scenario:
        google.play(scenario)
    client.post(PATH, json=HELLO | {"stream": True})
    texts = [logs.JsonFormatter().format(record) for record in caplog.records]
    assert texts
    for words in ("Hello", API_KEY, google.client_secret, "sim-refresh", "ya29"):
        assert not any(words in text for text in texts)
