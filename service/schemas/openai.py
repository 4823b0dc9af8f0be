"""What every OpenAI endpoint shares: the error object, usage, the model list.

Three rules hold in every `openai*` schema:

* On the way in, `null` means "absent", and unknown keys are ignored: clients send both freely.
* On the way out, `None` is JSON `null` and `UNSET` means that the key is absent.
* A constraint is a type with a name; `service.api.requests` puts a violation in OpenAI's words.
"""

from typing import Literal

from msgspec import UNSET, UnsetType

from service.schemas.wire import Wire


class Error(Wire):
    """OpenAI's error object. All four keys are always there; the SDKs read each of them."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(Wire):
    error: Error


class PromptTokensDetails(Wire):
    cached_tokens: int = 0
    audio_tokens: int | UnsetType = UNSET
    image_tokens: int | UnsetType = UNSET
    text_tokens: int | UnsetType = UNSET


class CompletionTokensDetails(Wire):
    reasoning_tokens: int = 0
    audio_tokens: int | UnsetType = UNSET
    image_tokens: int | UnsetType = UNSET
    text_tokens: int | UnsetType = UNSET


class Usage(Wire):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails
    completion_tokens_details: CompletionTokensDetails


class Model(Wire, kw_only=True):
    """A row of `GET /v1/models`. The keys after `owned_by` are ours; other clients skip them."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "google"
    context_length: int | UnsetType = UNSET
    max_output_tokens: int | UnsetType = UNSET
    inputs: list[str] | UnsetType = UNSET
    outputs: list[str] | UnsetType = UNSET
    dimensions: int | UnsetType = UNSET
    thinking: Literal["budget", "level"] | UnsetType = UNSET
    aliases: list[str] | UnsetType = UNSET
    deprecated: Literal[True] | UnsetType = UNSET
    shutdown_date: str | UnsetType = UNSET
    replacement: str | UnsetType = UNSET


class ModelList(Wire):
    data: list[Model]
    object: Literal["list"] = "list"
