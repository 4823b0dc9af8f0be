"""JSON lines for Cloud Logging, readable ones for a terminal, redaction.

No prompt, answer or secret is ever given to a logger. Redaction is the second fence, for text that
comes from elsewhere: Google's messages, exceptions, a client's own words about itself.
"""

import functools
import logging
import re
import sys
from typing import Any, TextIO

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
    logger.log(level, message, extra={"fields": {"event": event, **fields}})
    happened(event, fields)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the field names that Cloud Logging gives a meaning to."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "severity": record.levelname,
            "message": _redacted(record.getMessage()),
            "logger": record.name,
        }
        line |= getattr(record, "fields", {})
        if (request := request_at_hand.get(None)) is not None:
            line |= request.trace_fields
            line["request_id"] = request.fields.get("request_id")
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return msgspec.json.encode(line, enc_hook=str).decode()


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
    handler = logging.StreamHandler(stream)
    text = form == "text" if form else stream.isatty()
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    # Nothing below is in a line, and each is looked up for every line:
    # https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
