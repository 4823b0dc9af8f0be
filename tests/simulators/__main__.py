"""Run the simulated Google alone: `python -m tests.simulators`."""

import argparse
import sys
import threading
from contextlib import suppress

from tests.simulators.calls import Recorded
from tests.simulators.google import Google
from tests.simulators.scenarios import SCENARIOS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulators", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free one")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds between streamed words")
    parser.add_argument(
        "--accept", action="append", default=[], metavar="TOKEN", help="a bearer token to take"
    )
    parser.add_argument("--log", action="store_true", help="print a line for each call")
    parser.add_argument("--list", action="store_true", help="print the scenarios and stop")
    options = parser.parse_args()
    if options.list:
        for scenario in SCENARIOS.values():
            _print(f"{scenario.id:20} {', '.join(scenario.scripts):30} {scenario.about}")
        return
    google = Google(port=options.port)
    google.pace = options.pace
    for token in options.accept:
        google.tokens.accept(token)
    if options.log:
        google.listen(_log)
    with google, suppress(KeyboardInterrupt):
        _print(google.url)
        threading.Event().wait()


def _log(recorded: Recorded) -> None:
    _print(f"{recorded.method} {recorded.path} {recorded.model or ''}".rstrip())


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
