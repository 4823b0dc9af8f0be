"""Metrics, alerts and the dashboard refer to what there is: to lines that the service logs."""

from typing import Any

import httpx
import msgspec
import pytest

from tests.gateway import API_KEY, HELLO
from tests.infra.monitoring import LogMetric, faults, filters, log_metrics, metric_of, queries
from tests.infra.terraform import INFRA, values
from tests.processes import environment, free_port, process, wait_for_health
from tests.simulators.google import Google

METRICS = (
    "requests",
    "first_byte",
    "total",
    "tokens_in",
    "tokens_out",
    "token_refreshes",
    "credentials_refused",
    "quota_exhausted",
)
AWAITED = ("credentials_refused", "quota_exhausted")
QUOTA_USED_UP = "E22"
OVERLOADED_IN_THE_MIDDLE = "E42"

Line = dict[str, Any]


@pytest.fixture
def metrics(full_plan: dict[str, Any]) -> dict[str, LogMetric]:
    return log_metrics(full_plan)


def test_alerts_and_charts_ask_for_what_there_is(
    plan: dict[str, Any], full_plan: dict[str, Any]
) -> None:
    text = (INFRA / "monitoring.tf").read_text()
    assert faults(plan, text) == []
    assert faults(full_plan, text) == []


def test_what_is_measured_is_looked_at(
    full_plan: dict[str, Any], metrics: dict[str, LogMetric]
) -> None:
    used = {name for query in queries(full_plan) for name in query.uses()}
    read = {metric.name for name in used if (metric := metric_of(name, metrics))}
    assert read == metrics.keys(), "a metric that nobody looks at costs money"


def test_no_filter_is_overlooked(full_plan: dict[str, Any]) -> None:
    """Those that are not planned before a check is made are read from monitoring.tf."""
    found = filters(full_plan, (INFRA / "monitoring.tf").read_text())
    conditions = [
        condition
        for policy in values(full_plan, "google_monitoring_alert_policy")
        for each in policy["conditions"]
        for condition in each["condition_threshold"]
    ]
    assert len([each for each in found if each.where == "a condition"]) == len(conditions) == 1
    assert len([each for each in found if each.picks_lines]) == len(METRICS) + len(AWAITED)


def test_a_metric_describes_the_labels_that_it_takes(metrics: dict[str, LogMetric]) -> None:
    assert {name.removeprefix("gemini-gateway_") for name in metrics} == set(METRICS)
    for metric in metrics.values():
        assert metric.labels.keys() == metric.described
        assert metric.is_distribution == (metric.value is not None)


def test_each_alert_says_what_to_do_and_tells_somebody(full_plan: dict[str, Any]) -> None:
    policies = values(full_plan, "google_monitoring_alert_policy")
    assert len(policies) == 6
    for policy in policies:
        assert policy["severity"]
        uptime = "not ready" in policy["display_name"]  # its text has the address, not known yet
        assert uptime or len(policy["documentation"][0]["content"]) > 40


def test_an_alert_on_a_line_waits_for_one_that_is_counted(
    full_plan: dict[str, Any], metrics: dict[str, LogMetric]
) -> None:
    """So that what holds for the metric's filter, below, holds for the alert's."""
    awaited = {
        condition["filter"]
        for policy in values(full_plan, "google_monitoring_alert_policy")
        for each in policy["conditions"]
        for condition in each["condition_matched_log"]
    }
    counted = {metrics[f"gemini-gateway_{name}"].filter for name in AWAITED}
    assert awaited == counted


def test_charts_do_not_overlap(full_plan: dict[str, Any]) -> None:
    (dashboard,) = values(full_plan, "google_monitoring_dashboard")
    layout = msgspec.json.decode(dashboard["dashboard_json"])["mosaicLayout"]
    covered = [
        (tile.get("xPos", 0) + x, tile.get("yPos", 0) + y)
        for tile in layout["tiles"]
        for x in range(tile["width"])
        for y in range(tile["height"])
    ]
    assert len(set(covered)) == len(covered)
    assert {x for x, _ in covered} == set(range(layout["columns"]))
    # The API would drop them, and each plan would put them back.
    assert 0 not in {tile.get(name) for tile in layout["tiles"] for name in ("xPos", "yPos")}


def test_there_is_no_chart_of_costs_without_prices(
    plan: dict[str, Any], full_plan: dict[str, Any]
) -> None:
    costs = "Cost of tokens an hour, in dollars"
    assert costs in {query.where for query in queries(full_plan)}
    assert costs not in {query.where for query in queries(plan)}


@pytest.fixture(scope="module")
def logged(one_google: Google) -> list[Line]:
    """What the service writes, as a process of its own, about everything that is counted."""
    one_google.reset()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(**environment(one_google, port)) as running:
        wait_for_health(url, running)
        with httpx.Client(base_url=url, headers={"x-api-key": API_KEY}, verify=False) as client:  # noqa: S501
            _ask_for_everything(client, one_google)
        running.terminate()
        output, _ = running.communicate(timeout=20)
    one_google.reset()
    return [msgspec.json.decode(line) for line in output.splitlines()]


def _ask_for_everything(client: httpx.Client, google: Google) -> None:
    path = "/v1/chat/completions"
    assert client.post(path, json=HELLO).status_code == 200
    assert client.post(path, json=HELLO | {"stream": True}).status_code == 200
    assert client.post(path, json=HELLO | {"model": "gpt-none"}).status_code == 404
    google.play(OVERLOADED_IN_THE_MIDDLE)
    client.post(path, json=HELLO | {"stream": True})
    google.play(QUOTA_USED_UP)
    assert client.post(path, json=HELLO).status_code == 429
    google.revoked_refresh_tokens.add("1//sim-refresh")
    google.tokens.revoke_all()
    assert client.post(path, json=HELLO).status_code == 500


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_counts_lines_that_the_service_writes(
    name: str, metrics: dict[str, LogMetric], logged: list[Line]
) -> None:
    metric = metrics[f"gemini-gateway_{name}"]
    events = [line for line in logged if _event(metric) & {line.get("event")}]
    assert events, f"no line with the event {_event(metric)}"
    for line in events:
        assert _fields(metric) <= line.keys()
    counted = [line for line in logged if metric.counts(line)]
    assert counted, f"no line that the filter counts among {events}"
    if metric.value:
        assert all(isinstance(line[metric.value], int | float) for line in counted)


def _event(metric: LogMetric) -> set[str]:
    return {text for term in metric.terms if term.field == "event" for text in term.texts}


def _fields(metric: LogMetric) -> set[str]:
    return {*metric.labels.values(), *(term.field for term in metric.terms)} | (
        {metric.value} if metric.value else set()
    )
