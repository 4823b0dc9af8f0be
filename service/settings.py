"""Settings, read once from the environment: one field for each variable."""

import functools
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from service.rates.counting import Limits


class SettingsError(ValueError):
    """A variable is wrong or missing. The message names it, and never shows a secret's value."""


_SECRET_MANAGER = "sm://"
_REFERENCE = re.compile(
    r"sm://(projects/[a-z0-9][a-z0-9.:-]*/secrets/)?[\w-]+(/versions/[\w-]+)?", re.ASCII
)


class Secret:
    """A string that will not print itself, or a reference to one in Secret Manager."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    @property
    def reference(self) -> str | None:
        """The whole reference, with its `sm://`; None if the value is inline."""
        return self._value if self._value.startswith(_SECRET_MANAGER) else None

    def __repr__(self) -> str:
        return "Secret('***')"


HttpClient = Literal["httptools", "aiohttp"]
UpstreamName = Literal["code_assist", "vertex", "gemini_api"]
UpstreamNames = Annotated[
    str,
    Meta(
        pattern=r"^\s*(code_assist|vertex|gemini_api)(\s*,\s*(code_assist|vertex|gemini_api))*\s*$"
    ),
]
Aliases = Annotated[str, Meta(pattern=r"^\s*([^\s,=]+\s*=\s*[^\s,=]+\s*(,\s*|$))*$")]
Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(gt=0)]
Bytes = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(gt=0)]
Url = Annotated[str, Meta(pattern=r"^https?://[^/]+")]
ProjectId = Annotated[str, Meta(pattern=r"[^0-9]")]  # not its number
Location = Annotated[str, Meta(pattern=r"^[a-z]+(-[a-z]+[0-9]+)?$")]
Endpoint = Annotated[str, Meta(pattern=r"^https?://[^/]+/?$")]
Threshold = Literal[  # the two last are of the original's making
    "off",
    "block_none",
    "block_only_high",
    "block_medium_and_above",
    "block_low_and_above",
    "block_few",
    "block_some",
]
Address = Annotated[str, Meta(pattern=r"^(\[[0-9A-Fa-f:]+\]|[^\s/:]+):[0-9]{1,5}$")]


class Settings(Struct, kw_only=True, frozen=True, rename="upper"):
    """One field per environment variable, of the same name in capitals."""

    host: str | None = None
    port: Port = 8080
    k_service: str | None = None  # Cloud Run sets it
    google_cloud_project: str | None = None

    openai_api_key: Secret | None = None
    allow_unauthenticated: bool = False
    cors_allow_origins: str = "*"

    gcp_service_account: Secret | None = None
    gcp_service_account_file: str = "~/.gemini/oauth_creds.json"
    oauth_client_id: str | None = None
    oauth_client_secret: Secret | None = None
    gemini_project_id: ProjectId | None = None

    upstreams: UpstreamNames | None = None
    gemini_api_key: Secret | None = None
    vertex_project: ProjectId | None = None
    vertex_location: Location = "global"
    google_application_credentials: str | None = None
    gce_metadata_host: str | None = None

    token_cache: Literal["firestore", "memory"] | None = None
    firestore_database: str = "(default)"
    firestore_collection: str = "gateway"

    default_model: str | None = None
    model_aliases: Aliases = ""
    stream_by_default: bool = False
    enable_auto_model_switching: bool = False
    strict_params: bool = False

    reasoning_field: Literal["both", "reasoning_content", "reasoning", "tags", "none"] = "both"
    stream_thinking_as_content: bool = False
    enable_real_thinking: bool = False
    enable_fake_thinking: bool = False

    enable_gemini_native_tools: bool = False
    enable_google_search: bool = False
    enable_url_context: bool = False
    gemini_tools_priority: Literal["custom_first", "native_first"] = "custom_first"
    allow_request_tool_control: bool = True
    enable_inline_citations: bool = False

    gemini_moderation_harassment_threshold: Threshold | None = None
    gemini_moderation_hate_speech_threshold: Threshold | None = None
    gemini_moderation_sexually_explicit_threshold: Threshold | None = None
    gemini_moderation_dangerous_content_threshold: Threshold | None = None

    media_max_bytes: Bytes = 14 * 1024 * 1024
    media_allow_hosts: str = ""

    max_request_bytes: Bytes = 30 * 1024 * 1024
    max_inflight_bytes: Bytes = 128 * 1024 * 1024
    max_concurrent_requests: Count | None = None
    rate_limit_requests_per_minute: Count | None = None
    rate_limit_tokens_per_minute: Count | None = None
    client_stall_seconds: Seconds = 60
    sse_keepalive_seconds: Seconds = 15
    upstream_connect_seconds: Seconds = 5
    upstream_first_byte_seconds: Seconds = 300
    upstream_idle_seconds: Seconds = 120
    http_client: HttpClient = "httptools"
    request_deadline_seconds: Seconds = 3570
    drain_seconds: Seconds = 9

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] | None = None
    otel_exporter_otlp_endpoint: Url | None = None

    code_assist_endpoint: Endpoint = "https://cloudcode-pa.googleapis.com"
    gemini_api_endpoint: Endpoint = "https://generativelanguage.googleapis.com"
    vertex_endpoint: Endpoint | None = None
    oauth_token_url: Url = "https://oauth2.googleapis.com/token"
    secret_manager_endpoint: Address | None = None

    @property
    def on_cloud_run(self) -> bool:
        return self.k_service is not None

    @property
    def shares_tokens(self) -> bool:
        """Whether instances share token state in Firestore."""
        return (self.token_cache or ("firestore" if self.on_cloud_run else "memory")) == "firestore"

    @property
    def metadata_host(self) -> str | None:
        """Where to ask for the service's own identity; None where there is no such server."""
        return self.gce_metadata_host or ("metadata.google.internal" if self.on_cloud_run else None)

    @property
    def largest_request(self) -> int:
        """How many bytes a body may have: more than what may be in flight finds no room ever."""
        return min(self.max_request_bytes, self.max_inflight_bytes)

    @property
    def rate_limits(self) -> Limits | None:
        """What each key may use in a minute; None if anything."""
        limits = Limits(self.rate_limit_requests_per_minute, self.rate_limit_tokens_per_minute)
        return limits if any(limits) else None

    @property
    def ways(self) -> list[str]:
        """The upstreams to use, in their order: what is set, else what the credentials allow."""
        if self.upstreams is not None:
            return list(dict.fromkeys(split(self.upstreams)))
        by_key = self.gemini_api_key is not None
        has_file = _exists(self.gcp_service_account_file)
        by_user = self.gcp_service_account is not None or has_file
        by_identity = self.vertex_project or self.google_application_credentials
        found = [("code_assist", by_user), ("vertex", by_identity), ("gemini_api", by_key)]
        allowed = [name for name, there in found if there]
        return allowed or ["vertex" if self.on_cloud_run else "code_assist"]

    @property
    def aliases(self) -> dict[str, str]:
        """Names that stand for a model's id."""
        return _aliases(self.model_aliases)

    @property
    def listen_host(self) -> str:
        return self.host or ("0.0.0.0" if self.on_cloud_run else "127.0.0.1")  # noqa: S104

    @property
    def api_keys(self) -> list[Secret]:
        """The keys that clients may present, as far as they stand here; see `connect`."""
        if self.openai_api_key is None or self.openai_api_key.reference:
            return []
        return [Secret(key) for key in split(self.openai_api_key.reveal())]


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError):  # it may not be read, or nobody's home is known
        return False


