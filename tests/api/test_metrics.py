"""`GET /metrics`, and what may be in it."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.api.metrics import written
from service.metrics import MOST_VALUES, OTHER, Metrics
from service.telemetry import RequestAtHand
from tests.conftest import StartGateway
from tests.gateway import HELLO, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import Gate, Hold, answer

PATH = "/v1/chat/completions"


def request(**differs: object) -> RequestAtHand:
    fields = {
        "route": PATH,
        "method": "POST",
        "status": 200,
        "code": None,
        "model": "gemini-2.5-flash",
        "upstream": "vertex",
        "prompt_tokens": None,
    }
    return RequestAtHand(fields | differs)


def values_of(metrics: Metrics, sample: str, label: str) -> list[str]:
    text, _ = written(metrics.families(), "")
    families = text_string_to_metric_families(text.decode())
    return [
        one.labels[label] for family in families for one in family.samples if one.name == sample
    ]


def test_a_key_is_needed(client: httpx.Client, stranger: httpx.Client) -> None:
    assert stranger.get("/metrics").status_code == 401
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE gateway_first_byte_seconds histogram" in response.text


def test_without_keys_the_machine_itself_may_ask(start_gateway: StartGateway) -> None:
    gateway = start_gateway(openai_api_key=None)
    with gateway.client(key=None) as client:
        assert client.get("/metrics").status_code == 200


def test_openmetrics_is_spoken_to_who_asks_for_it(client: httpx.Client) -> None:
    response = client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


def test_an_open_stream_is_counted_until_it_ends(gateway: Gateway, google: Google) -> None:
    gate = Gate()
    google.script(answer("Hel", Hold(gate), "lo"))
    with gateway.client() as client, gateway.client() as scraper:
        with client.stream("POST", PATH, json=HELLO | {"stream": True}) as response:
            reads = response.iter_raw()  # kept, because httpx hangs up when it is dropped
            assert b"Hel" in next(reads)
            assert "gateway_streams_open 1.0" in scraper.get("/metrics").text
            gate.open()
        while "gateway_streams_open 0.0" not in scraper.get("/metrics").text:
            pass


@pytest.mark.parametrize(
    ("differs", "label", "shown"),
    [
        ({"route": None}, "route", OTHER),
        ({"method": "BREW"}, "method", OTHER),
        ({"model": None}, "model", ""),
        ({"model": "gemini-2.5-flash"}, "model", "gemini-2.5-flash"),
    ],
)
def test_what_a_client_makes_up_is_no_label(
    differs: dict[str, object], label: str, shown: str
) -> None:
    metrics = Metrics()
    metrics.finished(request(**differs))
    assert values_of(metrics, "gateway_requests_total", label) == [shown]


def test_there_is_no_end_of_models_and_codes_but_of_labels() -> None:
    metrics = Metrics()
    for number in range(MOST_VALUES + 50):
        metrics.finished(request(model=f"m-{number}", code=f"c-{number}"))
    for label in ("model", "code"):
        values = set(values_of(metrics, "gateway_requests_total", label))
        assert len(values) == MOST_VALUES + 1
        assert OTHER in values
