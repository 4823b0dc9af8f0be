"""Where a credential document goes: standard output, a file, or Secret Manager."""

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import click

from service.credentials.sources import SecretStore
from service.settings import Settings


class Destination(Protocol):
    """Where a document is put. Both methods raise `click.ClickException`."""

    def check(self, document: bytes | None) -> None:
        """Refuse what cannot work before a person goes to any trouble.

        Args:
            document: what is going to be written; None if it is not known yet.

        """
        ...

    async def write(self, document: bytes) -> str:
        """Put it there; return a sentence that says where."""
        ...


def destination(to: str | None, settings: Settings, *, force: bool) -> Destination:
    """Read `--to`; raise `click.ClickException` if it cannot be meant."""
    if to is None:
        return StandardOutput()
    if to.startswith("sm://"):
        return NewVersion(to, settings)
    return PrivateFile(Path(to).expanduser(), force=force)


class StandardOutput:
    """Nothing but the document, so that it can be piped."""

    def check(self, document: bytes | None) -> None:
        pass

    async def write(self, document: bytes) -> str:
        sys.stdout.buffer.write(document)
        sys.stdout.buffer.flush()
        return "This document is a secret: it lets whoever has it act as you."


class PrivateFile:
    """A file that only its owner may read, whole at every moment."""

    def __init__(self, path: Path, *, force: bool) -> None:
        self._path = path.resolve()  # a link stays one
        self._force = force

    def check(self, document: bytes | None) -> None:
        path = self._path
        if not path.parent.is_dir():
            raise click.ClickException(f"There is no folder {path.parent}.")
        if path.exists() and not path.is_file():
            raise click.ClickException(f"{path} is no file. To pipe the document, leave --to out.")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise click.ClickException(f"Nothing may be written in {path.parent}.")
        if path.exists() and not self._force and self._content() != document:
            raise click.ClickException(
                f"{path} exists and holds something else. Say --force to replace it."
            )

    def _content(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise click.ClickException(f"{self._path} cannot be read: {error.strerror}.") from error

    async def write(self, document: bytes) -> str:
        self.check(document)
        try:
            self._replace(document)
        except OSError as error:
            raise click.ClickException(
                f"{self._path} cannot be written: {error.strerror}."
            ) from error
        return f"Written to {self._path}, which only you may read."

    def _replace(self, document: bytes) -> None:
        # mode 0600 from the first byte; the name appears when the content is complete
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(document)
                file.flush()
                os.fsync(handle)
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink()
            raise


_SECRET = re.compile(r"sm://(projects/[^/]+/secrets/)?[\w-]+")


class NewVersion:
    """A new version of a secret that exists."""

    def __init__(self, reference: str, settings: Settings) -> None:
        if not _SECRET.fullmatch(reference):
            raise click.ClickException(
                "--to takes sm://projects/PROJECT/secrets/NAME, or sm://NAME for the project of "
                "the service. A version is added, so none can be named."
            )
        self._reference = reference
        self._settings = settings

    def check(self, document: bytes | None) -> None:
        pass

    async def write(self, document: bytes) -> str:
        await secret_store(self._settings).add_version(self._reference, document.rstrip())
        return f"Added as a new version of {self._reference}."


def secret_store(settings: Settings) -> SecretStore:
    """Open Secret Manager; most commands need none."""
    from service.credentials.secret_manager import SecretManager  # noqa: PLC0415

    return SecretManager(settings.secret_manager_endpoint, settings.google_cloud_project)
