"""JSON lines for Cloud Logging, readable ones for a terminal, redaction.

No prompt, answer or secret is ever given to a logger. Redaction is the second fence, for text that
comes from elsewhere: Google's messages, exceptions, a client's own words about itself.
"""

import functools
import logging
import re
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple, TextIO

import msgspec

from service.telemetry import happened, request_at_hand

_SECRETS = re.compile(
    r"ya29\.[\w.-]+"  # access tokens
    r"|AIza[\w-]{10,}"  # API keys
    r"|1//[\w-]{5,}"  # refresh tokens
    r"|GOCSPX-[\w-]+"  # client secrets
    r"|\bsk-[\w-]{16,}"  # keys of gateways, and of OpenAI's
    r"|(?<=[Bb]earer )[\w.~+/-]{8,}=*"
    r"|(?<=project_number:)\d+|(?<=projects/)\d{6,}|(?<=project[ =])\d{6,}"
    r"|(?:https?:)?//[\w.-]*googleapis\.com[^\s'\"]*"  # names of Google's own resources
)


def redact(text: str) -> str:
    """Return the text without what looks like a credential or names Google's own resources."""
    return _SECRETS.sub("[redacted]", text)


#: The same for lines that are said again and again.
_redacted = functools.lru_cache(maxsize=256)(redact)


def report(logger: logging.Logger, level: int, event: str, message: str, **fields: Any) -> None:
    """Log an event under its name, and let metrics know of it."""
    log(logger, Line(level, message, {"event": event, **fields}))
    happened(event, fields)


class Line(NamedTuple):
    """A message that needs no formatting any more, and the fields of its line."""

    level: int
    message: str
    fields: dict[str, Any]


def log(logger: logging.Logger, *lines: Line) -> None:
    """Log lines, all at once if nothing but `JsonLines` listens.

    `logging` alone is a twentieth of what a small request costs, so they do not pass through it
    then.
    """
    wanted = [line for line in lines if logger.isEnabledFor(line.level)]
    handlers = logging.root.handlers
    if len(handlers) == 1 and isinstance(handlers[0], JsonLines):
        handlers[0].write(logger.name, wanted)
    else:
        for line in wanted:
            logger.log(line.level, line.message, extra={"fields": line.fields})


def _line(severity: str, logger: str, message: str, fields: dict[str, Any]) -> dict[str, Any]:
    line = {"severity": severity, "message": _redacted(message), "logger": logger, **fields}
    if (request := request_at_hand.get(None)) is not None:
        line |= request.trace_fields
        line["request_id"] = request.fields.get("request_id")
    return line


_encoder = msgspec.json.Encoder(enc_hook=str)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the field names that Cloud Logging gives a meaning to."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        line = _line(record.levelname, record.name, record.getMessage(), fields)
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return _encoder.encode(line).decode()


class JsonLines(logging.StreamHandler[TextIO]):
    """Writes JSON, of records and of what `log` has; to standard error without a stream."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream)
        self.setFormatter(JsonFormatter())

    def write(self, logger: str, lines: Iterable[Line]) -> None:
        """Write lines at once; report what goes wrong as `logging` does, and raise nothing."""
        text = b"".join([self._encoded(logger, line) for line in lines]).decode()
        try:
            self.acquire()  # of a stream without a buffer, others could write into a long line
            try:
                self.stream.write(text)
                self.stream.flush()
            finally:
                self.release()
        except Exception:  # noqa: BLE001  (an answer shall not depend on its line)
            self.handleError(logging.makeLogRecord({"name": logger, "msg": text}))

    def _encoded(self, logger: str, line: Line) -> bytes:
        try:
            severity = logging.getLevelName(line.level)
            return _encoder.encode(_line(severity, logger, line.message, line.fields)) + b"\n"
        except Exception:  # noqa: BLE001  (the same)
            self.handleError(logging.makeLogRecord({"name": logger, "msg": line.message}))
            return b""


#: Fields of a request's line that its message says already, or that only machines read.
_NOT_FOR_PEOPLE = {"event", "httpRequest", "method", "status", "route", "model_asked"}


class TextFormatter(logging.Formatter):
    """The same for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        hidden = _NOT_FOR_PEOPLE if fields.get("event") == "request" else {"event"}
        words = [record.levelname.lower(), _on_one_line(redact(record.getMessage()))]
        words += [
            f"{name}={value}"
            for name, value in fields.items()
            if value is not None and value is not False and name not in hidden
        ]
        if record.exc_info:
            words.append("\n" + redact(self.formatException(record.exc_info)))
        return " ".join(words)


def _on_one_line(text: str) -> str:
    """Show what does not print, such as a line's end in a path, instead of obeying it."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def configure(level: str, form: str | None, stream: TextIO | None = None) -> None:
    """Send every logger's lines to standard output, or to the stream that is given.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        form: `json` or `text`; None chooses text on a terminal.
        stream: for commands, whose standard output is their result.

    """
    stream = stream or sys.stdout
    handler: logging.Handler
    # There is none where it is closed.
    if form == "text" if form else stream is not None and stream.isatty():
        handler = logging.StreamHandler(stream)
        handler.setFormatter(TextFormatter())
    else:
        handler = JsonLines(stream)
    # Nothing below is in a line, and each is looked up for every line:
    # https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
