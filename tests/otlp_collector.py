"""A collector of OpenTelemetry's, as a real server on loopback: it decodes, and remembers."""

import gzip
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_MESSAGES: Mapping[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
}


class OtlpCollector:
    """`with OtlpCollector() as collector`: listens until the end of the block.

    As long as `slow` is not set, nothing is answered.
    """

    def __init__(self) -> None:
        self.slow = threading.Event()
        self.slow.set()
        self._arrival = threading.Condition()
        self.spans: list[Any] = []
        self.resources: list[Mapping[str, Any]] = []
        self.metrics: dict[str, Any] = {}
        self.raw = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    content = gzip.decompress(content)
                collector.take(self.path, content)
                collector.slow.wait(20)
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.slow.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, path: str, content: bytes) -> None:
        message = _MESSAGES[path].FromString(content)
        with self._arrival:
            self.raw += content
            for resource in [*getattr(message, "resource_spans", [])]:
                self.resources.append(attributes(resource.resource))
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            for resource in [*getattr(message, "resource_metrics", [])]:
                for scope in resource.scope_metrics:
                    self.metrics |= {metric.name: metric for metric in scope.metrics}
            self._arrival.notify_all()

    def wait_for(self, name: str, count: int = 1) -> Sequence[Any]:
        """Return the spans of this name; fail if there are not so many within five seconds."""

        def found() -> list[Any]:
            return [span for span in self.spans if span.name == name]

        with self._arrival:
            arrived = self._arrival.wait_for(lambda: len(found()) >= count, timeout=5)
        assert arrived, f"{count} of {name} were not sent, but {[one.name for one in self.spans]}"
        return found()

    def wait_for_metric(self, name: str) -> Any:
        with self._arrival:
            assert self._arrival.wait_for(lambda: name in self.metrics, timeout=5), name
        return self.metrics[name]


def attributes(thing: Any) -> dict[str, Any]:
    """Return the attributes of a span, a resource or a point."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in thing.attributes}
