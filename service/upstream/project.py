"""Which Google Cloud project Code Assist is asked in."""

import asyncio

from service.errors import UpstreamTimeoutError
from service.interfaces import ProjectMemory
from service.schemas.code_assist import CodeAssistProject
from service.upstream.http import GoogleHttp
from service.upstream.setup import Setup

#: Seconds that it may take to find the project, with an account's first enrolment.
SETUP_SECONDS = 60.0


class Project:
    """The operator's project, or the one that Code Assist names.

    However many requests wait for it, Code Assist is asked once, in a task of its own: the request
    that started it may be cancelled, the others still get its result. A failure is theirs, too;
    the next request asks again.

    What was found is kept in `memory` alone, which forgets it with the credential it belongs to.

    Args:
        http: authenticates as the user whose licence is used.
        endpoint: scheme, host and port of Code Assist.
        configured: the project from settings; Code Assist is not asked for generation then.
        memory: where instances share what was found; None shares it with nobody.

    """

    def __init__(
        self,
        http: GoogleHttp,
        *,
        endpoint: str,
        configured: str | None,
        memory: ProjectMemory | None,
    ) -> None:
        self._setup = Setup(http, endpoint=endpoint, configured=configured)
        self._configured = configured
        self._memory = memory or _OwnMemory()
        self._search: asyncio.Task[CodeAssistProject] | None = None
        self._found = False

    async def id(self) -> str:
        """Return the project's id; raise as `find` does."""
        return self._configured or (await self.find()).id

    async def find(self) -> CodeAssistProject:
        """Return the project and the account's tier in it, from memory if it is there.

        With a configured project Code Assist is always asked, because a remembered answer may be
        to a question about another project.

        Raise `PermissionDeniedError` with the code of Google's reason when the account has no
        project or may have none, and what the HTTP client raises.
        """
        if self._found:  # else memory is read in the task, once for all who wait
            known = await self._memory.known_project()
            if known is not None:
                return known
        if self._search is None:
            self._search = asyncio.create_task(self._obtain())
            self._search.add_done_callback(self._ended)
        return await asyncio.shield(self._search)

    def _ended(self, task: asyncio.Task[CodeAssistProject]) -> None:
        self._search = None
        if not task.cancelled():
            task.exception()  # every waiter may be gone; asyncio would complain of it then

    async def _obtain(self) -> CodeAssistProject:
        if self._configured:
            return await self._ask()
        project = await self._memory.known_project()
        if project is None:
            account = self._memory.account()
            project = await self._ask()
            await self._memory.keep_project(project, account)
        self._found = True
        return project

    async def _ask(self) -> CodeAssistProject:
        try:
            async with asyncio.timeout(SETUP_SECONDS):
                return await self._setup.project()
        except TimeoutError as error:
            msg = (
                f"Code Assist did not set this account up within {SETUP_SECONDS:g} seconds. Ask "
                "again in some minutes. If that does not help, the operator of this gateway has "
                "to set GEMINI_PROJECT_ID to a project in which the account may use Code Assist."
            )
            raise UpstreamTimeoutError(msg) from error


class _OwnMemory:
    """A `ProjectMemory` of this process."""

    def __init__(self) -> None:
        self._project: CodeAssistProject | None = None

    def account(self) -> object:
        return self

    async def known_project(self) -> CodeAssistProject | None:
        return self._project

    async def keep_project(self, project: CodeAssistProject, account: object) -> None:
        del account
        self._project = project
