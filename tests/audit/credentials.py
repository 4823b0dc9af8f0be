"""No file in git may hold a credential: `python -m tests.audit.credentials [FOLDER]`.

What is certainly one is looked for here, in every byte; for what may be one detect-secrets looks,
told where and for what. It prints where it found something, and not what. A line that only looks
like one says `pragma: allowlist secret`; what is certain nothing excuses.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

#: Of full length: what stands in tests for one is shorter.
_CERTAIN = {
    "Google API key": rb"AIza[\w-]{35}",
    "OAuth client secret": rb"GOCSPX-[\w-]{28}",
    "Google refresh token": rb"(?<!\w)1\\?/\\?/0[\w-]{40,}",
    "Google access token": rb"ya29\.[\w.-]{60,}",
    "Private key": rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
}
#: What people who work on this have at hand. Each more costs a second.
_DETECTORS = (
    *("PrivateKeyDetector", "JwtTokenDetector", "BasicAuthDetector"),
    *("OpenAIDetector", "GitHubTokenDetector", "NpmDetector", "PypiTokenDetector"),
    *("Base64HighEntropyString", "HexHighEntropyString"),
)
# The hash of a package; a small PDF. JSON has no comments.
_NOT_SECRET = (
    r"^    --hash=sha256:[0-9a-f]{64}( \\)?$",
    r'^\s*"integrity": "sha512-[\w+/=]{88}",?$',
    r'^\{"id": "M17-file-pdf"',
)


def found_in(folder: Path) -> list[str]:
    """Search the files that git keeps of a folder; say where what stands."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    names = [name for name in listing.stdout.split("\0") if name and (folder / name).is_file()]
    return sorted({*_certain(folder, names), *_likely(folder, names)})


def _certain(folder: Path, names: Iterable[str]) -> list[str]:
    """Search whole files: detect-secrets skips pictures, comments in INI, `f("…")` and more."""
    found = []
    for name in names:
        content = (folder / name).read_bytes().replace(b"\0", b"")  # which UTF-16 puts between
        for kind, pattern in _CERTAIN.items():
            for match in re.finditer(pattern, content):
                line = content.count(b"\n", 0, match.start()) + 1
                found.append(f"{name}:{line}: {kind}")
    return found


def _likely(folder: Path, names: Iterable[str]) -> list[str]:
    found = SecretsCollection(root=str(folder))
    with default_settings() as settings:
        settings.disable_plugins(*(set(settings.plugins) - set(_DETECTORS)))
        settings.disable_filters(
            "detect_secrets.filters.common.is_invalid_file",  # looks in the current folder
            "detect_secrets.filters.common.is_ignored_due_to_verification_policies",  # asks issuers
            # A picture can hold one, and so can an address in a lock file.
            "detect_secrets.filters.heuristic.is_lock_file",
            "detect_secrets.filters.heuristic.is_non_text_file",
        )
        settings.filters["detect_secrets.filters.regex.should_exclude_line"] = {
            "pattern": _NOT_SECRET
        }
        found.scan_files(*names)
    return [f"{name}:{secret.line_number}: {secret.type}" for name, secret in found]


if __name__ == "__main__":
    places = found_in(Path(sys.argv[1] if sys.argv[1:] else "."))
    sys.stdout.writelines(f"{place}\n" for place in places)
    sys.exit(bool(places))
