"""`make soak`: a gateway under a mixed load and all kinds of faults, and what it holds meanwhile.

It has met what is asked of it if the exit status is 0. `soak.json` has what was seen, and, if
something was not met, `soak.gateway.log` the gateway's log.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.soak.running import Soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=30, help="requests in a second")
    parser.add_argument("--out", type=Path, default=Path("soak.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        report = Soak(options.minutes * 60, options.rate).run(log)
        met = report.judge()
        options.out.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
        if not met:
            shutil.copy(log, options.out.with_suffix(".gateway.log"))
    sys.stdout.write(report.table() + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
