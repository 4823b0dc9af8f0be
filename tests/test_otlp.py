"""Traces and metrics to a collector, when it is asked for."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service import background
from tests.conftest import StartGateway
from tests.gateway import API_KEY, HELLO, AccessLog, Gateway, send
from tests.otlp_collector import OtlpCollector, attributes
from tests.processes import ENOUGH, ROOT
from tests.simulators.google import Google
from tests.simulators.replies import answer, chunks, error

PATH = "/v1/chat/completions"
SPAN = f"POST {PATH}"
STREAM = HELLO | {"stream": True}
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"  # pragma: allowlist secret
CLOUD_RUN = {"k_service": "gateway", "token_cache": "memory", "google_cloud_project": "my-project"}


@pytest.fixture
def collector() -> Iterator[OtlpCollector]:
    with OtlpCollector() as collector:
        yield collector


@pytest.fixture
def traced(start_gateway: StartGateway, collector: OtlpCollector) -> Gateway:
    """A gateway whose CPU would stop between requests."""
    return start_gateway(otel_exporter_otlp_endpoint=collector.url, **CLOUD_RUN)


def post(gateway: Gateway, body: dict[str, Any] = HELLO, **headers: str) -> httpx.Response:
    with gateway.client() as client:
        return client.post(PATH, json=body, headers=headers)


@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "stream"])
def test_a_request_is_a_span_with_its_steps(
    traced: Gateway, collector: OtlpCollector, access_log: AccessLog, body: dict[str, Any]
) -> None:
    post(traced, body, traceparent=f"00-{TRACE}-{PARENT}-01")
    (span,) = collector.wait_for(SPAN)
    assert span.trace_id.hex() == TRACE
    assert span.parent_span_id.hex() == PARENT
    line = access_log.wait_for(path=PATH)
    assert attributes(span) == {
        "http.request.method": "POST",
        "http.route": PATH,
        "http.response.status_code": 200,
        "gen_ai.request.model": "gemini-2.5-flash",
        "gen_ai.response.model": "gemini-2.5-flash",
        "gen_ai.usage.input_tokens": line["prompt_tokens"],
        "gen_ai.usage.output_tokens": line["completion_tokens"],
        "gateway.reasoning_tokens": 0,
        "gateway.cached_tokens": 0,
        "gateway.upstream": "code_assist",
        "gateway.fallback": False,
        "gateway.stream": body is STREAM,
        "gateway.client_gone": False,
        "gateway.request_id": line["request_id"],
    }
    took = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
    assert took == pytest.approx(line["total_ms"], abs=0.1)
    (event,) = span.events
    assert event.name == "first byte"
    first = (event.time_unix_nano - span.start_time_unix_nano) / 1e6
    assert first == pytest.approx(line["first_byte_ms"], abs=0.1)
    for name in ("upstream", "refresh"):
        (step,) = collector.wait_for(name)
        assert step.parent_span_id == span.span_id
        assert span.start_time_unix_nano <= step.start_time_unix_nano
        assert step.end_time_unix_nano <= span.end_time_unix_nano
    assert attributes(collector.wait_for("upstream")[0]) == {
        "upstream": "code_assist",
        "model": "gemini-2.5-flash",
    }


def test_each_try_is_a_step_and_says_how_it_failed(
    traced: Gateway, google: Google, collector: OtlpCollector
) -> None:
    google.script(error(503))
    post(traced)
    first, second = sorted(
        collector.wait_for("upstream", 2), key=lambda one: one.start_time_unix_nano
    )
    assert attributes(first)["error.type"] == "server_is_overloaded"
    assert "error.type" not in attributes(second)


def test_a_stream_that_breaks_off_has_failed(
    traced: Gateway, google: Google, collector: OtlpCollector
) -> None:
    said = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hel"}]}}]}
    google.script(chunks([said], then=error(503)))
    post(traced, STREAM)
    (span,) = collector.wait_for(SPAN)
    assert attributes(span)["error.type"] == "server_is_overloaded"
    assert span.status.code == span.status.STATUS_CODE_ERROR


def test_log_lines_name_the_span(
    traced: Gateway, collector: OtlpCollector, access_log: AccessLog
) -> None:
    post(traced)
    (span,) = collector.wait_for(SPAN)
    line = access_log.wait_for(path=PATH)
    assert not span.parent_span_id
    assert line["logging.googleapis.com/spanId"] == span.span_id.hex()
    trace = f"projects/my-project/traces/{span.trace_id.hex()}"
    assert line["logging.googleapis.com/trace"] == trace


def test_what_is_not_sampled_is_counted_only(traced: Gateway, collector: OtlpCollector) -> None:
    post(traced, traceparent=f"00-{TRACE}-{PARENT}-00")
    collector.wait_for_metric("gateway_requests")
    assert collector.spans == []


def test_metrics_are_the_same_as_for_prometheus(traced: Gateway, collector: OtlpCollector) -> None:
    post(traced)
    requests = collector.wait_for_metric("gateway_requests")
    (point,) = requests.sum.data_points
    assert requests.sum.is_monotonic
    assert point.as_int == 1 or point.as_double == 1
    assert attributes(point) == {
        "route": PATH,
        "method": "POST",
        "status": "200",
        "code": "",
        "model": "gemini-2.5-flash",
        "upstream": "code_assist",
    }
    (first,) = collector.metrics["gateway_first_byte_seconds"].histogram.data_points
    assert first.count == sum(first.bucket_counts) == 1
    assert len(first.bucket_counts) == len(first.explicit_bounds) + 1
    assert first.sum > 0
    tokens = collector.metrics["gateway_tokens"].sum.data_points
    assert {attributes(one)["kind"] for one in tokens} == {
        "prompt",
        "completion",
        "reasoning",
        "cached",
    }
    assert set(collector.metrics) == {
        "gateway_requests",
        "gateway_first_byte_seconds",
        "gateway_request_seconds",
        "gateway_tokens",
        "gateway_token_refreshes",
        "gateway_streams_open",
    }


def test_no_prompt_answer_or_secret_is_sent(
    traced: Gateway, google: Google, collector: OtlpCollector
) -> None:
    google.script(answer("quokkas"))
    post(traced, STREAM)
    collector.wait_for(SPAN)
    for secret in ("Hello", "quokkas", API_KEY, "sim-refresh", "ya29", google.client_secret):
        assert secret.encode() not in collector.raw


def test_a_slow_collector_holds_nothing_up_but_the_end(
    traced: Gateway, collector: OtlpCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "LONGEST_WAIT", 0.3)
    post(traced)  # the first sending imports what it needs
    collector.wait_for(SPAN)
    collector.slow.clear()
    with socket.create_connection(traced.address, timeout=20) as connection:
        send(connection, STREAM)
        received = b""
        while b"data: [DONE]\n\n" not in received:
            received += connection.recv(65536)
        told = time.monotonic()
        assert not received.endswith(b"0\r\n\r\n")
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(65536)
        assert time.monotonic() - told < 0.3 + 1.0
    collector.slow.set()


def test_elsewhere_nothing_is_held_back_and_the_end_sends_what_is_left(
    google: Google, start_gateway: StartGateway, collector: OtlpCollector
) -> None:
    del google
    gateway = start_gateway(otel_exporter_otlp_endpoint=collector.url + "/")
    post(gateway)
    assert collector.spans == []
    gateway.__exit__()
    collector.wait_for(SPAN)
    (resource,) = collector.resources
    assert resource["service.name"] == "gemini-openai-gateway"


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=ENOUGH | {"GEMINI_API_KEY": "x", "OPENAI_API_KEY": "sk-test"} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_the_extra_the_start_stops_and_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None;"
        "from service.__main__ import main; sys.exit(main([]))"
    )
    done = run(code, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")
    assert done.returncode == 78
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in done.stderr
    assert "pip install '.[otlp]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:4318"], ids=["off", "on"])
def test_the_start_waits_for_none_of_the_libraries(endpoint: str) -> None:
    slow = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http", "prometheus_client")
    code = (
        "import sys; from service import settings; from service.app import create_app;"
        f"create_app(settings.load()); print([one for one in {slow} if one in sys.modules])"
    )
    done = run(code, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
