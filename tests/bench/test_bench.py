"""The benchmark itself: it measures, it finds what is wrong, and it computes what it says."""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

if sys.platform != "linux":
    pytest.skip("`make bench` needs Linux.", allow_module_level=True)

from tests.bench.answers import WrongAnswerError, check
from tests.bench.asking import Wanted
from tests.bench.bounds import PROMISES, verdicts
from tests.bench.cases import CASES
from tests.bench.counting import counted
from tests.bench.load import Outcome
from tests.bench.measures import MEASURES, Rounds, row_of
from tests.bench.plot import svg_of
from tests.bench.report import Report, report_of, results_of
from tests.bench.rounds import GROUPS, Plan, Run
from tests.bench.targets import Bench

OK = b"HTTP/1.1 200 OK"


def test_a_run_measures_the_gateway_and_finds_every_answer_right(tmp_path: Path) -> None:
    plan = Plan(groups=["small"], targets=["direct", "gateway"], rounds=1, seconds=0.05)
    run = Run(Bench(tmp_path), plan)
    run.all()
    report = report_of(run.rounds, command="make bench", left_out=run.left_out, versions={})
    assert not run.left_out
    written = msgspec.json.decode(msgspec.json.encode(report), type=Report)
    assert written.rounds.keys() == {"small"}
    for case in written.rounds.values():
        for rows in case.values():
            (row,) = rows
            assert row["requests"] > 0
            assert row["errors"] == 0
            assert row["cpu_ms"] > 0
    assert written.medians["small"]["gateway"] > written.medians["small"]["direct"]
    assert "Every answer was right." in results_of(written)
    ET.fromstring(svg_of(written))  # noqa: S314  (it is our own)


def streamed(*texts: str, reason: str = "stop", done: bool = True) -> bytes:
    chunks = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    events = [b"data: %b\n\n" % msgspec.json.encode(chunk) for chunk in chunks]
    events += [b"data: [DONE]\n\n"] if done else []
    framed = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
    return b"".join([*framed, b"0\r\n\r\n"])


RIGHT = CASES["burst10"].wanted.texts()


def test_an_answer_as_it_was_asked_for_is_right() -> None:
    assert check(CASES["burst10"], OK, streamed(*RIGHT)) == 10


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.1 503 Service Unavailable", streamed(*RIGHT)),
        (OK, streamed(*RIGHT[:-1])),
        (OK, streamed(*RIGHT[:-1], RIGHT[-1].upper())),
        (OK, streamed(*RIGHT, reason="length")),
        (OK, streamed(*RIGHT, done=False)),
        (OK, streamed(*RIGHT)[:-1]),
        (OK, b"4\r\nbody\r\n0\r\n\r\n"),
    ],
    ids=["refused", "short", "another letter", "cut off", "no end", "torn", "no events"],
)
def test_every_other_answer_is_wrong(head: bytes, body: bytes) -> None:
    with pytest.raises(WrongAnswerError):
        check(CASES["burst10"], head, body)


@pytest.mark.parametrize("name", CASES)
def test_the_upstream_reads_in_a_prompt_what_it_shall_say(name: str) -> None:
    assert Wanted.read(CASES[name].body()) == CASES[name].wanted


def test_what_arrives_of_a_prompt_is_counted_alike_in_both_forms() -> None:
    ours = {"messages": [{"role": "user", "content": [{"type": "text", "text": "what"}]}]}
    theirs = {"contents": [{"role": "user", "parts": [{"text": "what"}]}]}
    assert counted(msgspec.json.encode(ours)) == counted(msgspec.json.encode(theirs))


def row(*, cpu: float, requests: int = 100, chunks: int = 0, errors: int = 0) -> dict[str, object]:
    outcome = Outcome(requests=requests, chunks=chunks, wall=1, cpu=cpu, errors=["no"] * errors)
    return row_of(outcome, streams=0)


def test_ratios_are_of_rounds_that_ran_side_by_side() -> None:
    rounds = Rounds()
    for busy in (1, 3, 100):
        rounds.add("small", "nginx", row(cpu=0.01 * busy))
        rounds.add("small", "gateway", row(cpu=0.2 * busy))
    assert rounds.ratio(MEASURES["small"].at, "gateway", "nginx") == pytest.approx(20)


def test_a_chunk_in_a_burst_is_what_one_more_of_them_costs() -> None:
    rounds = Rounds()
    rounds.add("burst10", "gateway", row(cpu=0.1))
    rounds.add("burst200", "gateway", row(cpu=0.29))
    assert rounds.median(MEASURES["burst"].at, "gateway") == pytest.approx(10)


@pytest.mark.parametrize(("errors", "met"), [(0, True), (1, False)])
def test_a_promise_is_not_met_with_a_wrong_answer(errors: int, *, met: bool) -> None:
    rounds = Rounds()
    rounds.add("small", "nginx", row(cpu=0.01))
    rounds.add("small", "gateway", row(cpu=0.1, errors=errors))
    (verdict,) = (verdict for verdict in verdicts(rounds) if verdict.value is not None)
    assert verdict.met is met


def test_every_promise_is_of_something_that_is_measured() -> None:
    cases = {case for group in GROUPS.values() for case in group}
    for promise in PROMISES:
        assert promise.measure in MEASURES
        assert {*promise.cases} <= cases
