"""Mistakes that somebody may make in a filter, a query or an objective: each is found."""

from typing import Any, NamedTuple

import msgspec
import pytest

from tests.infra.monitoring import faults
from tests.infra.terraform import INFRA


class Mistake(NamedTuple):
    """In what is planned, and in monitoring.tf, the first text is replaced by the second."""

    old: str
    new: str
    complaint: str


_QUOTE = '\\"'  # as it stands in a string, in JSON and in Terraform's files

MISTAKES = {
    "a resource that there is not": Mistake(
        f"resource.type={_QUOTE}cloud_run_revision",
        f"resource.type={_QUOTE}cloud_run_service",
        "there is no resource cloud_run_service",
    ),
    "a label that the resource has not": Mistake(
        "resource.labels.service_name", "resource.labels.service", "has no label service"
    ),
    "the same in the singular": Mistake(
        "resource.labels.service_name", "resource.label.service", "has no label service"
    ),
    "another service": Mistake(
        f"resource.labels.service_name={_QUOTE}gemini-gateway",
        f"resource.labels.service_name={_QUOTE}another",
        "service_name is gemini-gateway, and not ['another']",
    ),
    "every service": Mistake(
        f" AND resource.labels.service_name={_QUOTE}gemini-gateway{_QUOTE}",
        "",
        "without service_name it counts others', too",
    ),
    "a location in the service's place": Mistake(
        "resource.labels.service_name", "resource.labels.location", "location is us-central1"
    ),
    "a field of no kind": Mistake(
        "jsonPayload.event=", "textPayload.event=", "in none of the forms that are used here"
    ),
    "a text without its quotes": Mistake(
        f"jsonPayload.event={_QUOTE}request{_QUOTE}",
        "jsonPayload.event=request",
        "request is neither a text nor several",
    ),
    "a metric that there is not": Mistake(
        f"metric.type={_QUOTE}run.googleapis.com/request_count",
        f"metric.type={_QUOTE}run.googleapis.com/requests",
        "there is no metric run.googleapis.com/requests",
    ),
    "a class of codes that there is not, in the objective": Mistake(
        f"metric.labels.response_code_class={_QUOTE}5xx",
        f"metric.labels.response_code_class={_QUOTE}500",
        "response_code_class is never '500'",
    ),
    "a label that the metric has not": Mistake(
        "metric.labels.response_code_class", "metric.labels.code", "there is no label code"
    ),
    "a field of a line's in the objective": Mistake(
        "metric.labels.response_code_class", "jsonPayload.status", "a metric has no field status"
    ),
    "an objective of which all is bad": Mistake(
        f" AND metric.labels.response_code_class={_QUOTE}5xx{_QUOTE}", "", "no part of the total"
    ),
    "an objective for something else": Mistake(
        "CLOUD_RUN", "CLOUD_ENDPOINTS", "a service of Cloud"
    ),
    "another metric of checks": Mistake(
        "uptime_check/check_passed", "uptime_check/passed", "there is no metric monitoring."
    ),
    "another resource of checks": Mistake(
        f"resource.type={_QUOTE}uptime_url",
        f"resource.type={_QUOTE}cloud_run_revision",
        "check_passed is of uptime_url",
    ),
    "a check by another name": Mistake(
        "metric.labels.check_id", "metric.labels.check", "there is no label check"
    ),
    "a check by its display name": Mistake(
        "google_monitoring_uptime_check_config.ready[0].uptime_check_id",
        "google_monitoring_uptime_check_config.ready[0].display_name",
        "check_id is never",
    ),
    "every check": Mistake(
        f" AND metric.labels.check_id={_QUOTE}"
        f"${{google_monitoring_uptime_check_config.ready[0].uptime_check_id}}{_QUOTE}",
        "",
        "it counts other checks, too",
    ),
    "a group of what is not there": Mistake(
        "resource.label.host", "resource.label.hostname", "has no resource.label.hostname"
    ),
    "a check of something else": Mistake('"type":"uptime_url"', '"type":"url"', "no url has the"),
    "a series that there is not": Mistake(
        "run_googleapis_com:request_count",
        "run_googleapis_com:requests",
        "no metric run_googleapis",
    ),
    "a log-based metric that there is not": Mistake(
        "user_gemini_gateway_requests{",
        "user_gemini_gateway_request{",
        "there is no metric logging",
    ),
    "a class of codes that there is not": Mistake(
        f"response_code_class={_QUOTE}5xx{_QUOTE}}}[",
        f"response_code_class={_QUOTE}5XX{_QUOTE}}}[",
        "response_code_class is never '5XX'",
    ),
    "a state that there is not": Mistake(
        f"state={_QUOTE}active", f"state={_QUOTE}busy", "state is never 'busy'"
    ),
    "a label that the series has not": Mistake(
        f"state={_QUOTE}active", f"status={_QUOTE}active", "there is no label status"
    ),
    "every service's series": Mistake(
        f",service_name={_QUOTE}gemini-gateway{_QUOTE}", "", "without service_name it counts"
    ),
    "series of every kind": Mistake(
        f"monitored_resource={_QUOTE}cloud_run_revision{_QUOTE},", "", "without monitored_resource"
    ),
    "series of another kind": Mistake(
        f"monitored_resource={_QUOTE}cloud_run_revision",
        f"monitored_resource={_QUOTE}cloud_run_service",
        "monitored_resource is cloud_run_revision",
    ),
    "a function that there is not": Mistake("sum(rate(", "sum(rates(", "rates is nothing"),
    "an aggregation that is not used": Mistake("sum by", "total by", "total is nothing"),
    "a quantile by half its name": Mistake("histogram_quantile", "quantile_of", "quantile_of is"),
    "a rate over no time": Mistake("}[5m]", "}", "a rate is of what is counted, over a time"),
    "a time that is none": Mistake("}[5m]", "}[5 min]", "[5 min] is no time"),
    "a rate of what goes up and down": Mistake(
        "sum(run_googleapis_com:container_instance_count",
        "sum(rate(run_googleapis_com:container_instance_count",
        "a rate is of what is counted",
    ),
    "a group that nothing has": Mistake("sum by (code)", "sum by (codes)", "the label codes"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_found(full_plan: dict[str, Any], mistake: Mistake) -> None:
    planned, text = msgspec.json.encode(full_plan).decode(), _text()
    assert mistake.old in planned + text
    changed = msgspec.json.decode(planned.replace(mistake.old, mistake.new))
    found = faults(changed, text.replace(mistake.old, mistake.new))
    assert any(mistake.complaint in each for each in found), found


def _text() -> str:
    return (INFRA / "monitoring.tf").read_text()
