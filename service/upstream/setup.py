"""Code Assist's calls before generation: in which project and tier it serves an account.

An account that was never served before is enrolled. The decisions are the Gemini CLI's, so that an
account ends in the same project with either.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

import httpx
import msgspec
from msgspec import UNSET

from service.errors import GatewayError
from service.schemas.code_assist import (
    ClientMetadata,
    CodeAssistProject,
    LoadCodeAssistRequest,
    LoadCodeAssistResponse,
    OnboardUserRequest,
    Operation,
    Tier,
)
from service.upstream.answers import parse
from service.upstream.failures import upstream_failures
from service.upstream.google_error import is_error
from service.upstream.http import GoogleHttp
from service.upstream.retry import delay_before_retry, leaves_at_once
from service.upstream.setup_refusals import (
    SecurityPolicyError,
    ineligible,
    not_served,
    setup_refusal,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two looks at an enrolment, as in the Gemini CLI.
POLL_SECONDS = 5.0
#: How often a call is made that only asks, as long as Google fails; and one that looks whether an
#: enrolment is complete, which would have to begin anew.
TRIES = 2
POLL_TRIES = 3

_FREE = "free-tier"
_LEGACY = Tier(id="legacy-tier")
_STANDARD = "standard-tier"

_replies = msgspec.json.Decoder(LoadCodeAssistResponse)
_operations = msgspec.json.Decoder(Operation)


class Setup:
    """Asks Code Assist who the user is.

    Args:
        http: authenticates as the user whose licence is used.
        endpoint: scheme, host and port of Code Assist.
        configured: the operator's project.

    """

    def __init__(self, http: GoogleHttp, *, endpoint: str, configured: str | None) -> None:
        self._http = http
        self._base = f"{endpoint}/v1internal"
        self._configured = configured

    async def project(self) -> CodeAssistProject:
        """Return the account's project and tier; enrol it where it has none.

        Raise `PermissionDeniedError` with a code for each reason that Code Assist may have.
        Whatever it refuses here it refuses to the account, and so for every model.
        """
        try:
            return await self._project()
        except GatewayError as error:
            if error.closing is not None:
                error.closing = error.closing._replace(model=False, other_model=False)
                error.other_model = False
            raise

    async def _project(self) -> CodeAssistProject:
        policy = ""
        try:
            loaded = await self._load()
        except SecurityPolicyError as error:
            # Generation may be allowed all the same.
            loaded = LoadCodeAssistResponse(current_tier=Tier(id=_STANDARD))
            policy = error.said

        if loaded.current_tier is None:
            _refuse_unverified(loaded)
            tier = _offered(loaded)
            try:
                found, tier_id = await self._enrolled(tier), tier.id
            except GatewayError as error:
                error.tried_again = True  # what has begun is not begun once more
                raise
        else:
            found = loaded.cloudaicompanion_project
            paid_id = loaded.paid_tier.id if loaded.paid_tier else None
            tier_id = paid_id or loaded.current_tier.id

        project = found or self._configured
        if not project:
            if loaded.ineligible_tiers:
                raise ineligible(loaded.ineligible_tiers)
            raise not_served("project_required", [policy])
        return CodeAssistProject(project, tier_id or _STANDARD)

    async def _load(self) -> LoadCodeAssistResponse:
        project = self._configured or UNSET
        request = LoadCodeAssistRequest(ClientMetadata(duet_project=project), project)
        url = f"{self._base}:loadCodeAssist"
        # Whether what is busy is asked again depends on the other ways, which are not known here.
        reply = await self._ask(url, msgspec.json.encode(request), unless=leaves_at_once)
        return read_setup(reply, _replies)

    async def _enrolled(self, tier: Tier) -> str | None:
        """Enrol the account in a tier; return the project that Code Assist made or chose for it."""
        if tier.id == _FREE:
            project = None  # Google brings its own, and refuses any other
        elif self._configured:
            project = self._configured
        else:
            return None  # Google would refuse it, without saying why
        request = OnboardUserRequest(
            tier.id or _STANDARD, ClientMetadata(duet_project=project or UNSET), project or UNSET
        )
        body = msgspec.json.encode(request)
        url = f"{self._base}:onboardUser"
        reply = await self._ask(url, body, tries=1)
        operation = read_setup(reply, _operations)
        while not operation.done and operation.name:
            await asyncio.sleep(POLL_SECONDS)
            reply = await self._ask(f"{self._base}/{operation.name}", None, tries=POLL_TRIES)
            operation = read_setup(reply, _operations)
        logger.info("code assist enrolled the account in its %s", request.tier_id)
        made = operation.response and operation.response.cloudaicompanion_project
        return made.id if made else None

    async def _ask(
        self,
        url: str,
        body: bytes | None,
        *,
        tries: int = TRIES,
        unless: Callable[[GatewayError], bool] = lambda _: False,
    ) -> bytes:
        """Make a call, and again as long as Google fails; nobody has to do that once more.

        Args:
            url: of the method.
            body: None makes it a GET.
            tries: only 1 for a call that changes something.
            unless: whether a failure is left to whoever wants the project.

        """
        while True:
            tries -= 1
            try:
                return await self._http.call(url, body, refuse=setup_refusal)
            except GatewayError as error:
                if unless(error):
                    raise
                delay = delay_before_retry(error)
                if delay is None or not tries:
                    error.tried_again = True
                    raise
            await asyncio.sleep(delay)


def read_setup(reply: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode the answer to a call around generation; raise `GatewayError` for one that is none."""
    if is_error(reply):  # to the decoder it would be an answer that says nothing
        raise setup_refusal(httpx.codes.OK, reply)
    with upstream_failures():
        return parse(decoder, reply)


def _refuse_unverified(loaded: LoadCodeAssistResponse) -> None:
    """Let an account be verified before it is enrolled in a lesser tier."""
    unverified = [
        tier
        for tier in loaded.ineligible_tiers or []
        if tier.reason_code == "VALIDATION_REQUIRED" and tier.validation_url
    ]
    if unverified:
        raise ineligible(unverified)


def _offered(loaded: LoadCodeAssistResponse) -> Tier:
    return next((tier for tier in loaded.allowed_tiers or [] if tier.is_default), _LEGACY)
