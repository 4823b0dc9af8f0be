"""A soak of two seconds: one of each kind of request, and some more."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.leaks import LEAKS
from tests.soak.accounts import Accounts
from tests.soak.kinds import KINDS, id_of
from tests.soak.report import Report
from tests.soak.running import Soak
from tests.soak.watching import Held

#: All but those that take as long as the gateway's patience.
QUICK = {name: kind for name, kind in KINDS.items() if not name.startswith("silence")}


@pytest.mark.timeout(150)  # seconds, for a machine that has much else to do
def test_every_request_is_accounted_for_and_nothing_stays_open(tmp_path: Path) -> None:
    log = tmp_path / "log"
    report = Soak(seconds=2, rate=20, every=0.5, kinds=QUICK).run(log)
    LEAKS.search("output", log.read_text())
    assert report.judge(), report.table()
    assert {row.kind for row in report.rows} == set(QUICK)
    assert set(report.played) >= {"page", "reset_once", "reset_in_the_middle"}


def line(number: int, status: int, **more: object) -> bytes:
    fields = {"event": "request", "request_id": id_of(number), "status": status, **more}
    return msgspec.json.encode(fields)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([line(1, 200)], None),
        ([], "soak-1 (chat) has 0 lines in the log"),
        ([line(1, 200), line(1, 200)], "soak-1 (chat) has 2 lines in the log"),
        ([line(1, 200), line(2, 200)], "soak-2 is in the log and was never sent"),
        ([line(1, 502, code="upstream_timeout")], "soak-1 (chat): the log says 502 upstream_t"),
        ([line(1, 200), b"Traceback"], "the log has 'Traceback'"),
        (
            [line(1, 200), b'{"event": "bug", "severity": "ERROR", "message": "it broke"}'],
            "the log has bug: it broke",
        ),
    ],
    ids=["right", "missing", "twice", "unknown", "another status", "no JSON", "an error"],
)
def test_what_does_not_add_up_is_told(lines: list[bytes], says: str | None) -> None:
    accounts = Accounts()
    accounts.ended(id_of(1), "chat", "200")
    accounts.read(lines)
    assert [what[: len(says)] for what in accounts.unexplained if says] == ([says] if says else [])
    assert accounts.count_unexplained == (1 if says else 0)


def test_what_a_client_should_not_get_is_told() -> None:
    accounts = Accounts()
    accounts.ended(id_of(1), "chat", "ReadError")
    assert accounts.unexplained == ["soak-1 (chat): the client got ReadError"]


def report_of(kilobytes: list[int], files: int = 20, to_google: int = 5) -> Report:
    seconds = 10.0 * len(kilobytes)
    samples = [Held(10.0 * at + 5, size, 20, 5, 7) for at, size in enumerate(kilobytes)]
    after = Held(seconds, kilobytes[-1], files, to_google, 7)
    return Report(
        seconds=seconds,
        requests=0,
        rows=[],
        played=Counter(),
        samples=samples,
        before=Held(0, 1, 20, 5, 7),
        after=after,
        log_missing=0,
        log_doubled=0,
        unexplained=0,
        first_unexplained=[],
        open_streams=0,
        open_at_google=0,
        exit_status=0,
    )


@pytest.mark.parametrize(
    ("report", "demand"),
    [
        (report_of([50_000, 90_000, 90_000, 90_000, 91_000, 91_000]), None),
        (report_of([50_000, 90_000, 90_000, 90_000, 94_000, 94_000]), "memory is flat"),
        (report_of([90_000] * 6, files=21), "no file or socket is left open"),
        (report_of([90_000] * 6, files=25, to_google=10), None),
    ],
    ids=["warms up", "grows", "a file more", "idle connections to Google"],
)
def test_what_is_judged(report: Report, demand: str | None) -> None:
    assert report.judge() == (demand is None)
    assert [each for each, met in report.met.items() if not met] == ([demand] if demand else [])
    assert not demand or f"NOT MET {demand}" in report.table()
