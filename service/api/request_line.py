"""The one line that a request leaves in the log: every field of it, named as the dashboards do."""

import logging
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from litestar.types import HTTPScope

from service.api.guards import key_digest
from service.logs import Line, log, redact
from service.telemetry import RequestAtHand
from service.translation.usage import Tokens, to_tokens

logger = logging.getLogger("service.access")

#: Characters of a client's own words that are logged at most.
_LONGEST = 300
#: Asked every few seconds: what goes well is not worth a line.
_PROBES = frozenset({"/health", "/ready"})
_VARIES = re.compile(r"\{(\w+)\}")
_OK, _CLIENT_ERROR, _SERVER_ERROR = 200, 400, 500


def new_fields(request_id: str, method: str) -> dict[str, Any]:
    """Return the fields of a request of which nothing is known yet."""
    return {
        "event": "request",
        "httpRequest": None,
        "request_id": request_id,
        "method": method,
        "route": None,
        "status": None,
        "code": None,
        "model": None,
        "model_asked": None,
        "upstream": None,
        "fallback": None,
        "prompt_tokens": None,
        "completion_tokens": None,
        "reasoning_tokens": None,
        "cached_tokens": None,
        "first_byte_ms": None,
        "total_ms": None,
        "key": None,
        "stream": False,
        "client_gone": False,
    }


def complete(
    request: RequestAtHand,
    scope: HTTPScope,
    *,
    path: str,
    status: int,
    size: int,
) -> None:
    """Fill in what is known at the end of a request.

    Args:
        request: that has ended.
        scope: ASGI's, after routing.
        path: as the client asked for it.
        status: that went out.
        size: of the response's body, in bytes.

    """
    fields, headers = request.fields, request.headers
    if fields["status"] is None:
        fields["status"] = status
    request.quiet = path in _PROBES and fields["status"] == _OK
    fields["route"] = _route(scope)
    if fields["key"] is None:
        fields["key"] = key_digest(headers)
    first_byte, whole = request.first_byte_seconds, request.seconds
    if first_byte is not None:
        fields["first_byte_ms"] = round(first_byte * 1000, 1)
    fields["total_ms"] = round(whole * 1000, 1)
    _count_tokens(request)
    fields["httpRequest"] = {
        "requestMethod": fields["method"],
        "requestUrl": _said(path),
        "status": fields["status"],
        "latency": f"{whole:.3f}s",
        "userAgent": _said(headers.get(b"user-agent", b"").decode("latin-1")),
        "responseSize": str(size),
        "protocol": f"HTTP/{scope.get('http_version', '1.1')}",
    }
    request.headers = {}  # whoever keeps the request shall keep no key


@lru_cache(maxsize=256)
def _said(text: str) -> str:
    """Return a client's own words as they may be logged; most are said again and again."""
    return redact(text[:_LONGEST])


def _route(scope: HTTPScope) -> str | None:
    """Return the path's template, with the names that the handler gave to what varies.

    Litestar has one template for all the methods of a path, with those of one of the handlers.
    """
    template: str | None = scope.get("path_template")
    if template and "{" in template:
        names = iter(scope["path_params"])
        return _VARIES.sub(lambda found: f"{{{next(names, found[1])}}}", template)
    return template


def tokens_of(request: RequestAtHand) -> int:
    """Return how many tokens Google has counted for a request."""
    return sum(one.prompt + one.completion for one in _counts(request))


def _counts(request: RequestAtHand) -> list[Tokens]:
    """Return those of each of Google's answers that had some."""
    return [to_tokens(usage.latest) for usage in request.usages if usage.latest]


def _count_tokens(request: RequestAtHand) -> None:
    if counts := _counts(request):
        fields = request.fields
        fields["prompt_tokens"] = sum(one.prompt for one in counts)
        fields["completion_tokens"] = sum(one.completion for one in counts)
        fields["reasoning_tokens"] = sum(one.reasoning for one in counts)
        fields["cached_tokens"] = sum(one.cached for one in counts)


def write(requests: Iterable[RequestAtHand]) -> None:
    """Log requests that are complete."""
    log(logger, *[_line(request) for request in requests])


def _line(request: RequestAtHand) -> Line:
    fields = request.fields
    http, status = fields["httpRequest"], fields["status"]
    level = logging.INFO
    if request.quiet:
        level = logging.DEBUG
    elif status >= _SERVER_ERROR:
        level = logging.ERROR
    elif status >= _CLIENT_ERROR or fields["code"] is not None:
        level = logging.WARNING
    message = f"{http['requestMethod']} {http['requestUrl']} {status}"
    return Line(level, message, fields | request.trace_fields)
