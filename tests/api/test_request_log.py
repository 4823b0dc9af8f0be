"""A load of every kind of request: each leaves one line, and every field of it is right."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.leaks import LEAKS
from tests.processes import environment, free_port, process, wait_for_health
from tests.request_load import (
    ANSWER,
    KEYS,
    KINDS,
    PROJECT,
    PROMPT,
    Load,
    Script,
    counts,
    id_of,
)
from tests.simulators.google import Google

WAYS = ("code_assist", "vertex", "gemini_api")
TIMES = 6
TOKENS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
Line = dict[str, Any]
#: Metrics: values by the sample's name and labels.
Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Heard:
    """The load, what it expected, and the lines that the gateway wrote meanwhile."""

    def __init__(self) -> None:
        self.script = Script()
        self.kinds: dict[str, str] = {}
        self.expected: dict[str, Line] = {}
        self.lines: list[Line] = []
        self.output = ""
        self.metrics: Numbers = {}

    @property
    def requests(self) -> list[Line]:
        return [line for line in self.lines if line.get("event") == "request"]


def scraped(client: httpx.Client, requests: int) -> Numbers:
    """Ask for the metrics until so many requests are in them."""
    while True:
        headers = {"x-api-key": KEYS[0], "accept": "application/openmetrics-text"}
        text = client.get("/metrics", headers=headers).text
        families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        samples = [sample for family in families for sample in family.samples]
        numbers = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for sample in samples
            if sample.labels.get("route") != "/metrics"
        }
        if sum(of(numbers, "gateway_requests_total").values()) >= requests:
            return numbers


def of(numbers: Numbers, name: str) -> dict[frozenset[tuple[str, str]], float]:
    return {labels: value for (sample, labels), value in numbers.items() if sample == name}


def settings_of(google: Google, port: int) -> dict[str, str]:
    return {
        **environment(google, port),
        "OPENAI_API_KEY": ",".join(KEYS),
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "UPSTREAMS": ",".join(WAYS),
        "GEMINI_API_KEY": "sim-api-key",
        "GEMINI_API_ENDPOINT": google.url,
        "VERTEX_ENDPOINT": google.url,
        "VERTEX_PROJECT": google.project,
        "GCE_METADATA_HOST": google.metadata_host,
    }


@pytest.fixture(scope="module")
def heard(one_google: Google) -> Iterator[Heard]:
    google = one_google
    google.reset()
    heard = Heard()
    google.script(*[heard.script] * 5000)
    port = free_port()
    with process(**settings_of(google, port)) as running:
        wait_for_health(f"http://127.0.0.1:{port}", running)
        assert running.stdout is not None
        output = running.stdout
        pieces: list[str] = []
        reader = threading.Thread(target=lambda: pieces.extend(output))
        reader.start()
        kinds = [(name, kind) for name, kind in KINDS.items() for _ in range(TIMES)]
        random.Random(6).shuffle(kinds)  # noqa: S311  (the same order every time)
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            timeout=30,
            verify=False,  # noqa: S501  (plain HTTP; saves loading certificates)
            limits=httpx.Limits(max_connections=None),
        ) as client:
            load = Load(google, ("127.0.0.1", port), WAYS, client)
            client.post("/v1/token-test", headers={"x-api-key": KEYS[0]})
            client.get("/ready")

            def run(numbered: tuple[int, tuple[str, Any]]) -> None:
                number, (name, kind) = numbered
                heard.kinds[id_of(number)] = name
                kind(load, number, KEYS[number % 2])

            with ThreadPoolExecutor(12) as threads:
                list(threads.map(run, enumerate(kinds)))
            heard.metrics = scraped(client, len(kinds) + 1)
        running.terminate()
        assert running.wait(20) == 0
        reader.join()
        output.close()
    heard.expected = load.expected
    heard.output = "".join(pieces)
    LEAKS.search("output", heard.output)
    heard.lines = [msgspec.json.decode(line) for line in pieces]
    yield heard
    google.reset()


def test_each_request_leaves_exactly_one_line(heard: Heard) -> None:
    assert len(heard.expected) == len(KINDS) * TIMES >= 200
    times = Counter(line["request_id"] for line in heard.requests)
    others = {line["route"] for line in heard.requests if line["request_id"] not in heard.expected}
    assert others == {"/v1/token-test", "/metrics"}
    assert {id_: times[id_] for id_ in heard.expected} == dict.fromkeys(heard.expected, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_right(heard: Heard, kind: str) -> None:
    lines = {line["request_id"]: line for line in heard.requests}
    for id_, expected in heard.expected.items():
        if heard.kinds[id_] != kind:
            continue
        line = dict(lines[id_])
        http = line["httpRequest"] = dict(line["httpRequest"])
        latency = float(http.pop("latency").removesuffix("s"))
        assert latency == pytest.approx(line["total_ms"] / 1000, abs=0.001)
        http_expected = expected["httpRequest"]
        if "responseSize" not in http_expected:
            assert http.pop("responseSize").isdigit()
        first, total = line.pop("first_byte_ms"), line.pop("total_ms")
        assert total > 0
        assert (first is None) == ("left before" in kind or "mid-request" in kind) or first <= total
        line.pop("model_asked")
        counted = heard.script.counted.get(int(id_.removeprefix("load-")))
        assert line == {**expected, **(counts(counted) if counted else {})}


def test_the_tokens_are_those_that_google_counted(heard: Heard) -> None:
    counted = counts([one for usages in heard.script.counted.values() for one in usages])
    lines = [line for line in heard.requests if line["route"] != "/v1/embeddings"]
    assert {name: sum(line[name] or 0 for line in lines) for name in TOKENS} == counted
    assert counted["prompt_tokens"] > 100_000


def test_no_line_holds_a_prompt_an_answer_or_a_secret(heard: Heard) -> None:
    for word in (PROMPT, ANSWER, *KEYS, "sk-of-nobody", "sim-refresh", "sim-api-key", "ya29"):
        assert word not in heard.output


def test_what_happens_beside_has_a_name_and_the_trace_of_its_request(heard: Heard) -> None:
    closed = [line for line in heard.lines if line.get("event") == "upstream_closed"]
    assert {"rate_limit_exceeded", "insufficient_quota", "server_is_overloaded"} <= {
        line["code"] for line in closed
    }
    for line in closed:
        assert line["severity"] == "WARNING"
        assert line["upstream"] in WAYS
        assert line["seconds"] > 0
        number = int(line["request_id"].removeprefix("load-"))
        assert ("logging.googleapis.com/trace" in line) == bool(number % 2)
    refreshed = [line for line in heard.lines if line.get("event") == "token_refreshed"]
    assert len(refreshed) == 2, "one for Code Assist, one for Vertex AI"
    assert all(line["severity"] == "INFO" and line["seconds"] >= 0 for line in refreshed)


def labelled(line: Line, *names: str) -> frozenset[tuple[str, str]]:
    """Return a line's fields as the labels of a metric."""
    values = {name: "" if line[name] is None else str(line[name]) for name in names}
    return frozenset((values | ({"route": values["route"] or "other"})).items())


