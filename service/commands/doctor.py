"""`doctor`: whether everything works that an answer needs, and what to do where it does not."""

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from service.errors import GatewayError, QuotaExhaustedError
from service.interfaces import Upstream
from service.models import PROBE_MODEL, find_model, unaliased
from service.schemas.code_assist import CodeAssistProject, QuotaBucket
from service.schemas.gemini import Content, GenerateContentRequest, GenerationConfig, Part
from service.schemas.oauth import Credential, SharedToken
from service.settings import Settings, SettingsError

_FEW_TOKENS = 64  # enough for a model that thinks before it says one word


class Parts(Protocol):
    """What is examined. All of it raises `GatewayError`."""

    def upstream(self, way: str) -> Upstream:
        """Return who answers by one way to Gemini, and by no other."""
        ...

    async def refresh(self, way: str) -> SharedToken:
        """Get a new access token, whatever there is; or read the key again."""
        ...

    async def probe_firestore(self) -> bool:
        """Use Firestore; return False where it is not configured."""
        ...

    async def project(self) -> CodeAssistProject:
        """Ask Google, and no memory, where the account is served."""
        ...

    async def vertex_project(self) -> str:
        """Return the project and the location that Vertex AI is used in."""
        ...

    async def quota(self, project: str) -> list[QuotaBucket]: ...

    async def aclose(self) -> None: ...


class Outcome(Struct, kw_only=True, omit_defaults=True):
    """What became of one check. `message` says what was found, or what to do."""

    check: str
    status: Literal["ok", "failed", "skipped"]
    message: str
    code: str | None = None


class Check(NamedTuple):
    """One thing to look at.

    `run` returns what it found, and raises `SettingsError` or `GatewayError`. `needs` names the
    checks without whose success it could only fail, too.
    """

    name: str
    needs: tuple[str, ...]
    run: Callable[[], Awaitable[str]]


