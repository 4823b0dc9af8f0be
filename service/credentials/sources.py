"""Where the long-lived credential is kept: in the environment, in a file, in Secret Manager."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import structs

from service.credentials.documents import parse_credential
from service.errors import CredentialsError
from service.interfaces import CredentialSource
from service.schemas.oauth import Credential
from service.settings import Secret, Settings, SettingsError

logger = logging.getLogger(__name__)

#: Seconds within which a credential is not read again.
REREAD_SECONDS = 60


class StaticSource:
    """A `CredentialSource` that has one, and will never have another."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    async def load(self) -> Credential:
        return self._credential

    async def reload(self) -> Credential:
        return self._credential

    async def keep(self, credential: Credential) -> None:
        self._credential = credential
        logger.warning(
            "google has replaced the refresh token, and its new one is kept in memory only: "
            "put the credential into Secret Manager, or log in again before the next start"
        )


class ReadableSource:
    """A `CredentialSource` that is read from elsewhere, and can be read again.

    Args:
        read: brings the credential, complete and checked; raises `CredentialsError`.
        write: takes a document in place of the old one; None where that is not possible.
        now: seconds.

    """

    def __init__(
        self,
        read: Callable[[], Awaitable[Credential]],
        *,
        write: Callable[[bytes], Awaitable[None]] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._write = write
        self._now = now
        self._credential: Credential | None = None
        self._reread_at: float | None = None

    async def load(self) -> Credential:
        if self._credential is None:
            self._credential = await self._read()
        return self._credential

    async def reload(self) -> Credential:
        """Read it again, at most once in `REREAD_SECONDS`; keep the old one if that fails."""
        known = await self.load()
        now = self._now()
        if self._reread_at is not None and now - self._reread_at < REREAD_SECONDS:
            return known
        self._reread_at = now
        try:
            self._credential = await self._read()
        except (CredentialsError, SettingsError) as error:
            logger.warning("the credential could not be read again: %s", error)
        return self._credential or known

    async def keep(self, credential: Credential) -> None:
        self._credential = credential
        why = "there is nowhere to write it to"
        if self._write is not None:
            document = {"type": "authorized_user", **structs.asdict(credential)}
            try:
                await self._write(
                    msgspec.json.encode({name: value for name, value in document.items() if value})
                )
            except CredentialsError as error:
                why = str(error)
            else:
                return
        logger.warning("the new refresh token is kept in memory only: %s", why)


def check_credential(settings: Settings) -> None:
    """Look, before the start, at what is in the environment or in a file.

    Raise `SettingsError` if there is no credential, `CredentialsError` if it cannot work.
    """
    if "gemini_api" in settings.ways and settings.gemini_api_key is None:
        raise SettingsError("UPSTREAMS names gemini_api, and GEMINI_API_KEY is not set.")
    if "code_assist" not in settings.ways:
        return
    document = settings.gcp_service_account
    if document is None or document.reference is None:
        _complete(settings, _given_document(settings), _revealed(settings.oauth_client_secret))


class SecretStore(Protocol):
    """Where references lead."""

    async def read(self, reference: str) -> bytes: ...

    async def add_version(self, reference: str, payload: bytes) -> None: ...


def find_source(settings: Settings, store: SecretStore) -> CredentialSource:
    """Return the source of the credential that settings name."""
    document = settings.gcp_service_account
    reference = document.reference if document else None
    secret = settings.oauth_client_secret
    if document and not reference and not (secret and secret.reference):
        return StaticSource(_complete(settings, _given_document(settings), _revealed(secret)))

    async def read() -> Credential:
        if reference is None:
            content = await asyncio.to_thread(_given_document, settings)
            return _complete(settings, content, await resolve(secret, store))
        content, client_secret = await asyncio.gather(store.read(reference), resolve(secret, store))
        return _complete(settings, content, client_secret)

    async def write(content: bytes) -> None:
        where = reference or ""
        await store.add_version(where, content)
        if "/versions/" in where.removesuffix("/versions/latest"):
            logger.warning(
                "google has replaced the refresh token, and its new one is a newer version than "
                "%s: let GCP_SERVICE_ACCOUNT name no version",
                where,
            )

    return ReadableSource(read, write=write if reference else None)


async def resolve(secret: Secret | None, store: SecretStore) -> str | None:
    """Return a secret's value, wherever it is; None if there is none."""
    if secret is None or secret.reference is None:
        return _revealed(secret)
    try:
        return (await store.read(secret.reference)).decode().strip()
    except UnicodeDecodeError as error:
        raise CredentialsError(f"{secret.reference} does not hold text.") from error


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _given_document(settings: Settings) -> bytes:
    if settings.gcp_service_account is not None:
        return settings.gcp_service_account.reveal().encode()
    path = settings.gcp_service_account_file
    document = _read_file(Path(path))
    if document is None:
        raise SettingsError(
            f"No Google credentials were found: GCP_SERVICE_ACCOUNT is not set, and there is no "
            f"file {path}. Set GCP_SERVICE_ACCOUNT to the content of the oauth_creds.json that "
            "the Gemini CLI writes after a login, or GCP_SERVICE_ACCOUNT_FILE to its path. "
            "To see the gateway work without an account: make demo"
        )
    return document


def _read_file(path: Path) -> bytes | None:
    try:
        return path.expanduser().read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}.") from error


def _complete(settings: Settings, document: bytes, client_secret: str | None) -> Credential:
    given = settings.gcp_service_account
    origin = settings.gcp_service_account_file
    if given is not None:
        origin = given.reference or "GCP_SERVICE_ACCOUNT"
    return parse_credential(
        document,
        origin=origin,
        client_id=settings.oauth_client_id,
        client_secret=client_secret,
        now=time.time(),
    )
