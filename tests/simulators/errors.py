"""Google's errors: the JSON body, its details, and the HTML page of the front end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.simulators.calls import Call
from tests.simulators.rendering import JSON, headers, pretty
from tests.simulators.wire import Headers, Reply, phrase

Detail = dict[str, Any]

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_MESSAGES = {
    400: "Request contains an invalid argument.",
    404: "Requested entity was not found.",
    429: "Resource has been exhausted (e.g. check quota).",
    499: "The operation was cancelled.",
    500: "Internal error encountered.",
    503: "The model is overloaded. Please try again later.",
    504: "Deadline expired before operation could complete.",
}


@dataclass(frozen=True)
class Error:
    """An answer with a `google.rpc.Status`; among the objects of a stream, an event with one."""

    code: int
    status: str
    message: str
    details: tuple[Detail, ...] = ()
    array: bool = False  # inside a list, as streaming methods often do
    content_type: str = JSON
    legacy_reason: str | None = None  # adds the older member `errors`
    headers: Headers = ()

    @property
    def value(self) -> Any:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.legacy_reason is not None:
            legacy = {"message": self.message, "domain": "global", "reason": self.legacy_reason}
            error["errors"] = [legacy]
        error["status"] = self.status
        if self.details:
            error["details"] = list(self.details)
        return [{"error": error}] if self.array else {"error": error}

    def __call__(self, call: Call) -> Reply:
        fields = (*headers(call, self.content_type), *self.headers)
        return Reply(self.code, fields, (pretty(self.value),))


class RefusedError(Exception):
    """Raised where a request is looked at; Google answers with the error in it."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.error = error

    def reply(self, call: Call) -> Reply:
        """Streaming methods wrap their errors in a list, except the Developer API's with SSE."""
        recorded = call.recorded
        bare = recorded.upstream == "gemini_api" and recorded.server_sent_events
        return replace(self.error, array=recorded.stream and not bare)(call)


def error(
    code: int,
    *,
    status: str | None = None,
    message: str | None = None,
    details: Sequence[Detail] = (),
    array: bool = False,
    content_type: str = JSON,
    legacy_reason: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Error:
    return Error(
        code,
        status or _STATUSES.get(code, "UNKNOWN"),
        message or _MESSAGES.get(code, "Something went wrong."),
        tuple(details),
        array,
        content_type,
        legacy_reason,
        tuple((headers or {}).items()),
    )


def page(status: int) -> Reply:
    """The HTML that Google's front end answers with when no API answers."""
    title = f"Error {status} ({phrase(status)})"
    body = (
        "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n"
        f"<title>{title}</title>\n<p><b>{status}.</b> <ins>That is an error.</ins>\n"
        "<p>The simulated front end could not pass this request on.\n"
    )
    return Reply(status, (("Content-Type", "text/html; charset=UTF-8"),), (body.encode(),))


def error_info(reason: str, domain: str = "googleapis.com", **metadata: str) -> Detail:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": domain}
    return info | ({"metadata": metadata} if metadata else {})


def retry_info(delay: str) -> Detail:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def quota_failure(**violation: Any) -> Detail:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}


def bad_request(violations: Sequence[tuple[str, str]]) -> Detail:
    listed = [
        ({"field": field} if field else {}) | {"description": text} for field, text in violations
    ]
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": listed}


def help_links(*links: tuple[str, str]) -> Detail:
    listed = [{"description": text, "url": url} for text, url in links]
    return {"@type": "type.googleapis.com/google.rpc.Help", "links": listed}


def localized(message: str) -> Detail:
    return {
        "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
        "locale": "en-US",
        "message": message,
    }
