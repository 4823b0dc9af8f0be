"""No file in git may hold a credential: `python -m tests.audit.credentials [FOLDER]`.

detect-secrets looks; this tells it where, and for what. It prints where it found something, and not
what. A line that only looks like one says `pragma: allowlist secret`.
"""

import subprocess
import sys
from pathlib import Path

from detect_secrets.core.plugins import initialize
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

_PLUGIN = Path(__file__).with_name("google_credentials.py")
#: What people who work on this have at hand. Each more costs a second.
_DETECTORS = (
    "GoogleCredentialDetector",
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
    found = SecretsCollection(root=str(folder))
    with default_settings() as settings:
        initialize.from_file(str(_PLUGIN))
        settings.configure_plugins([{"name": _DETECTORS[0], "path": _PLUGIN.as_uri()}])
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
    return sorted(f"{name}:{secret.line_number}: {secret.type}" for name, secret in found)


if __name__ == "__main__":
    places = found_in(Path(sys.argv[1] if sys.argv[1:] else "."))
    sys.stdout.writelines(f"{place}\n" for place in places)
    sys.exit(bool(places))
