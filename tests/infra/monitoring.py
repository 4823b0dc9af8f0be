"""Reads what the monitoring in a plan refers to: log lines, their fields, metrics, labels."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from tests.infra.terraform import values

#: Google's own metrics, with the labels that are used.
GOOGLES = {
    "run_googleapis_com:request_count": {"response_code_class"},
    "run_googleapis_com:container_instance_count": {"state"},
}
_OWN = "logging_googleapis_com:user_"
_PARTS = ("_bucket", "_sum", "_count")  # of a distribution, in PromQL

_TERM = re.compile(r"jsonPayload\.(\w+)(=|>=)(.+)")
_VALUE = re.compile(r'"([^"]*)"')
_EXTRACT = re.compile(r"EXTRACT\(jsonPayload\.(\w+)\)")
_SERIES = re.compile(r"(\w+_googleapis_com:\w+)\{([^}]*)\}")
_PICKED = re.compile(r'(\w+)!?="')
_GROUPED = re.compile(r"\bby \(([^)]*)\)")
_LEGEND = re.compile(r"\$\{(\w+)\}")
#: Labels of the resource, and what tells a distribution's buckets apart
_ALWAYS = {"monitored_resource", "service_name", "le"}


class LogMetric:
    """A log-based metric: lines that are counted, or numbers in them that are collected."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.name: str = given["name"]
        self.filter: str = given["filter"]
        self.labels: dict[str, str] = {
            label: _field(extractor) for label, extractor in given["label_extractors"].items()
        }
        extractor = given["value_extractor"]
        self.value = _field(extractor) if extractor else None
        (descriptor,) = given["metric_descriptor"]
        self.described = {each["key"] for each in descriptor["labels"]}
        self.is_distribution = descriptor["value_type"] == "DISTRIBUTION"
        self.terms = [_term(each) for each in self.filter.split(" AND ") if "resource." not in each]

    def counts(self, line: dict[str, Any]) -> bool:
        """Whether Cloud Logging would count this line."""
        return all(term.holds(line) for term in self.terms)


class Term(NamedTuple):
    """A condition on a field: one of several texts, or a least number."""

    field: str
    texts: list[str]
    least: float | None

    def holds(self, line: dict[str, Any]) -> bool:
        value = line.get(self.field)
        if self.least is not None:
            return isinstance(value, int | float) and value >= self.least
        return value in self.texts


def _term(text: str) -> Term:
    match = _TERM.fullmatch(text)
    assert match, f"{text} is in none of the forms that are used here"
    field, operator, value = match.groups()
    if operator == ">=":
        return Term(field, [], float(value))
    return Term(field, _VALUE.findall(value), None)


def _field(extractor: str) -> str:
    match = _EXTRACT.fullmatch(extractor)
    assert match, extractor
    return match[1]


class Query(NamedTuple):
    """A PromQL query of an alert or a chart, and what its legend names."""

    where: str
    promql: str
    legend: str = ""

    def faults(self, metrics: dict[str, LogMetric]) -> Iterator[str]:
        """Say which metrics and labels in it there are not."""
        known = set(_ALWAYS)
        for name, picked in _SERIES.findall(self.promql):
            labels = _labels_of(name, metrics)
            if labels is None:
                yield f"{self.where}: there is no metric {name}"
            else:
                known |= labels
                for label in set(_PICKED.findall(picked)) - labels - _ALWAYS:
                    yield f"{self.where}: {name} has no label {label}"
        grouped = {
            label.strip() for group in _GROUPED.findall(self.promql) for label in group.split(",")
        }
        for label in grouped - known:
            yield f"{self.where}: nothing has the label {label}"
        for label in set(_LEGEND.findall(self.legend)) - grouped:
            yield f"{self.where}: the legend's {label} is summed away"

    def uses(self) -> set[str]:
        return {name for name, _ in _SERIES.findall(self.promql)}


def _labels_of(series: str, metrics: dict[str, LogMetric]) -> set[str] | None:
    if series in GOOGLES:
        return GOOGLES[series]
    metric = metric_of(series, metrics)
    return None if metric is None else set(metric.labels)


def metric_of(series: str, metrics: dict[str, LogMetric]) -> LogMetric | None:
    """Return the log-based metric that a time series in PromQL comes from, if there is one."""
    by_series = {
        _OWN + re.sub(r"\W", "_", metric.name) + part: metric
        for metric in metrics.values()
        for part in (_PARTS if metric.is_distribution else ("",))
    }
    return by_series.get(series)


def log_metrics(plan: dict[str, Any]) -> dict[str, LogMetric]:
    found = [LogMetric(each) for each in values(plan, "google_logging_metric")]
    return {each.name: each for each in found}


def queries(plan: dict[str, Any]) -> list[Query]:
    """Return every query in PromQL: those of the alerts, and those of the dashboard."""
    found = [
        Query(policy["display_name"], condition["query"])
        for policy in values(plan, "google_monitoring_alert_policy")
        for each in policy["conditions"]
        for condition in each["condition_prometheus_query_language"]
    ]
    (dashboard,) = values(plan, "google_monitoring_dashboard")
    for tile in msgspec.json.decode(dashboard["dashboard_json"])["mosaicLayout"]["tiles"]:
        widget = tile["widget"]
        for each in widget["xyChart"]["dataSets"]:
            query = each["timeSeriesQuery"]["prometheusQuery"]
            found.append(Query(widget["title"], query, each["legendTemplate"]))
    return found