def test_the_metrics_count_what_the_lines_say(heard: Heard) -> None:
    lines = [line for line in heard.requests if line["route"] != "/metrics"]
    names = ("route", "method", "status", "code", "model", "upstream")
    counted = Counter(labelled(line, *names) for line in lines)
    assert of(heard.metrics, "gateway_requests_total") == counted

    where = ("route", "model", "upstream")
    began = Counter(labelled(line, *where) for line in lines if line["first_byte_ms"] is not None)
    assert of(heard.metrics, "gateway_first_byte_seconds_count") == began
    ended = Counter(labelled(line, *where) for line in lines)
    assert of(heard.metrics, "gateway_request_seconds_count") == ended
    took = sum(of(heard.metrics, "gateway_request_seconds_sum").values())
    assert took == pytest.approx(sum(line["total_ms"] for line in lines) / 1000, abs=0.1)

    for kind in ("prompt", "completion", "reasoning", "cached"):
        by_model: Counter[str] = Counter()
        for line in lines:
            by_model[line["model"] or ""] += line[f"{kind}_tokens"] or 0
        for model, tokens in by_model.items():
            labels = frozenset({"model": model, "kind": kind}.items())
            assert of(heard.metrics, "gateway_tokens_total").get(labels, 0) == tokens

    assert of(heard.metrics, "gateway_token_refreshes_total") == {frozenset({("outcome", "ok")}): 2}
    closed = Counter(
        frozenset({"upstream": line["upstream"], "code": line["code"]}.items())
        for line in heard.lines
        if line.get("event") == "upstream_closed"
    )
    assert of(heard.metrics, "gateway_upstream_closed_total") == closed
    assert of(heard.metrics, "gateway_streams_open") == {frozenset(): 0}
