"""`make bench`: what the gateway costs, beside nginx and, if asked for, a peer."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.plot import svg_of
from tests.bench.report import Report, report_of, results_of, text_of
from tests.bench.rounds import GROUPS, Plan, Run
from tests.bench.servers import LOAD_CPU, SERVER_CPU
from tests.bench.targets import OURS, PEERS, Bench

_HERE = Path(__file__).parent
_PEERS = ("litellm",)
_QUICKLY = [name for name in GROUPS if name != "token"]


def main(arguments: Sequence[str]) -> int:
    """Return 1 if the gateway gave a wrong answer."""
    options = _parser().parse_args(arguments)
    plan = plan_of(options)
    if SERVER_CPU == LOAD_CPU:
        sys.stderr.write(
            "There is one CPU only: times are worth little, ratios of CPU something.\n"
        )
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Bench(Path(folder), options.way), plan)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            run.all()
        except KeyboardInterrupt:
            run.left_out.append("what comes after the run was ended")
    report = report_of(
        run.rounds,
        command=" ".join(["make bench", *_asked(options)]),
        left_out=run.left_out,
        versions=_peers(plan.targets),
    )
    sys.stdout.write(f"{text_of(report)}\n")
    write(report, options)
    wrong = run.rounds.errors(OURS, [case for case, _ in run.rounds.rows])
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--cases", default="", help=f"some of {','.join(GROUPS)}")
    parser.add_argument("--peers", default="", help=f"some of {','.join(_PEERS)}")
    parser.add_argument("--rounds", type=int, help="of each case: 5, quickly 3")
    parser.add_argument("--quick", action="store_true", help="two minutes instead of twenty")
    parser.add_argument("--way", default="gemini_api", choices=("gemini_api", "code_assist"))
    parser.add_argument("--json", type=Path, help="where to write everything that was measured")
    parser.add_argument("--results", action="store_true", help="write RESULTS.md and results.svg")
    return parser


def plan_of(options: argparse.Namespace) -> Plan:
    """Raise `SystemExit` if there is no such case or peer."""
    groups = [name for name in options.cases.split(",") if name]
    peers = [name for name in options.peers.split(",") if name]
    if unknown := {*groups} - {*GROUPS} | {*peers} - {*_PEERS}:
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}.")
    floors = [] if options.quick else ["nginx-tls"]
    ours = [OURS] if options.quick else [OURS, f"{OURS}-tls"]
    return Plan(
        groups=groups or (_QUICKLY if options.quick else list(GROUPS)),
        targets=["direct", "nginx", *floors, *ours, *peers],
        rounds=options.rounds or (3 if options.quick else 5),
        seconds=0.6 if options.quick else 1.5,
        quick=options.quick,
    )


def write(report: Report, options: argparse.Namespace) -> None:
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    if options.results:
        (_HERE / "RESULTS.md").write_text(results_of(report))
        (_HERE / "results.svg").write_text(svg_of(report))


def _asked(options: argparse.Namespace) -> list[str]:
    given = {
        "PEERS": options.peers,
        "CASES": options.cases,
        "ROUNDS": options.rounds,
        "QUICK": options.quick and 1,
        "WAY": "" if options.way == "gemini_api" else options.way,
    }
    return [f"{name}={value}" for name, value in given.items() if value]


def _peers(targets: Sequence[str]) -> dict[str, str]:
    """Return the versions of the peers that are installed."""
    found = {}
    for name in targets:
        for folder in PEERS.glob(f"{name}/lib/python*/site-packages/{name}-*.dist-info"):
            found[name] = folder.name.removeprefix(f"{name}-").removesuffix(".dist-info")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
