"""Which Google Cloud project Code Assist is asked in."""

import asyncio

import msgspec

from service.errors import PermissionDeniedError
from service.schemas.code_assist import (
    ClientMetadata,
    LoadCodeAssistRequest,
    LoadCodeAssistResponse,
)
from service.upstream.answers import parse
from service.upstream.failures import upstream_failures
from service.upstream.http import GoogleHttp

_replies = msgspec.json.Decoder(LoadCodeAssistResponse)
_REQUEST = msgspec.json.encode(LoadCodeAssistRequest(metadata=ClientMetadata()))


class Project:
    """The operator's project, or the one that Code Assist names; asked once and remembered.

    Args:
        http: authenticates as the user whose licence is used.
        endpoint: scheme, host and port of Code Assist.
        configured: the project from settings; Code Assist is not asked then.

    """

    def __init__(self, http: GoogleHttp, *, endpoint: str, configured: str | None) -> None:
        self._http = http
        self._url = f"{endpoint}/v1internal:loadCodeAssist"
        self._id = configured
        self._lock = asyncio.Lock()

    async def id(self) -> str:
        """Return the project's id; raise `PermissionDeniedError` when the account has none."""
        async with self._lock:  # however many wait, one asks
            if self._id is None:
                self._id = await self._discover()
            return self._id

    async def _discover(self) -> str:
        body = await self._http.call(self._url, _REQUEST)
        with upstream_failures():
            reply = parse(_replies, body)
        if reply.cloudaicompanion_project:
            return reply.cloudaicompanion_project
        reasons = [tier.reason_message for tier in reply.ineligible_tiers or []]
        said = " ".join(f"Google says: {reason}" for reason in reasons if reason)
        msg = (
            "Code Assist named no Google Cloud project for this account. The operator of this "
            f"gateway has to set GEMINI_PROJECT_ID to the project with the licence. {said}"
        )
        raise PermissionDeniedError(msg.strip(), code="project_required")
