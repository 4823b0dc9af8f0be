"""Which trace a request belongs to: W3C's header, or the older one of Google's front ends.

https://www.w3.org/TR/trace-context/, https://cloud.google.com/trace/docs/trace-context
"""

import re
from collections.abc import Mapping

from service.telemetry import Trace

_PARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?:-.*)?"
)
_CLOUD = re.compile(
    rb"(?P<trace>[0-9a-fA-F]{32})(?:/(?P<span>\d{1,20}))?(?:;o=(?P<options>\d))?", re.ASCII
)
_LARGEST_SPAN = 2**64


def trace_of(headers: Mapping[bytes, bytes]) -> Trace | None:
    """Read the trace from a request's headers, `traceparent` first; None if there is none."""
    if (value := headers.get(b"traceparent")) and (match := _PARENT.fullmatch(value.strip())):
        trace, span = match["trace"].decode(), match["span"].decode()
        if int(trace, 16) and int(span, 16):
            return Trace(trace, span, sampled=bool(int(match["flags"], 16) & 1))
    if (value := headers.get(b"x-cloud-trace-context")) and (match := _CLOUD.fullmatch(value)):
        trace, number = match["trace"].decode().lower(), int(match["span"] or 0)
        if int(trace, 16):
            span = f"{number:016x}" if 0 < number < _LARGEST_SPAN else None
            return Trace(trace, span, sampled=match["options"] in (b"1", b"3"))
    return None
