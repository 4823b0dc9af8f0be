"""Which path is which operation of which Google service, on one port."""

import re
from dataclasses import dataclass

from tests.simulators.calls import Upstream

_GENERATION = {
    "generateContent": "generate",
    "streamGenerateContent": "generate",
    "countTokens": "countTokens",
}
_METHODS = _GENERATION | dict.fromkeys(("batchEmbedContents", "embedContent", "predict"), "embed")
_SETUP = {
    name: name
    for name in (
        "loadCodeAssist",
        "onboardUser",
        "retrieveUserQuota",
        "listExperiments",
        "fetchAdminControls",
        "recordCodeAssistMetrics",
        "setCodeAssistGlobalUserSetting",
    )
}
_VERTEX = r"/v1(?:beta1)?(?:/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+))?"


@dataclass(frozen=True)
class Route:
    """`operations` says which RPCs the path takes, or the one operation that it is."""

    method: str
    path: re.Pattern[str]
    upstream: Upstream | None
    operations: dict[str, str] | str


def _route(
    method: str, path: str, operations: dict[str, str] | str, upstream: Upstream | None = None
) -> Route:
    return Route(method, re.compile(path), upstream, operations)


_ROUTES = (
    _route("POST", r"/token", "token"),
    _route("POST", r"/tokeninfo", "tokeninfo"),
    _route("POST", r"/revoke", "revoke"),
    _route("GET", r"/oauth2/v2/userinfo", "userinfo"),
    _route("GET", r"/computeMetadata/v1/.*/token", "metadata"),
    _route("GET", r"/(?:computeMetadata/v1/.*)?", "metadataValue"),
    _route("POST", r"/v1internal:(?P<rpc>\w+)", _GENERATION | _SETUP, "code_assist"),
    _route(
        "GET",
        r"/v1internal:getCodeAssistGlobalUserSetting",
        "getCodeAssistGlobalUserSetting",
        "code_assist",
    ),
    _route("GET", r"/v1internal/(?P<name>operations/.+)", "operation", "code_assist"),
    _route("POST", r"/v1(?:beta)?/models/(?P<model>[^/:]+):(?P<rpc>\w+)", _METHODS, "gemini_api"),
    _route("GET", r"/v1(?:beta)?/models(?:/(?P<model>[^/:]+))?", "models", "gemini_api"),
    _route(
        "POST",
        _VERTEX + r"/publishers/google/models/(?P<model>[^/:]+):(?P<rpc>\w+)",
        _METHODS,
        "vertex",
    ),
    _route("GET", r"/v1(?:beta1)?/publishers/google/models", "models", "vertex"),
)

OPERATIONS = frozenset(
    name
    for route in _ROUTES
    for name in (
        [route.operations] if isinstance(route.operations, str) else route.operations.values()
    )
)


@dataclass(frozen=True)
class Destination:
    operation: str
    upstream: Upstream | None
    rpc: str
    model: str | None  # of the path; Code Assist has it in the body
    project: str | None


def destination(method: str, path: str) -> Destination | None:
    for route in _ROUTES:
        found = route.path.fullmatch(path)
        if found is None or route.method != method:
            continue
        parts = found.groupdict()
        rpc = parts.get("rpc") or ""
        if isinstance(route.operations, str):
            operation = route.operations
        elif rpc in route.operations:
            operation = route.operations[rpc]
        else:
            return None
        return Destination(operation, route.upstream, rpc, parts.get("model"), parts.get("project"))
    return None
