"""Requests as spans and counts as metrics, in OpenTelemetry's words. Slow to import.

Both are put together when they are sent, from what the log line says as well; there is no tracer
that would have to be asked while an answer is on its way. No prompt, answer or key is in them.
"""

import secrets
import time
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from service import __version__
from service.background import LONGEST_WAIT
from service.metrics import BOUNDS, Family, Point
from service.telemetry import RequestAtHand, Step

_NAME = "gemini-openai-gateway"
_SCOPE = InstrumentationScope(_NAME, __version__)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_CUMULATIVE = AggregationTemporality.CUMULATIVE
_NANOSECONDS = 1_000_000_000
_SERVER_ERROR = 500

#: Fields of the log line, and what a span calls them: OpenTelemetry's word where it has one.
_ATTRIBUTES = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "code": "error.type",
    "model_asked": "gen_ai.request.model",
    "model": "gen_ai.response.model",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "reasoning_tokens": "gateway.reasoning_tokens",
    "cached_tokens": "gateway.cached_tokens",
    "upstream": "gateway.upstream",
    "fallback": "gateway.fallback",
    "stream": "gateway.stream",
    "client_gone": "gateway.client_gone",
    "request_id": "gateway.request_id",
}


class Collector:
    """Sends to one collector. What it cannot send is logged by OpenTelemetry's library, and lost.

    Args:
        endpoint: of the collector, without the signal's path. OpenTelemetry's other variables, such
            as `OTEL_EXPORTER_OTLP_HEADERS`, mean what they always do.

    """

    def __init__(self, endpoint: str) -> None:
        base = endpoint.rstrip("/")
        session = _session(base)
        self._spans = OTLPSpanExporter(
            endpoint=f"{base}/v1/traces", timeout=LONGEST_WAIT, session=session
        )
        self._metrics = OTLPMetricExporter(
            endpoint=f"{base}/v1/metrics", timeout=LONGEST_WAIT, session=session
        )
        ours = {
            "service.name": _NAME,
            "service.version": __version__,
            "service.instance.id": str(uuid.uuid4()),
        }
        self._resource = Resource(ours).merge(OTELResourceDetector().detect())

    def send(
        self, requests: Sequence[RequestAtHand], families: Sequence[Family], since: float
    ) -> None:
        """Send spans of these requests, and the metrics as they are now."""
        if spans := [span for request in requests for span in spans_of(request, self._resource)]:
            self._spans.export(spans)
        began, now = round(since * _NANOSECONDS), time.time_ns()
        metrics = [_metric(family, began, now) for family in families if family.points]
        scope = ScopeMetrics(_SCOPE, metrics, "")
        self._metrics.export(MetricsData([ResourceMetrics(self._resource, [scope], "")]))


def _session(endpoint: str) -> Any:
    """Return a session in the name of the service's own identity, if the collector is Google's."""
    host = urlsplit(endpoint).hostname or ""
    if not host.endswith(".googleapis.com"):
        return None
    import google.auth  # noqa: PLC0415  (only there)
    from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415

    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]


def spans_of(request: RequestAtHand, resource: Resource) -> list[ReadableSpan]:
    """Return the span of a request that has ended, and those of its steps."""
    trace, span = request.trace, request.span
    if trace is None or span is None:
        return []

    def moment(seconds: float) -> int:
        return request.time_ns + round((seconds - request.began) * _NANOSECONDS)

    def context(span_id: str, *, remote: bool = False) -> SpanContext:
        return SpanContext(int(trace.id, 16), int(span_id, 16), remote, _SAMPLED)

    def child(step: Step) -> ReadableSpan:
        return ReadableSpan(
            step.name,
            context(secrets.token_hex(8)),
            own,
            resource,
            {**step.attributes, **({"error.type": step.code} if step.code else {})},
            kind=SpanKind.CLIENT,
            status=Status(StatusCode.ERROR if step.code else StatusCode.UNSET),
            start_time=moment(step.began),
            end_time=moment(step.ended),
            instrumentation_scope=_SCOPE,
        )

    own = context(span)
    fields = request.fields
    failed = fields["status"] >= _SERVER_ERROR or (fields["code"] and fields["status"] < 400)  # noqa: PLR2004
    first = request.answer_began
    server = ReadableSpan(
        f"{fields['method']} {fields['route'] or ''}".strip(),
        own,
        None if trace.parent is None else context(trace.parent, remote=True),
        resource,
        {
            name: fields[field]
            for field, name in _ATTRIBUTES.items()
            if fields.get(field) is not None
        },
        events=[] if first is None else [Event("first byte", timestamp=moment(first))],
        kind=SpanKind.SERVER,
        status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
        start_time=request.time_ns,
        end_time=moment(request.began + request.seconds),
        instrumentation_scope=_SCOPE,
    )
    return [server, *map(child, list(request.steps))]


def _metric(family: Family, began: int, now: int) -> Metric:
    def number(point: Point) -> NumberDataPoint:
        attributes = dict(zip(family.labels, point.labels, strict=True))
        return NumberDataPoint(attributes, began, now, point.value)

    def distribution(point: Point) -> HistogramDataPoint:
        unknown: Any = None  # the least and the most since the start tell nobody anything
        return HistogramDataPoint(
            attributes=dict(zip(family.labels, point.labels, strict=True)),
            start_time_unix_nano=began,
            time_unix_nano=now,
            count=sum(point.counts),
            sum=point.value,
            bucket_counts=point.counts,
            explicit_bounds=BOUNDS,
            min=unknown,
            max=unknown,
        )

    data: Sum | Gauge | Histogram
    match family.kind:
        case "counter":
            data = Sum([number(point) for point in family.points], _CUMULATIVE, is_monotonic=True)
        case "gauge":
            data = Gauge([number(point) for point in family.points])
        case "histogram":
            data = Histogram([distribution(point) for point in family.points], _CUMULATIVE)
    return Metric(family.name, family.help, _UNITS.get(family.unit, family.unit), data)


_UNITS = {"seconds": "s"}
