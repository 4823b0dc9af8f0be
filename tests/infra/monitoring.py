"""Reads what the monitoring in a plan refers to: log lines, their fields, metrics, labels."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from tests.infra.filters import METRICS, RESOURCES, Filter, Term, grouping_faults, terms
from tests.infra.terraform import values

#: Google's own metrics, by their names in PromQL:
#: https://cloud.google.com/monitoring/promql/promql-mapping
GOOGLES = {
    ":".join(re.sub(r"\W", "_", part) for part in kind.split("/", 1)): metric
    for kind, metric in METRICS.items()
}
_OWN = "logging_googleapis_com:user_"
_PARTS = ("_bucket", "_sum", "_count")  # of a distribution, in PromQL
#: What the queries use of PromQL: https://prometheus.io/docs/prometheus/latest/querying/functions
_FUNCTIONS = {"sum", "rate", "increase", "histogram_quantile"}
_BETWEEN = {"and", "or", "unless"}

_EXTRACT = re.compile(r"EXTRACT\(jsonPayload\.(\w+)\)")
_SERIES = re.compile(r"([a-zA-Z]\w*(?::\w+)?)\{([^}]*)\}(\[[^\]]*\])?")
_PICKED = re.compile(r'(\w+)(=|!=)"([^"]*)"')
_GROUPED = re.compile(r"\bby \(([^)]*)\)")
_RANGE = re.compile(r"\[\d+[smhdw]\]")
_OVER_TIME = re.compile(r"\b(?:rate|increase)\($")
_LEGEND = re.compile(r"\$\{(\w+)\}")
_UNKNOWN_FILTER = re.compile(r'^ *filter += "(metric\.type(?:[^"\\]|\\.)*)"$', re.MULTILINE)
#: Labels of every point beside its metric's, and what tells a distribution's buckets apart
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

    @property
    def terms(self) -> list[Term]:
        """What its filter says of a line."""
        return [each for each in terms(self.filter) if each.of == "jsonPayload"]

    def counts(self, line: dict[str, Any]) -> bool:
        """Whether Cloud Logging would count this line."""
        return all(term.holds(line) for term in self.terms)


def _field(extractor: str) -> str:
    match = _EXTRACT.fullmatch(extractor)
    assert match, extractor
    return match[1]


class Query(NamedTuple):
    """A PromQL query of an alert or a chart, and what its legend names."""

    where: str
    promql: str
    legend: str = ""

    def faults(self, metrics: dict[str, LogMetric], own: Mapping[str, str]) -> Iterator[str]:
        """Say which metrics, labels, values and functions in it there are not."""
        known = set(_ALWAYS)
        for match in _SERIES.finditer(self.promql):
            name, picked, span = match.groups()
            labels = _labels_of(name, metrics)
            if labels is None:
                yield f"{self.where}: there is no metric {name}"
                continue
            known |= labels
            over_time = _OVER_TIME.search(self.promql[: match.start()]) is not None
            for fault in (*_picking_faults(name, picked, labels, own), *_span_faults(name, span)):
                yield f"{self.where}: {name}: {fault}"
            if over_time != (span is not None) or over_time != _is_counted(name):
                yield f"{self.where}: {name}: a rate is of what is counted, over a time"
        grouped = {
            label.strip() for group in _GROUPED.findall(self.promql) for label in group.split(",")
        }
        for label in grouped - known:
            yield f"{self.where}: nothing has the label {label}"
        for label in set(_LEGEND.findall(self.legend)) - grouped:
            yield f"{self.where}: the legend's {label} is summed away"
        for word in self._words() - _FUNCTIONS - _BETWEEN:
            yield f"{self.where}: {word} is nothing that is known here"

    def _words(self) -> set[str]:
        rest = _GROUPED.sub("", _SERIES.sub("0", self.promql))
        return set(re.findall(r"[A-Za-z_][\w:]*", rest))

    def uses(self) -> set[str]:
        return {name for name, *_ in _SERIES.findall(self.promql)}


def _picking_faults(
    name: str, picked: str, labels: set[str], own: Mapping[str, str]
) -> Iterator[str]:
    """Say what is wrong with what stands between a series' braces."""
    found = _PICKED.findall(picked)
    if ",".join(f'{label}{operator}"{value}"' for label, operator, value in found) != picked:
        yield f"{picked} cannot be read"
    for label, operator, value in found:
        if label in own:
            if (operator, value) != ("=", own[label]):
                yield f"{label} is {own[label]}, and not {value}"
        elif label not in labels:
            yield f"there is no label {label}"
        elif name in GOOGLES:
            yield from GOOGLES[name].faults(label, value)
    for label in own.keys() - {label for label, *_ in found}:
        yield f"without {label} it counts others', too"


