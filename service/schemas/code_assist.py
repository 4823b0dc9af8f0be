"""Code Assist's envelope around a Gemini request and its answer, and the calls around generation.

The envelope's keys are snake_case on the wire. Google leaves out what is empty, zero or false.
"""

from msgspec import UNSET, Raw, Struct, UnsetType

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
    duet_project: str | UnsetType = UNSET


class LoadCodeAssistRequest(Struct, rename="camel"):
    metadata: ClientMetadata
    cloudaicompanion_project: str | UnsetType = UNSET


class Tier(Struct, rename="camel"):
    id: str | None = None
    is_default: bool | None = None


class IneligibleTier(Struct, rename="camel"):
    reason_code: str | None = None
    reason_message: str | None = None
    validation_error_message: str | None = None
    validation_url: str | None = None
    validation_learn_more_url: str | None = None


class LoadCodeAssistResponse(Struct, rename="camel"):
    current_tier: Tier | None = None
    paid_tier: Tier | None = None
    allowed_tiers: list[Tier] | None = None
    ineligible_tiers: list[IneligibleTier] | None = None
    cloudaicompanion_project: str | None = None


class OnboardUserRequest(Struct, rename="camel"):
    tier_id: str
    metadata: ClientMetadata
    cloudaicompanion_project: str | UnsetType = UNSET


class OnboardedProject(Struct, rename="camel"):
    id: str | None = None


class OnboardUserResponse(Struct, rename="camel"):
    cloudaicompanion_project: OnboardedProject | None = None


class Operation(Struct, rename="camel"):
    """What `onboardUser` returns: work in progress, or its result. A failure is an error object."""

    name: str | None = None
    done: bool | None = None
    response: OnboardUserResponse | None = None


class CodeAssistProject(Struct, frozen=True):
    """Where an account is served."""

    id: str
    tier: str


class QuotaRequest(Struct, rename="camel"):
    project: str


class QuotaBucket(Struct, rename="camel"):
    """How much of one model's quota is left."""

    model_id: str | None = None
    token_type: str | None = None
    remaining_fraction: float = 0  # from 0 to 1
    remaining_amount: str | None = None  # a number
    reset_time: str | None = None  # RFC 3339


class QuotaResponse(Struct, rename="camel"):
    buckets: list[QuotaBucket] | None = None
