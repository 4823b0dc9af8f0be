"""Asks OSV (https://osv.dev) for known vulnerabilities of the locked packages, as pip-audit does.

`python -m tests.audit.vulnerabilities [--strict] [FILE]`. Where the database cannot be reached, it
says that nothing was audited, and that is a failure only if it is to be strict.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import msgspec

#: Known, and no danger here: each with the reason.
ACCEPTED: tuple[str, ...] = ()

_UNREACHABLE = ("ConnectionError", "Could not connect", "Timeout", "ServiceError", "HTTPError")
_LONGEST_REASON = 300


class Vulnerability(msgspec.Struct):
    id: str
    fix_versions: list[str] = []


class Package(msgspec.Struct):
    name: str
    version: str = ""
    vulns: list[Vulnerability] = []
    skip_reason: str = ""


class Found(msgspec.Struct):
    dependencies: list[Package]


def audit(lock: Path, *, url: str | None, strict: bool) -> int:
    """Audit a lock file and print what there is to say; return the exit status."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv"),
            *(["--osv-url", url] if url else []),
            *("--requirement", str(lock), "--require-hashes", "--disable-pip"),
            *("--format", "json", "--desc", "off", "--progress-spinner", "off"),
            *(word for id_ in ACCEPTED for word in ("--ignore-vuln", id_)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = msgspec.json.decode(done.stdout, type=Found).dependencies
    except msgspec.DecodeError:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        if any(word in done.stderr for word in _UNREACHABLE):
            _print(
                "NOT AUDITED: the database of known vulnerabilities (OSV) cannot be reached from "
                f"here. {reason[:_LONGEST_REASON]}"
            )
            return int(strict)
        _print(f"pip-audit failed: {reason}")
        return 1
    skipped = [f"{each.name} ({each.skip_reason})" for each in packages if each.skip_reason]
    if skipped:
        _print(f"NOT AUDITED: {', '.join(skipped)}")
    vulnerable = [each for each in packages if each.vulns]
    for each in vulnerable:
        for one in each.vulns:
            fixed = ", ".join(one.fix_versions) or "nowhere yet"
            _print(f"{each.name} {each.version}: {one.id}, fixed in {fixed}")
    _print(f"{lock.name}: {len(packages) - len(skipped)} audited, {len(vulnerable)} vulnerable")
    return int(bool(vulnerable) or (strict and bool(skipped)))


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.audit.vulnerabilities")
    parser.add_argument("lock", type=Path, nargs="?", default=Path("requirements-dev.txt"))
    parser.add_argument("--strict", action="store_true", help="fail if the audit cannot be done")
    parser.add_argument("--osv-url", help="ask there instead")
    options = parser.parse_args()
    return audit(options.lock, url=options.osv_url, strict=options.strict)


if __name__ == "__main__":
    sys.exit(main())