class Examination:
    """The checks in their order; each leaves what the later ones need.

    Args:
        load_settings: raises `SettingsError`.
        load_credential: raises `SettingsError` or `CredentialsError`.
        open_parts: puts the rest together; nothing has to be asked of Google for it.

    """

    def __init__(
        self,
        load_settings: Callable[[], Settings],
        load_credential: Callable[[Settings], Awaitable[Credential]],
        open_parts: Callable[[Settings], Awaitable[Parts]],
    ) -> None:
        self._load_settings = load_settings
        self._load_credential = load_credential
        self._open_parts = open_parts
        self._settings: Settings
        self._opened: Parts | None = None
        self._project: CodeAssistProject

    def _checks(self, way: str) -> tuple[Check, ...]:
        """Return the checks of one way to Gemini."""
        refresh = partial(self._check_refresh, way)
        generate = partial(self._check_generation, way)
        match way:
            case "vertex":
                return (
                    Check("refresh", (), refresh),
                    Check("project", ("refresh",), self._check_vertex_project),
                    Check("generation", ("project",), generate),
                )
            case "gemini_api":
                return (
                    Check("credentials", (), self._check_key),
                    Check("generation", ("credentials",), generate),
                )
            case _:
                return (
                    Check("credentials", (), self._check_credentials),
                    Check("refresh", ("credentials",), refresh),
                    Check("firestore", ("credentials",), self._check_firestore),
                    Check("project", ("refresh",), self._check_project),
                    Check("quota", ("project",), self._check_quota),
                    Check("generation", ("project",), generate),
                )

    async def run(self, tell: Callable[[Outcome], None]) -> bool:
        """Tell the outcome of each check as it comes; return whether all passed.

        Where there are several ways to Gemini, a check is named after its way, too.
        """
        settings = await _outcome(Check("settings", (), self._check_settings), {})
        tell(settings)
        can_be_read = settings.status == "ok"
        ways = self._settings.ways if can_be_read else ["code_assist"]
        passed = {"settings": can_be_read}
        try:
            for way in ways:
                prefix = f"{way}." if len(ways) > 1 else ""
                for check in self._checks(way):
                    needs = [f"{prefix}{name}" for name in check.needs] or ["settings"]
                    name = f"{prefix}{check.name}"
                    outcome = await _outcome(Check(name, tuple(needs), check.run), passed)
                    passed[name] = outcome.status == "ok"
                    tell(outcome)
        finally:
            if self._opened is not None:
                await self._opened.aclose()
        return all(passed.values())

    async def _parts(self) -> Parts:
        if self._opened is None:
            self._opened = await self._open_parts(self._settings)
        return self._opened

    async def _check_settings(self) -> str:
        self._settings = self._load_settings()
        if self._settings.openai_api_key is None:
            return "They can be read. OPENAI_API_KEY is not set: anyone may call."
        return "They can be read. Clients need a key."

    async def _check_credentials(self) -> str:
        credential = await self._load_credential(self._settings)
        await self._parts()  # reads what other settings refer to
        if credential.refresh_token:
            return "There is a refresh token, and the OAuth client for it."
        return "There is an access token, and no refresh token for when it has ended."

    async def _check_key(self) -> str:
        await (await self._parts()).refresh("gemini_api")
        return "There is an API key."

    async def _check_refresh(self, way: str) -> str:
        token = (await (await self._parts()).refresh(way)).token
        return f"Google gave an access token for {(token.expires_at - time.time()) / 60:.0f} min."

    async def _check_firestore(self) -> str:
        if await (await self._parts()).probe_firestore():
            return f"Database {self._settings.firestore_database} can be read and written."
        return "Not used: token state is kept in memory."

    async def _check_project(self) -> str:
        self._project = await (await self._parts()).project()
        return f"{self._project.id}, {self._project.tier}."

    async def _check_vertex_project(self) -> str:
        return f"{await (await self._parts()).vertex_project()}."

    async def _check_quota(self) -> str:
        return remaining(await (await self._parts()).quota(self._project.id))

    async def _check_generation(self, way: str) -> str:
        model = unaliased(self._settings.default_model or PROBE_MODEL, self._settings.aliases)
        request = GenerateContentRequest(
            contents=[Content(role="user", parts=[Part(text="Say hello in one word.")])],
            generation_config=GenerationConfig(max_output_tokens=_FEW_TOKENS),
        )
        parts = await self._parts()
        began = time.perf_counter()
        answer = await parts.upstream(way).generate(find_model(model).id, request)
        seconds = time.perf_counter() - began
        return f"{model} answered by way of {answer.upstream} after {seconds:.1f} s."


def remaining(buckets: list[QuotaBucket]) -> str:
    """Say what is left of each model's quota; raise `QuotaExhaustedError` if nothing is."""
    if not buckets:
        return "Google counts nothing."
    if not any(bucket.remaining_fraction for bucket in buckets):
        times = [bucket.reset_time for bucket in buckets if bucket.reset_time]
        until = f" It comes back at {min(times)}." if times else ""
        raise QuotaExhaustedError(f"Nothing is left of any model's quota.{until}")
    used = [bucket for bucket in buckets if bucket.remaining_fraction < 1]
    left = [f"{bucket.remaining_fraction:.0%} of {bucket.model_id}'s" for bucket in used]
    if len(used) < len(buckets):
        left.append(f"all of {len(buckets) - len(used)} other models'" if used else "all of it")
    return f"Left: {', '.join(left)}."


#: The end of sentences that clients get, too. Here it is the operator who reads.
_FOR_CLIENTS = " The operator of this gateway has to act; your API key is fine."


async def _outcome(check: Check, passed: Mapping[str, bool]) -> Outcome:
    missing = [name for name in check.needs if not passed[name]]
    if missing:
        message = f"It needs {missing[0]}."
        return Outcome(check=check.name, status="skipped", message=message)
    try:
        message = await check.run()
    except SettingsError as error:
        return Outcome(check=check.name, status="failed", message=str(error))
    except GatewayError as error:
        message = error.message.removesuffix(_FOR_CLIENTS)
        return Outcome(check=check.name, status="failed", message=message, code=error.code)
    return Outcome(check=check.name, status="ok", message=message)
