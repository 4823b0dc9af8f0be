"""`GET /metrics`: what Prometheus scrapes, in its own text format or in OpenMetrics'."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import SkipValidation

from service.api.documentation import ERRORS, GUARDED
from service.interfaces import Gateway
from service.metrics import BOUNDS, Family


class MetricsController(Controller):
    path = "/metrics"
    tags = ["Service"]

    @get(
        summary="Count requests, times and tokens for Prometheus",
        media_type="text/plain",
        responses={
            200: ResponseSpec(str, generate_examples=False, media_type="text/plain"),
            **GUARDED,
            403: ERRORS[403],
        },
    )
    async def index(
        self,
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> Response[bytes]:
        """Answer with the numbers of this instance since its start."""
        families = gateway.metrics.families()
        accept = request.headers.get("accept", "")
        content, content_type = await asyncio.to_thread(written, families, accept)
        return Response(content, media_type=content_type)


def written(families: Sequence[Family], accept: str) -> tuple[bytes, str]:
    """Write metrics in the format that is asked for; return it with its content type. Slow."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415  (a third of a second)
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415
    from prometheus_client.metrics_core import (  # noqa: PLC0415
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
    from prometheus_client.registry import Collector  # noqa: PLC0415

    def metric(family: Family) -> Metric:
        if family.kind == "histogram":
            histogram = HistogramMetricFamily(
                family.name, family.help, labels=family.labels, unit=family.unit
            )
            for labels, total, counts in family.points:
                histogram.add_metric(labels, _buckets(counts), total)
            return histogram
        kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
        plain = kind(family.name, family.help, labels=family.labels, unit=family.unit)
        for labels, value, _ in family.points:
            plain.add_metric(labels, value)
        return plain

    class Collected(Collector):
        def collect(self) -> Iterable[Metric]:
            return map(metric, families)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collected())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _buckets(counts: Sequence[int]) -> list[tuple[str, float]]:
    names = [*(str(float(bound)) for bound in BOUNDS), "+Inf"]
    return list(zip(names, map(float, accumulate(counts)), strict=True))
