"""The OAuth client that the operator's own Gemini CLI logs in with, read from its installation.

None is shipped here: a refresh token works only with the client that issued it, and that one is
part of the program that the operator has installed.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from service.credentials.authorization_code import OAuthClient
from service.errors import CredentialsError

_PACKAGE = "@google/gemini-cli"
_PACKAGES = (_PACKAGE, "@google/gemini-cli-core")  # the second held it before there was a bundle

#: Where packages that were installed globally end up, besides what PATH and npm know of.
PLACES = (
    "/usr/lib/node_modules",
    "/usr/local/lib/node_modules",
    "/opt/homebrew/lib/node_modules",
    "/opt/homebrew/opt/gemini-cli/libexec/lib/node_modules",
    "/usr/local/opt/gemini-cli/libexec/lib/node_modules",
    "/home/linuxbrew/.linuxbrew/opt/gemini-cli/libexec/lib/node_modules",
    "~/.npm-global/lib/node_modules",
    "~/.local/lib/node_modules",
    "~/.nvm/versions/node/*/lib/node_modules",
    "~/.volta/tools/image/packages/@google/gemini-cli/lib/node_modules",
    "~/.bun/install/global/node_modules",
    "~/.local/share/pnpm/global/*/node_modules",
    "~/.npm/_npx/*/node_modules",
)
_BELOW_A_PREFIX = ("", "node_modules", "lib/node_modules", "libexec/lib/node_modules")

_CLIENT_ID = re.compile(rb"""["'`](\d{6,}-[0-9a-z]{20,}\.apps\.googleusercontent\.com)["'`]""")
_CLIENT_SECRET = re.compile(rb"""["'`](GOCSPX-[\w-]{20,})["'`]""")
_ID_SUFFIX = b".apps.googleusercontent.com"
_NEAR = 2000  # characters: the two are declared one after the other, with a comment between them
_NPM_SECONDS = 20


class Found(NamedTuple):
    client: OAuthClient
    place: Path


def installed_client(program: str | None = None, places: Iterable[str] = PLACES) -> Found:
    """Return the OAuth client of the Gemini CLI that is installed here, and where it stood.

    Args:
        program: path of the `gemini` command; the one on PATH if not given.
        places: folders of global packages to look in, as patterns.

    Raises:
        CredentialsError: there is no installation, or not exactly one client in it.

    """
    searched: dict[Path, None] = {}
    for package in _packages(program or shutil.which("gemini"), places):
        if package in searched:
            continue
        searched[package] = None
        clients = clients_in(package)
        if len(clients) > 1:
            raise CredentialsError(
                f"{package} names {len(clients)} OAuth clients, and which of them issued the "
                f"login cannot be told. {_NAME_IT}"
            )
        if clients:
            return Found(clients[0], package)
    if searched:
        where = ", ".join(str(package) for package in searched)
        raise CredentialsError(f"The Gemini CLI in {where} names no OAuth client. {_NAME_IT}")
    raise CredentialsError(
        "The Gemini CLI was not found: `gemini` is not on PATH, and npm knows of no global "
        f"{_PACKAGE}. Run this where the CLI is installed, or name the client. {_NAME_IT}"
    )


_NAME_IT = "Set OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET to those of the client that issued it."


def clients_in(package: Path) -> list[OAuthClient]:
    """Return the different pairs of id and secret that the package's programs declare together.

    An id alone is not one: libraries in the bundle name clients of their own. Of several ids
    around a secret the nearest is its.
    """
    found: dict[tuple[str, str], OAuthClient] = {}
    for file in sorted(package.rglob("*.[cm]js")) + sorted(package.rglob("*.js")):
        for pair in _pairs(file):
            found[pair.client_id, pair.client_secret] = pair
    return list(found.values())


def _pairs(file: Path) -> Iterator[OAuthClient]:
    try:
        text = file.read_bytes()
    except OSError:  # a folder of that name, or a file that is not for us
        return
    if _ID_SUFFIX not in text:
        return
    ids = list(_CLIENT_ID.finditer(text))
    for secret in _CLIENT_SECRET.finditer(text):
        distance, client_id = min(
            ((abs(match.start() - secret.start()), match[1]) for match in ids),
            default=(_NEAR, b""),
        )
        if distance < _NEAR:
            yield OAuthClient(client_id.decode(), secret[1].decode())


def _packages(program: str | None, places: Iterable[str]) -> Iterator[Path]:
    """Find installations: behind the command, where npm says, in the usual places."""
    if program is not None:
        for folder in Path(program).resolve().parents:
            if _is_package(folder):
                yield folder
            for below in _BELOW_A_PREFIX[1:]:
                yield from _packages_in(folder / below)
        # a command that is a script of its own, as pnpm's and Homebrew's are
        yield from _packages_in(Path(program).parent.parent / "lib/node_modules")
    for place in [*_npm_root(), *places]:
        pattern = Path(place).expanduser()
        root = Path(pattern.anchor)
        for folder in sorted(root.glob(str(pattern.relative_to(root)))):
            yield from _packages_in(folder)


def _packages_in(folder: Path) -> Iterator[Path]:
    for name in _PACKAGES:
        if (folder / name).is_dir():
            yield (folder / name).resolve()


def _is_package(folder: Path) -> bool:
    try:
        manifest = msgspec.json.decode((folder / "package.json").read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(manifest, dict) and manifest.get("name") in _PACKAGES


def _npm_root() -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        return []
    try:
        done = subprocess.run(  # noqa: S603  (npm itself, with no argument of anyone's)
            [npm, "root", "-g"], capture_output=True, text=True, check=False, timeout=_NPM_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    folder = done.stdout.strip()
    return [folder] if done.returncode == 0 and folder.startswith("/") else []
