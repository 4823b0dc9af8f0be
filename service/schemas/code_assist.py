"""Code Assist's envelope around a Gemini request and its answer, and `loadCodeAssist`.

The envelope's keys are snake_case on the wire.
"""

from msgspec import Raw, Struct

from service.schemas.gemini import GenerateContentRequest, GenerateContentResponse


class Envelope(Struct):
    model: str
    project: str
    request: GenerateContentRequest


class Reply(Struct, rename="camel"):
    response: GenerateContentResponse | None = None
    error: Raw | None = None


class ClientMetadata(Struct, rename="camel"):
    ide_type: str = "IDE_UNSPECIFIED"
    platform: str = "PLATFORM_UNSPECIFIED"
    plugin_type: str = "GEMINI"


class LoadCodeAssistRequest(Struct, rename="camel"):
    metadata: ClientMetadata


class Tier(Struct, rename="camel"):
    id: str | None = None


class IneligibleTier(Struct, rename="camel"):
    reason_code: str | None = None
    reason_message: str | None = None


class LoadCodeAssistResponse(Struct, rename="camel"):
    current_tier: Tier | None = None
    cloudaicompanion_project: str | None = None
    ineligible_tiers: list[IneligibleTier] | None = None


class CodeAssistProject(Struct, frozen=True):
    """Where an account is served."""

    id: str
    tier: str
