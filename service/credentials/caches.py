"""Sharing with nobody, and sharing with somebody who may be away."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.errors import CredentialsError
from service.interfaces import Lease, TokenCache
from service.schemas.code_assist import CodeAssistProject
from service.schemas.oauth import SharedToken

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Seconds between two lines in the log that say the same.
LOG_SECONDS = 60


class UnsharedTokenCache:
    """A `TokenCache` for an instance that is alone: the lease is always its own."""

    async def prepare(self) -> None: ...

    async def read(self) -> SharedToken | None:
        return None

    async def acquire(
        self, usable: Callable[[SharedToken], bool], *, heed_refusal: bool = True
    ) -> SharedToken | Lease | None:
        del usable, heed_refusal
        return Lease()

    async def keep(self, lease: Lease, token: SharedToken) -> None: ...

    async def give_up(self, lease: Lease, refusal: CredentialsError | None) -> None: ...

    async def known_project(self) -> CodeAssistProject | None:
        return None

    async def keep_project(self, project: CodeAssistProject) -> None: ...


class Expendable:
    """A `TokenCache` around another one that may fail: then every instance helps itself."""

    _logged_at = -float(LOG_SECONDS)  # of all of them: what is away is the same for each

    def __init__(self, inner: TokenCache) -> None:
        self._inner = inner

    async def read(self) -> SharedToken | None:
        return await self._try(self._inner.read(), otherwise=None)

    async def acquire(
        self, usable: Callable[[SharedToken], bool], *, heed_refusal: bool = True
    ) -> SharedToken | Lease | None:
        call = self._inner.acquire(usable, heed_refusal=heed_refusal)
        return await self._try(call, otherwise=Lease())

    async def keep(self, lease: Lease, token: SharedToken) -> None:
        await self._try(self._inner.keep(lease, token), otherwise=None)

    async def give_up(self, lease: Lease, refusal: CredentialsError | None) -> None:
        await self._try(self._inner.give_up(lease, refusal), otherwise=None)

    async def known_project(self) -> CodeAssistProject | None:
        return await self._try(self._inner.known_project(), otherwise=None)

    async def keep_project(self, project: CodeAssistProject) -> None:
        await self._try(self._inner.keep_project(project), otherwise=None)

    async def _try(self, call: Awaitable[T], *, otherwise: T) -> T:
        try:
            return await call
        except CredentialsError:
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, no request may fail for it)
            now = time.monotonic()
            if now - Expendable._logged_at >= LOG_SECONDS:
                Expendable._logged_at = now
                logger.warning("the shared token cache cannot be used: %s", error)
            return otherwise
