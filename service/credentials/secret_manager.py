"""Secrets that Google's Secret Manager keeps, by the references that settings hold.

Google's library is not imported here but in `secret_manager_calls`, by a worker thread: that takes
a second.
"""

import asyncio
from typing import NamedTuple, Protocol

from service.errors import CredentialsError

#: Seconds that a read or an addition may take in all.
CALL_SECONDS = 8.0
#: Seconds before each further try when Secret Manager cannot be reached.
RETRY_DELAYS = (0.1, 0.5, 1.5)

_TRANSIENT = {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}


class RefusedError(Exception):
    """Secret Manager's answer is an error; `status` is its name in gRPC."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class NoIdentityError(Exception):
    """There are no Application Default Credentials."""


class Payload(NamedTuple):
    data: bytes
    crc32c: int

    def __repr__(self) -> str:
        return "Payload(…)"


class Calls(Protocol):
    """Secret Manager's two methods, by full resource names. Both raise `RefusedError`."""

    #: Where the service's own identity belongs, if that is known.
    project: str | None

    async def access(self, version: str) -> Payload: ...

    async def add(self, secret: str, payload: Payload) -> None: ...


class SecretManager:
    """Reads secrets, and adds versions to them.

    It keeps no connection open. Reads are hours apart: a connection that old may be dead without
    having said so, or may be waiting for minutes before it tries again.

    Args:
        endpoint: host and port of a server that asks for neither encryption nor credentials; None
            is Google's, which is asked in the name of the service's own identity.
        project: the own project, for references that name none; None is that of the identity.

    """

    def __init__(self, endpoint: str | None, project: str | None) -> None:
        self._endpoint = endpoint
        self._project = project
        self._opening = asyncio.Lock()
        self._opened: Calls | None = None

    async def read(self, reference: str) -> bytes:
        """Return the secret that a reference (`sm://…`) stands for; raise `CredentialsError`."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                calls = await self._calls()
                payload = await _read(calls, self._name(reference))
        except (RefusedError, NoIdentityError, TimeoutError) as error:
            raise self._failure(reference, error, "read", _READING) from error
        if crc32c(payload.data) != payload.crc32c:
            raise _error(f"{reference} arrived with a wrong checksum.", "It will be read again.")
        return payload.data

    async def add_version(self, reference: str, payload: bytes) -> None:
        """Add a version to the secret that a reference names; raise `CredentialsError`."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                calls = await self._calls()
                secret, _, _ = self._name(reference).partition("/versions/")
                await calls.add(secret, Payload(payload, crc32c(payload)))
        except (RefusedError, NoIdentityError, TimeoutError) as error:
            raise self._failure(reference, error, "added to", _ADDING) from error

    async def _calls(self) -> Calls:
        async with self._opening:
            if self._opened is None:
                self._opened = await asyncio.to_thread(_open, self._endpoint)
            return self._opened

    def _name(self, reference: str) -> str:
        """Return the full name of the version that a reference stands for."""
        name = reference.removeprefix("sm://")
        if not name.startswith("projects/"):
            project = self._project or (self._opened and self._opened.project)
            if not project:
                raise _error(
                    f"{reference} names no project, and the service's own is not known.",
                    "Set GOOGLE_CLOUD_PROJECT, or write sm://projects/P/secrets/S.",
                )
            name = f"projects/{project}/secrets/{name}"
        return name if "/versions/" in name else f"{name}/versions/latest"

    def _failure(
        self, reference: str, error: Exception, done: str, remedies: dict[str, tuple[str, str]]
    ) -> CredentialsError:
        if self._opened is None and self._endpoint is None:
            return _error(
                f"{reference} could not be {done}: the service has no Google identity.",
                "Run it on Google Cloud, or log in with: gcloud auth application-default login",
            )
        status = error.status if isinstance(error, RefusedError) else "DEADLINE_EXCEEDED"
        if status in remedies:
            what, remedy = remedies[status]
            return _error(f"{reference} {what}.", remedy)
        if status in {"UNAVAILABLE", "DEADLINE_EXCEEDED"}:
            what = f"Secret Manager could not be reached ({status})"
        else:
            what = f"Secret Manager answered {status}"
        return _error(f"{reference} could not be {done}: {what}.", "It will be tried again.")


_NOT_FOUND = (
    "does not exist, or has no such version",
    "Create the secret and add a version to it, or correct the setting.",
)
_READING = {
    "NOT_FOUND": _NOT_FOUND,
    "PERMISSION_DENIED": (
        "may not be read by this service",
        (
            "Grant roles/secretmanager.secretAccessor on this secret to the service's identity, "
            "and enable the Secret Manager API in the secret's project."
        ),
    ),
    "FAILED_PRECONDITION": (
        "is disabled or destroyed, and no older version stands in for the newest",
        "Enable that version, or add another.",
    ),
}
_ADDING = {
    "NOT_FOUND": _NOT_FOUND,
    "PERMISSION_DENIED": (
        "may not be added to by this service",
        "Grant roles/secretmanager.secretVersionAdder on this secret to the service's identity.",
    ),
}


def _error(what: str, remedy: str) -> CredentialsError:
    tell = "The operator of this gateway has to act; your API key is fine."
    return CredentialsError(f"{what} {remedy} {tell}", code="credentials_unavailable")


def _open(endpoint: str | None) -> Calls:
    from service.credentials.secret_manager_calls import open_calls  # noqa: PLC0415  (slow)

    return open_calls(endpoint)


async def _read(calls: Calls, name: str) -> Payload:
    for delay in RETRY_DELAYS:
        try:
            return await calls.access(name)
        except RefusedError as error:
            if error.status not in _TRANSIENT:
                raise
        await asyncio.sleep(delay)
    return await calls.access(name)


def _crc32c_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC32C = [_crc32c_of(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    """Return the checksum that Secret Manager uses; the standard library has only another one."""
    register = 0xFFFFFFFF
    for byte in data:
        register = _CRC32C[(register ^ byte) & 0xFF] ^ register >> 8
    return register ^ 0xFFFFFFFF
