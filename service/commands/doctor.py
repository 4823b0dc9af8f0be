"""`doctor`: whether everything works that an answer needs, and what to do where it does not."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, NamedTuple, Protocol

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.text import Text

from service.errors import GatewayError
from service.interfaces import AccessTokens, Upstream
from service.schemas.code_assist import CodeAssistProject
from service.schemas.gemini import (
    Content,
    GenerateContentRequest,
    GenerationConfig,
    Part,
)
from service.schemas.oauth import Credential
from service.settings import Settings, SettingsError

MODEL = "gemini-2.5-flash"  # where settings name no model
_FEW_TOKENS = 64  # enough for a model that thinks before it says one word


class SharedState(Protocol):
    """Where instances share token state."""

    async def probe(self) -> str:
        """Write, read and delete something; say where, or raise `GatewayError`."""
        ...


class Projects(Protocol):
    async def discover(self) -> CodeAssistProject:
        """Ask Google, and not a cache, where the account is served; raise `GatewayError`."""
        ...


class Quotas(Protocol):
    async def remaining(self) -> Mapping[str, float]:
        """Return what is left of each model's quota, from 0 to 1; raise `GatewayError`."""
        ...


class Parts(Protocol):
    """What is examined: the parts that the server itself would use."""

    tokens: AccessTokens  # that have none yet, so that they must refresh
    shared: SharedState | None  # None: token state is kept in memory
    projects: Projects
    quotas: Quotas
    upstream: Upstream

    async def aclose(self) -> None: ...


class Wiring(Protocol):
    """How the parts are come by: the seam between this page and the composition root."""

    def settings(self) -> Settings:
        """Raise `SettingsError`."""
        ...

    async def credential(self, settings: Settings) -> Credential:
        """Raise `SettingsError` or `CredentialsError`."""
        ...

    async def parts(self, settings: Settings, credential: Credential) -> Parts:
        """Put them together; nothing is sent yet."""
        ...


class Outcome(Struct, kw_only=True, omit_defaults=True):
    """What became of one check. `message` says what was found, or what to do."""

    check: str
    status: Literal["ok", "failed", "skipped"]
    message: str
    code: str | None = None


class Check(NamedTuple):
    """One thing to look at: returns what it found, raises `SettingsError` or `GatewayError`.

    `needs` names the checks without whose success it could only fail, too.
    """

    name: str
    needs: tuple[str, ...]
    run: Callable[[], Awaitable[str]]


class Examination:
    """The checks in their order; each leaves what the next ones need."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._settings: Settings
        self._credential: Credential
        self._parts: Parts | None = None
        self.checks = (
            Check("settings", (), self._check_settings),
            Check("credentials", ("settings",), self._check_credentials),
            Check("refresh", ("credentials",), self._check_refresh),
            Check("firestore", ("credentials",), self._check_shared_state),
            Check("project", ("refresh",), self._check_project),
            Check("quota", ("project",), self._check_quota),
            Check("generation", ("project",), self._check_generation),
        )

    async def aclose(self) -> None:
        if self._parts is not None:
            await self._parts.aclose()

    async def _connected(self) -> Parts:
        if self._parts is None:
            self._parts = await self._wiring.parts(self._settings, self._credential)
        return self._parts

    async def _check_settings(self) -> str:
        self._settings = self._wiring.settings()
        key = "clients need a key" if self._settings.api_keys else "anyone may call: no key is set"
        return f"they can be read; {key}"

    async def _check_credentials(self) -> str:
        self._credential = await self._wiring.credential(self._settings)
        if not self._credential.refresh_token:
            return "an access token that will end, and no refresh token"
        return "a refresh token, and the OAuth client for it"

    async def _check_refresh(self) -> str:
        return await refresh((await self._connected()).tokens)

    async def _check_shared_state(self) -> str:
        return await shared_state((await self._connected()).shared)

    async def _check_project(self) -> str:
        return await project((await self._connected()).projects)

    async def _check_quota(self) -> str:
        return await quota((await self._connected()).quotas)

    async def _check_generation(self) -> str:
        model = self._settings.default_model or MODEL
        return await generation((await self._connected()).upstream, model)


async def refresh(tokens: AccessTokens, now: Callable[[], float] = time.time) -> str:
    token = await tokens.token()
    return f"Google gives access tokens; this one lasts {(token.expires_at - now()) / 60:.0f} min"


async def shared_state(shared: SharedState | None) -> str:
    return "not used, token state is kept in memory" if shared is None else await shared.probe()


async def project(projects: Projects) -> str:
    found = await projects.discover()
    return f"{found.id}, {found.tier}"


async def quota(quotas: Quotas) -> str:
    left = await quotas.remaining()
    if not left:
        return "Google names no limits"
    return ", ".join(f"{model} {share:.0%}" for model, share in sorted(left.items()))


async def generation(upstream: Upstream, model: str) -> str:
    request = GenerateContentRequest(
        contents=[Content(role="user", parts=[Part(text="Say hello in one word.")])],
        generation_config=GenerationConfig(max_output_tokens=_FEW_TOKENS),
    )
    began = time.perf_counter()
    answer = await upstream.generate(model, request)
    seconds = time.perf_counter() - began
    return f"{model} answered by way of {answer.upstream} after {seconds:.1f} s"


async def examine(wiring: Wiring, tell: Callable[[Outcome], None]) -> bool:
    """Run every check that can be run, tell each outcome; return whether all passed."""
    examination = Examination(wiring)
    passed: set[str] = set()
    try:
        for check in examination.checks:
            outcome = await _outcome(check, passed)
            if outcome.status == "ok":
                passed.add(check.name)
            tell(outcome)
    finally:
        await examination.aclose()
    return len(passed) == len(examination.checks)


async def _outcome(check: Check, passed: set[str]) -> Outcome:
    missing = [name for name in check.needs if name not in passed]
    if missing:
        message = f"needs {' and '.join(missing)}"
        return Outcome(check=check.name, status="skipped", message=message)
    try:
        message = await check.run()
    except SettingsError as error:
        return Outcome(check=check.name, status="failed", message=str(error))
    except GatewayError as error:
        return Outcome(check=check.name, status="failed", message=error.message, code=error.code)
    return Outcome(check=check.name, status="ok", message=message)


class Report(Struct):
    """What `--json` prints."""

    ok: bool
    checks: list[Outcome]


def as_json(*, ok: bool, outcomes: list[Outcome]) -> bytes:
    return msgspec.json.encode(Report(ok, outcomes)) + b"\n"


_STYLES = {"ok": "green", "failed": "bold red", "skipped": "dim"}


def print_outcome(console: Console, outcome: Outcome) -> None:
    """Print a line, which stays one line where nobody reads it on a screen."""
    line = Text(f"{outcome.check:<12}")
    line.append(f"{outcome.status:<8}", _STYLES[outcome.status])
    line.append(outcome.message)
    console.print(line, soft_wrap=True)