def _span_faults(name: str, span: str | None) -> Iterator[str]:
    if span is not None and not _RANGE.fullmatch(span):
        yield f"{name}{span} is no time"


def _is_counted(series: str) -> bool:
    return series not in GOOGLES or GOOGLES[series].kind == "DELTA"


def _labels_of(series: str, metrics: dict[str, LogMetric]) -> set[str] | None:
    if series in GOOGLES:
        return set(GOOGLES[series].labels)
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


def filters(plan: dict[str, Any], text: str) -> list[Filter]:
    """Return every filter of a plan and of monitoring.tf's text, where what is not planned stands.

    A filter that names a check is not known before the check is made.
    """
    found = [
        Filter(each["name"], each["filter"], picks_lines=True)
        for each in values(plan, "google_logging_metric")
    ]
    for policy in values(plan, "google_monitoring_alert_policy"):
        for each in policy["conditions"]:
            found += [
                Filter(policy["display_name"], condition["filter"], picks_lines=lines)
                for kind, lines in (("condition_matched_log", True), ("condition_threshold", False))
                for condition in each[kind]
                if "filter" in condition
            ]
    found += [
        Filter("a condition", each.replace('\\"', '"'), picks_lines=False)
        for each in _UNKNOWN_FILTER.findall(text)
    ]
    for slo in values(plan, "google_monitoring_slo"):
        found += [
            Filter(slo["display_name"], ratio[name], picks_lines=False)
            for ratio in _ratios(slo)
            for name in ("total_service_filter", "bad_service_filter", "good_service_filter")
            if ratio[name]
        ]
    return found


def _ratios(slo: dict[str, Any]) -> list[dict[str, Any]]:
    return [ratio for sli in slo["request_based_sli"] for ratio in sli["good_total_ratio"]]


def faults(plan: dict[str, Any], text: str) -> list[str]:
    """Say what alerts, metrics, charts and objectives refer to that there is not.

    `text` is monitoring.tf's.
    """
    (service,) = values(plan, "google_cloud_run_v2_service")
    own = {"service_name": service["name"], "location": service["location"]}
    picked = {"service_name": service["name"], "monitored_resource": "cloud_run_revision"}
    metrics = log_metrics(plan)
    return [
        *(fault for each in filters(plan, text) for fault in each.faults(own)),
        *(fault for each in queries(plan) for fault in each.faults(metrics, picked)),
        *_objective_faults(plan, own),
        *_check_faults(plan),
    ]


def _objective_faults(plan: dict[str, Any], own: dict[str, str]) -> Iterator[str]:
    for slo in values(plan, "google_monitoring_slo"):
        for ratio in _ratios(slo):
            total = ratio["total_service_filter"].split(" AND ")
            parts = [ratio[f"{each}_service_filter"] for each in ("good", "bad")]
            if any(not set(total) < set(part.split(" AND ")) for part in parts if part):
                yield f"{slo['display_name']}: what is good or bad is no part of the total"
    for watched in values(plan, "google_monitoring_service"):
        for each in watched["basic_service"]:
            if (each["service_type"], each["service_labels"]) != ("CLOUD_RUN", own):
                yield f"{watched['display_name']}: a service of Cloud Run's has {own}"


def _check_faults(plan: dict[str, Any]) -> Iterator[str]:
    for check in values(plan, "google_monitoring_uptime_check_config"):
        for resource in check["monitored_resource"]:
            kind = resource["type"]
            if not resource["labels"].keys() <= RESOURCES.get(kind, set()):
                yield f"{check['display_name']}: no {kind} has the labels {resource['labels']}"
    for policy in values(plan, "google_monitoring_alert_policy"):
        for each in policy["conditions"]:
            for condition in each["condition_threshold"]:
                for way in condition["aggregations"]:
                    for fault in grouping_faults(way["group_by_fields"] or [], "uptime_url"):
                        yield f"{each['display_name']}: {fault}"
