"""What the operator asks of a running instance: its token, and whether Google takes it.

The bodies are those of the Cloudflare worker that this project began as, with fields of our own, so
that scripts written for it go on working. None of them shows a token, an e-mail address or a
project.
"""

import ipaddress
import math
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation
from msgspec import Raw

from service.api.documentation import ERRORS, GUARDED
from service.api.errors import error_object
from service.errors import GatewayError, PermissionDeniedError
from service.interfaces import Gateway, Way
from service.models import PROBE_MODEL, find_model, unaliased
from service.schemas.gemini_native import NativeRequest
from service.schemas.oauth import SharedToken
from service.telemetry import annotate

_SOMETHING = NativeRequest({"contents": Raw(b'[{"role":"user","parts":[{"text":"Hello"}]}]')})
_ORIGINS = {"shared": "firestore"}
_FAILURES = {**GUARDED, 403: ERRORS[403]}


def only_from_here(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let nobody in but the machine's own programs: the guard for where no API key is set.

    The peer is the socket's. What a header says of it can be said by anyone.
    """
    peer = connection.client.host if connection.client else ""
    try:
        is_here = ipaddress.ip_address(peer).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise PermissionDeniedError(
            "Without OPENAI_API_KEY this is answered on the gateway's own machine only. "
            "The operator can set a key."
        )


class DebugController(Controller):
    tags = ["Debug"]

    @get(["/debug/cache", "/cache"], summary="Describe the token at hand", responses=_FAILURES)
    async def cache(self, gateway: NamedDependency[SkipValidation[Gateway]]) -> Response[Any]:
        """Say how old the access token is and where it came from; refresh nothing."""

        async def describe(way: Way) -> dict[str, Any]:
            shared = await way.tokens.peek()
            if shared is None:
                return {"cached": False, "message": "No token found in cache", **_where(gateway)}
            ends = shared.token.expires_at
            left = ends - time.time()
            has_end = math.isfinite(ends)  # a key has none
            return {
                "cached": True,
                "cached_at": _iso(shared.refreshed_at),
                "expires_at": _iso(ends) if has_end else None,
                "time_until_expiry_seconds": max(0, int(left)) if has_end else None,
                "is_expired": left <= 0,
                **_where(gateway, way, shared),
            }

        return await _answer(gateway, describe)

    @post(
        ["/token-test", "/debug/token-test"],
        status_code=200,
        summary="Get an access token",
        responses=_FAILURES,
    )
    async def token_test(self, gateway: NamedDependency[SkipValidation[Gateway]]) -> Response[Any]:
        """Take the token at hand, or refresh it."""

        async def try_it(way: Way) -> dict[str, Any]:
            await way.tokens.token()
            shared = await way.tokens.peek()
            return {
                "message": "Token authentication successful",
                **_where(gateway, way, shared),
            }

        return await _answer(gateway, try_it)

    @post(
        ["/test", "/debug/test"],
        status_code=200,
        summary="Ask Google where the account is served, and whether it is",
        responses=_FAILURES,
    )
    async def test(self, gateway: NamedDependency[SkipValidation[Gateway]]) -> Response[Any]:
        """Do everything that a request needs, short of one: to count tokens costs nothing."""
        settings = gateway.settings
        model = find_model(unaliased(settings.default_model or PROBE_MODEL, settings.aliases))

        async def try_it(way: Way) -> dict[str, Any]:
            await way.tokens.token()
            if way.project is not None:
                await way.project.find()
            if way.counter is not None:
                await way.counter.count_tokens(model.id, _SOMETHING)
            shared = await way.tokens.peek()
            return {
                "message": "Authentication and project discovery successful",
                "project_available": True,
                "upstream": way.name,
                **_where(gateway, way, shared),
            }

        return await _answer(gateway, try_it)


async def _answer(
    gateway: Gateway, ask: Callable[[Way], Awaitable[dict[str, Any]]]
) -> Response[Any]:
    """Answer `ok`, or with 500 in the worker's form and in OpenAI's, whatever the failure is.

    Where there are several ways to Gemini, one that works is enough; each is told beside it.
    """
    try:
        ways = (await gateway.connection()).ways
    except GatewayError as error:
        return _failed(gateway, error, {})
    told: dict[str, Any] = {}
    good: dict[str, Any] | None = None
    failures: list[GatewayError] = []
    for way in ways:
        try:
            body = await ask(way)
        except GatewayError as error:
            failures.append(error)
            told[way.name] = {"status": "error", "error": _told(gateway, error)}
        else:
            told[way.name] = {"status": "ok", **body}
            good = good or body
    several = {"upstreams": told} if len(ways) > 1 else {}
    if good is None:
        return _failed(gateway, failures[0], several)
    return Response({"status": "ok", **good, **several})


def _failed(gateway: Gateway, error: GatewayError, more: dict[str, Any]) -> Response[Any]:
    annotate(code=error.code or error.type)
    told = _told(gateway, error)
    body = {"status": "error", "message": told["message"], "error": told, **more}
    return Response(body, status_code=500, headers={"x-should-retry": "false"})


def _told(gateway: Gateway, error: GatewayError) -> dict[str, Any]:
    settings = gateway.settings
    known = {settings.gemini_project_id, settings.google_cloud_project, settings.vertex_project}
    told: dict[str, Any] = msgspec.to_builtins(error_object(error))
    told["message"] = _anonymous(error.message, [name for name in known if name])
    return told


def _where(
    gateway: Gateway, way: Way | None = None, shared: SharedToken | None = None
) -> dict[str, Any]:
    origin: str | None = None
    if way is not None and shared is not None:
        origin = _ORIGINS.get(way.tokens.origin, way.tokens.origin)
    return {
        "source": origin,
        "backend": "firestore" if gateway.settings.shares_tokens else "memory",
        "refreshed_by": shared.refreshed_by if shared else None,
    }


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()


_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
# After the word, and not a word itself: a project's id has a hyphen or a digit almost always.
_PROJECT = re.compile(r"(projects?[ /=:'\"]+)(?=[a-z0-9]*[-\d])[a-z0-9][a-z0-9:.-]{4,}")


def _anonymous(message: str, known: list[str]) -> str:
    """Take out of Google's sentences whom and what they name."""
    for name in known:
        message = message.replace(name, "[project]")
    return _PROJECT.sub(r"\1[project]", _ADDRESS.sub("[address]", message))
