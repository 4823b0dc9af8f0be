"""What `doctor` examines: the parts that the server itself would use, put together by `connect`."""

import asyncio
from types import ModuleType

from service.commands.destination import secret_store
from service.connect import GoogleConnection, connect
from service.credentials.sources import find_source
from service.interfaces import Upstream
from service.schemas.code_assist import CodeAssistProject, QuotaBucket
from service.schemas.oauth import Credential, SharedToken
from service.settings import Settings
from service.upstream.failover import Failover, Named
from service.upstream.project import Project
from service.upstream.quota import retrieve_quota
from service.upstream.vertex import Vertex


async def load_credential(settings: Settings) -> Credential:
    """Return the credential that settings name; raise `SettingsError` or `CredentialsError`."""
    return await find_source(settings, secret_store(settings)).load()


async def open_parts(settings: Settings) -> "Examined":
    return Examined(settings, await connect(settings))


class Examined:
    """`Parts` of a real connection."""

    def __init__(self, settings: Settings, connection: GoogleConnection) -> None:
        self._settings = settings
        self._connection = connection
        self._endpoint = settings.code_assist_endpoint.rstrip("/")
        self._ways = {way.name: way for way in connection.ways}

    def upstream(self, way: str) -> Upstream:
        return Failover([Named(way, self._ways[way].upstream)])  # with its one more try

    async def refresh(self, way: str) -> SharedToken:
        return await self._ways[way].tokens.renew()

    async def probe_firestore(self) -> bool:
        if not self._settings.shares_tokens:
            return False
        probe = await asyncio.to_thread(_import_probe)
        await probe.probe(self._settings)
        return True

    async def project(self) -> CodeAssistProject:
        # one without the memory that instances share: Google is to be asked
        project = Project(
            self._connection.http["code_assist"],
            endpoint=self._endpoint,
            configured=self._settings.gemini_project_id,
            memory=None,
        )
        return await project.find()

    async def vertex_project(self) -> str:
        vertex = self._ways["vertex"].upstream
        if not isinstance(vertex, Vertex):
            raise TypeError("What is called vertex must be it.")
        return f"{await vertex.project()}, {vertex.location}"

    async def quota(self, project: str) -> list[QuotaBucket]:
        return await retrieve_quota(self._connection.http["code_assist"], self._endpoint, project)

    async def aclose(self) -> None:
        await self._connection.aclose()


def _import_probe() -> ModuleType:
    from service.credentials import firestore_probe  # noqa: PLC0415  (slow: see there)

    return firestore_probe
