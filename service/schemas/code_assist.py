"""Code Assist's envelope around a Gemini request and its answer, and the calls around generation.

The envelope's keys are snake_case on the wire. Google leaves out what is empty, zero or false.
"""

from msgspec import UNSET, Raw, Struct, UnsetType

from service.schemas.gemini import GenerateContentRequest, GenerateContentResponse
from service.schemas.wire import Wire


class Envelope(Wire):
    model: str
    project: str
    request: GenerateContentRequest


class Reply(Wire, rename="camel"):
    response: GenerateContentResponse | None = None
    error: Raw | None = None


class ClientMetadata(Wire, rename="camel"):
    ide_type: str = "IDE_UNSPECIFIED"
    platform: str = "PLATFORM_UNSPECIFIED"
    plugin_type: str = "GEMINI"
    duet_project: str | UnsetType = UNSET


class LoadCodeAssistRequest(Wire, rename="camel"):
    metadata: ClientMetadata
    cloudaicompanion_project: str | UnsetType = UNSET


class Tier(Wire, rename="camel"):
    id: str | None = None
    is_default: bool | None = None


class IneligibleTier(Wire, rename="camel"):
    reason_code: str | None = None
    reason_message: str | None = None
    validation_error_message: str | None = None
    validation_url: str | None = None
    validation_learn_more_url: str | None = None


class LoadCodeAssistResponse(Wire, rename="camel"):
    current_tier: Tier | None = None
    paid_tier: Tier | None = None
    allowed_tiers: list[Tier] | None = None
    ineligible_tiers: list[IneligibleTier] | None = None
    cloudaicompanion_project: str | None = None


class OnboardUserRequest(Wire, rename="camel"):
    tier_id: str
    metadata: ClientMetadata
    cloudaicompanion_project: str | UnsetType = UNSET


class OnboardedProject(Wire, rename="camel"):
    id: str | None = None


class OnboardUserResponse(Wire, rename="camel"):
    cloudaicompanion_project: OnboardedProject | None = None


class Operation(Wire, rename="camel"):
    """What `onboardUser` returns: work in progress, or its result. A failure is an error object."""

    name: str | None = None
    done: bool | None = None
    response: OnboardUserResponse | None = None


class CodeAssistProject(Struct, frozen=True):
    """Where an account is served."""

    id: str
    tier: str


class QuotaRequest(Wire, rename="camel"):
    project: str


class QuotaBucket(Wire, rename="camel"):
    """How much of one model's quota is left."""

    model_id: str | None = None
    token_type: str | None = None
    remaining_fraction: float = 0  # from 0 to 1
    remaining_amount: str | None = None  # a number
    reset_time: str | None = None  # RFC 3339


class QuotaResponse(Wire, rename="camel"):
    buckets: list[QuotaBucket] | None = None
