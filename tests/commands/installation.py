"""An installation of the Gemini CLI, made up, with constants of the right shape."""

from pathlib import Path

import msgspec


def client_id(number: int = 1) -> str:
    return f"{number:012}-{'a1' * 16}.apps.googleusercontent.com"


def client_secret(number: int = 1) -> str:
    """Made here, because no file may hold what looks like one."""
    return "GOCSPX" + f"-{number:028}"


def declared(identity: str, secret: str) -> str:
    """Declare a client as the bundle does."""
    return f'var OAUTH_CLIENT_ID = "{identity}";\nvar OAUTH_CLIENT_SECRET = "{secret}";\n'


#: Google's authentication library, which is in the same file, names a client without a secret.
LIBRARY = f'exports2.CLOUD_SDK_CLIENT_ID = "{client_id(7)}";\n' + "// …\n" * 1000
CLI = LIBRARY + declared(client_id(), client_secret())


def install(node_modules: Path, files: dict[str, str], name: str = "@google/gemini-cli") -> Path:
    """Put a package with these files into a folder of packages; return the package's folder."""
    package = node_modules / name
    package.mkdir(parents=True)
    (package / "package.json").write_bytes(msgspec.json.encode({"name": name}))
    for path, text in files.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text)
    return package


def link(program: Path, to: Path) -> Path:
    """Make the command that npm puts on PATH."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.touch(mode=0o755)
    program.parent.mkdir(parents=True, exist_ok=True)
    program.symlink_to(to)
    return program
