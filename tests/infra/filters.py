"""Filters of Cloud Logging and Cloud Monitoring, held against what Google says there is."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

#: The labels of the kinds of things that are watched:
#: https://cloud.google.com/monitoring/api/resources, #tag_cloud_run_revision and #tag_uptime_url
RESOURCES = {
    "cloud_run_revision": {
        *("project_id", "service_name", "revision_name", "location", "configuration_name")
    },
    "uptime_url": {"project_id", "host"},
}
#: What each is told apart by, without which others' would count, too.
_TOLD_APART_BY = {"cloud_run_revision": "service_name"}

_ANY = r".+"


class Metric(NamedTuple):
    """A metric of Google's: what it is of, its labels with patterns of their values, its kind."""

    of: str
    labels: dict[str, str]
    kind: Literal["DELTA", "GAUGE"]

    def faults(self, label: str, value: str) -> Iterator[str]:
        """Say whether there is no such label, or it is never that."""
        if label not in self.labels:
            yield f"there is no label {label}"
        elif not re.fullmatch(self.labels[label], value):
            yield f"{label} is never {value!r}"


#: Those that are used: https://cloud.google.com/monitoring/api/metrics_gcp, by what they begin with
METRICS = {
    "run.googleapis.com/request_count": Metric(
        "cloud_run_revision", {"response_code": r"\d{3}", "response_code_class": "[1-5]xx"}, "DELTA"
    ),
    "run.googleapis.com/container/instance_count": Metric(
        "cloud_run_revision", {"state": "active|idle"}, "GAUGE"
    ),
    "monitoring.googleapis.com/uptime_check/check_passed": Metric(
        "uptime_url",
        {
            "checker_location": _ANY,
            "checked_resource_id": _ANY,
            # Google makes it up, so that only a reference to a check can be right
            "check_id": r"\$\{google_monitoring_uptime_check_config\.ready\[0\]\.uptime_check_id\}",
        },
        "GAUGE",
    ),
}

_TERM = re.compile(
    r"(?P<of>resource|metric|jsonPayload)\.(?P<field>type|(?<=Payload\.)\w+|labels?\.\w+)"
    r"(?P<operator>>=|=)(?P<value>.+)"
)
_TEXTS = re.compile(r'"[^"]*"|\("[^"]*"(?: OR "[^"]*")+\)')
_TEXT = re.compile(r'"([^"]*)"')


class Term(NamedTuple):
    """A condition: a field is one of several texts, or has a least number."""

    of: str
    field: str
    texts: list[str]
    least: float | None

    def holds(self, line: dict[str, Any]) -> bool:
        """Whether it holds for what a line of the log says in JSON."""
        value = line.get(self.field)
        if self.least is not None:
            return isinstance(value, int | float) and value >= self.least
        return value in self.texts

    @property
    def label(self) -> str | None:
        """The label of a resource or metric that it is about, if any."""
        kind, _, name = self.field.partition(".")
        return name if self.of != "jsonPayload" and kind in ("label", "labels") else None


def terms(text: str) -> list[Term]:
    """Read a filter. Raise `ValueError` if it has another form than those that are used here."""
    return [_term(each) for each in text.split(" AND ")]


def _term(text: str) -> Term:
    match = _TERM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is in none of the forms that are used here")
    of, field, operator, value = match.group("of", "field", "operator", "value")
    if operator == ">=":
        return Term(of, field, [], float(value))
    if not _TEXTS.fullmatch(value):
        raise ValueError(f"{value} is neither a text nor several")
    return Term(of, field, _TEXT.findall(value), None)


class Filter(NamedTuple):
    """A filter, where it stands, and whether it picks lines of a log or points of a metric."""

    where: str
    text: str
    picks_lines: bool

    def faults(self, own: Mapping[str, str]) -> Iterator[str]:
        """Say what in it there is not. `own` are the labels of what is watched, where known."""
        try:
            found = terms(self.text)
        except ValueError as error:
            yield f"{self.where}: {error}"
            return
        for fault in (*_resource_faults(found, own), *self._subject_faults(found)):
            yield f"{self.where}: {fault}"

    def _subject_faults(self, found: list[Term]) -> Iterator[str]:
        about = [each for each in found if each.of != "resource"]
        if self.picks_lines:
            if {each.of for each in about} != {"jsonPayload"}:
                yield "it picks lines by something else than what they say"
            return
        (kind,) = _type_of(found, "metric") or ("",)
        metric = METRICS.get(kind)
        if metric is None:
            yield f"there is no metric {kind}"
            return
        if [metric.of] != _type_of(found, "resource"):
            yield f"{kind} is of {metric.of}"
        for each in about:
            if each.label is not None:
                for value in each.texts:
                    yield from metric.faults(each.label, value)
            elif each.of == "jsonPayload":
                yield f"a metric has no field {each.field}"
        if "check_id" in metric.labels and "check_id" not in {each.label for each in about}:
            yield "it counts other checks, too"


def _resource_faults(found: list[Term], own: Mapping[str, str]) -> Iterator[str]:
    (kind,) = _type_of(found, "resource") or ("",)
    if kind not in RESOURCES:
        yield f"there is no resource {kind}"
        return
    labels = {each.label: each for each in found if each.of == "resource" and each.label}
    for label, term in labels.items():
        if label not in RESOURCES[kind]:
            yield f"a {kind} has no label {label}"
        elif label in own and term.texts != [own[label]]:
            yield f"{label} is {own[label]}, and not {term.texts}"
    if (needed := _TOLD_APART_BY.get(kind)) and needed not in labels:
        yield f"without {needed} it counts others', too"


def _type_of(found: list[Term], of: str) -> list[str]:
    return [text for each in found if (each.of, each.field) == (of, "type") for text in each.texts]


def grouping_faults(fields: list[str], kind: str) -> Iterator[str]:
    """Say which fields that points are grouped by a resource has not."""
    for field in fields:
        match = re.fullmatch(r"resource\.labels?\.(\w+)", field)
        if match is None or match[1] not in RESOURCES[kind]:
            yield f"a {kind} has no {field}"
