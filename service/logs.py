"""JSON lines for Cloud Logging, what belongs to the request at hand, redaction.

No prompt, answer or secret is ever given to a logger. Redaction is the second fence, for text that
comes from elsewhere: Google's messages and exceptions.
"""

import logging
import re
import sys
from contextvars import ContextVar
from typing import Any, TextIO

import msgspec

#: What is known of the request at hand; ends in its log line. Filled by whoever learns it.
request_fields: ContextVar[dict[str, Any]] = ContextVar("request_fields")

_SECRETS = re.compile(
    r"ya29\.[\w.-]+"  # access tokens
    r"|AIza[\w-]{10,}"  # API keys
    r"|1//[\w-]{5,}"  # refresh tokens
    r"|GOCSPX-[\w-]+"  # client secrets
    r"|(?<=[Bb]earer )[\w.~+/-]{8,}=*"
    r"|(?<=project_number:)\d+|(?<=projects/)\d{6,}|(?<=project[ =])\d{6,}"
    r"|(?:https?:)?//[\w.-]*googleapis\.com[^\s'\"]*"  # names of Google's own resources
)


def redact(text: str) -> str:
    """Return the text without what looks like a credential or names Google's own resources."""
    return _SECRETS.sub("[redacted]", text)


def annotate(**fields: Any) -> None:
    """Add to the log line of the request at hand; does nothing outside of one."""
    if (known := request_fields.get(None)) is not None:
        known.update(fields)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the field names that Cloud Logging gives a meaning to."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "severity": record.levelname,
            "message": redact(record.getMessage()),
            "logger": record.name,
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return msgspec.json.encode(line, enc_hook=str).decode()


class TextFormatter(logging.Formatter):
    """The same for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        words = [record.levelname.lower(), redact(record.getMessage())]
        words += [f"{name}={value}" for name, value in fields.items() if value is not None]
        if record.exc_info:
            words.append("\n" + redact(self.formatException(record.exc_info)))
        return " ".join(words)


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
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
