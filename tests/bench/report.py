"""The table, the promises and the JSON of a run; `RESULTS.md` for people."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from service import __version__
from tests.bench.bounds import Verdict, verdicts
from tests.bench.measures import MEASURES, Rounds

_PACKAGES = ("uvicorn", "uvloop", "httptools", "litestar", "httpx", "aiohttp", "msgspec")
_NAMES = {
    "gateway-tls": "gateway, TLS upstream",
    "nginx-tls": "nginx, TLS upstream",
    "litellm": "LiteLLM",
    "bare_asgi": "bare ASGI",
    "bare_litestar": "bare Litestar",
}


class Report(msgspec.Struct):
    """Everything that is known of a run."""

    date: str
    command: str
    machine: dict[str, Any]
    versions: dict[str, str]
    targets: list[str]
    medians: dict[str, dict[str, float]]
    promises: list[Verdict]
    left_out: list[str]
    rounds: dict[str, dict[str, list[dict[str, Any]]]]


def report_of(
    rounds: Rounds, *, command: str, left_out: Sequence[str], versions: dict[str, str]
) -> Report:
    targets = list(dict.fromkeys(target for _, target in rounds.rows))
    medians = {
        name: {
            target: value
            for target in targets
            if (value := rounds.median(measure.at, target)) is not None
        }
        for name, measure in MEASURES.items()
    }
    cases = dict.fromkeys(case for case, _ in rounds.rows)
    return Report(
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        command=command,
        machine=_machine(),
        versions={
            "gateway": __version__,
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
            **versions,
        },
        targets=targets,
        medians={name: row for name, row in medians.items() if row},
        promises=verdicts(rounds),
        left_out=list(left_out),
        rounds={
            case: {target: rows for (of, target), rows in rounds.rows.items() if of == case}
            for case in cases
        },
    )


def _machine() -> dict[str, Any]:
    words = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    model = next((value.strip() for name, _, value in words if name.startswith("model name")), "")
    return {
        "cpu": model or platform.machine(),
        "cpus": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def text_of(report: Report) -> str:
    """Write it in Markdown, which reads well in a terminal, too."""
    return "\n".join(["", *_promises(report), "", *_table(report), "", *_about(report)])


def _promises(report: Report) -> list[str]:
    rows = [["promised", "measured", "bound", ""]]
    for verdict in report.promises:
        value = "not measured" if verdict.value is None else f"{verdict.value:.3g}"
        word = {True: "met", False: "NOT MET", None: ""}[verdict.met]
        rows.append([verdict.label, value, verdict.bound, word])
    return _aligned(rows)


def _table(report: Report) -> list[str]:
    rows = [["median", *(_NAMES.get(target, target) for target in report.targets)]]
    for name, values in report.medians.items():
        measure = MEASURES[name]
        cells = [
            f"{values[target]:.{measure.digits}f}" if target in values else ""
            for target in report.targets
        ]
        rows.append([measure.label, *cells])
    return _aligned(rows)


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(cells: list[str]) -> str:
        padded = [
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * width if number == 0 else "-" * (width - 1) + ":"
        for number, width in enumerate(widths)
    ]
    return [line(rows[0]), line(rule), *map(line, rows[1:])]


def _about(report: Report) -> list[str]:
    machine = report.machine
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    load = ", ".join(map(str, machine["load"]))
    about = (
        f"{report.date}, `{report.command}`. {machine['cpus']} CPUs, {machine['cpu']}, "
        f"{machine['kernel']}, load at the end {load}."
    )
    return [
        about,
        "",
        f"{versions}.",
        *_wrong(report),
        *(f"\nLeft out: {why}" for why in report.left_out),
    ]


def _wrong(report: Report) -> list[str]:
    """Count the answers that were not right to the letter."""
    wrong = [
        f"{_NAMES.get(target, target)}, {case}: {count} of {asked}"
        for case, targets in report.rounds.items()
        for target, rows in targets.items()
        if (count := sum(row.get("errors", 0) for row in rows))
        and (asked := sum(row.get("requests", 0) for row in rows)) is not None
    ]
    return ["", f"Wrong answers: {'; '.join(wrong)}." if wrong else "Every answer was right."]


def results_of(report: Report) -> str:
    """Return `RESULTS.md`."""
    return f"""# What the gateway costs

Written by `make bench`: medians of rounds in which the targets take turns, each on one CPU, while
the load and a cheap upstream run on another. Every answer is checked to its last letter. CPU is
what a process and its children have used; ratios are of rounds that ran side by side. Compare
within one run only: a busy neighbour makes all of it dearer.

![CPU of the gateway, nginx and LiteLLM](results.svg)
{text_of(report)}

## How to read it

- *direct* is the upstream asked without anything between; *nginx* passes bytes on as they are.
- A *small request* is answered as a whole, with 400 characters. A *chunk in a burst* is what one
  more chunk costs when 200 of them come at once instead of 10. A *chunk every 50 ms* comes alone,
  in 100 streams side by side, with a fortieth of its request.
- *Over direct* is by how much it is more than the direct target's in the same round.
- *Memory per open stream* is by how much a fresh process has grown, warmed up by
  {_WARM_UP}, when all streams are open.
- *Cold start* is from the process's beginning, with its bytecode on disk. *To the first token* is
  with secrets in Secret Manager and token state in Firestore, both emulated.
"""


_WARM_UP = "half a second of streams"