@functools.lru_cache(maxsize=8)
def _aliases(pairs: str) -> dict[str, str]:
    parted = [pair.partition("=") for pair in split(pairs)]
    return {name.strip(): id_.strip() for name, _, id_ in parted}


def split(value: str) -> list[str]:
    """Read a list: its items are separated by commas."""
    return [item for part in value.split(",") if (item := part.strip())]


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read settings; an empty value is an unset one. Raise `SettingsError`."""
    fields = msgspec.structs.fields(Settings)
    present = {
        field.encode_name: value.lower() if _ignores_case(field.type) else value
        for field in fields
        if (value := environ.get(field.encode_name, "").strip())
    }
    try:
        settings = msgspec.convert(present, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        name = str(error).partition("$.")[2].rstrip("`")
        raise SettingsError(f"{name} must be {_allowed(name)}.") from None
    key = settings.openai_api_key
    if key and not key.reference and not settings.api_keys:
        raise SettingsError("OPENAI_API_KEY must be a key, or several separated by commas.")
    gemini_key = settings.gemini_api_key and settings.gemini_api_key.reveal()
    if gemini_key and not (gemini_key.isascii() and gemini_key.isprintable()):
        raise SettingsError(
            "GEMINI_API_KEY must be a key as Google shows it: one line of letters, digits, - and _."
        )
    if settings.on_cloud_run and key is None and not settings.allow_unauthenticated:
        raise SettingsError(
            "OPENAI_API_KEY is not set, so anyone who finds the address could use it. Set it to "
            "the key that clients must present, or say ALLOW_UNAUTHENTICATED=true."
        )
    return settings


def _decode(wanted: type, value: Any) -> Any:
    if wanted is Secret:
        if any(item.startswith(_SECRET_MANAGER) for item in split(value)) and not (
            _REFERENCE.fullmatch(value)
        ):
            raise ValueError
        return Secret(value)
    raise NotImplementedError(wanted)


def _ignores_case(wanted: Any) -> bool:
    return any(get_origin(option) is Literal for option in _options(wanted))


def _options(wanted: Any) -> tuple[Any, ...]:
    return get_args(wanted) if get_origin(wanted) in (Union, UnionType) else (wanted,)


def _allowed(name: str) -> str:
    """Say in words what a variable may hold."""
    (wanted, *_) = _options(get_type_hints(Settings, include_extras=True)[name.lower()])
    if get_origin(wanted) is Literal:
        return "one of " + ", ".join(get_args(wanted))
    return _WORDS.get(wanted, "a URL, as in https://example.com/token")


_WORDS: dict[Any, str] = {
    Secret: (
        "the secret itself, or one reference to it in Secret Manager: sm://S, "
        "sm://S/versions/V, sm://projects/P/secrets/S or sm://projects/P/secrets/S/versions/V"
    ),
    bool: "true, false, 1 or 0",
    Port: "a whole number from 0 to 65535",
    Bytes: "a whole number of bytes above 0",
    Count: "a whole number above 0",
    Seconds: "a number of seconds above 0",
    ProjectId: "the id of a Google Cloud project, as in my-project-123, not its number",
    Aliases: "pairs of a name and a model's id, separated by commas: gpt-4o=gemini-3.5-flash",
    UpstreamNames: "one or several of code_assist, vertex and gemini_api, separated by commas",
    Location: "a location of Vertex AI, as in europe-west1, eu or global",
    Endpoint: "scheme, host and port of a server, as in https://example.com:8443",
    Address: "host and port of a server, as in 127.0.0.1:8085",
}
