"""Google's own API as its clients speak it: what is only passed on stays as it came, byte by byte.

Field names are Google's, in camel case or in snake case: its JSON takes both.
"""

from msgspec import UNSET, Raw, UnsetType

from service.schemas.gemini import NOTHING, Bare
from service.schemas.wire import Wire


class NativeRequest(Wire):
    """A request's body, field by field."""

    fields: dict[str, Raw]


class NativeResponse(Bare, rename="camel"):
    """A response, read as far as retries need it, and the JSON that it was."""

    wire: bytes = b""


class NativeReply(Wire):
    """The same in Code Assist's envelope."""

    response: Raw = NOTHING
    error: Raw = NOTHING


class NativeEnvelope(Wire):
    """What Code Assist takes a request in."""

    model: str
    project: str
    request: dict[str, Raw]


class GoogleError(Wire):
    code: int
    message: str
    status: str
    details: list[dict[str, str]] | UnsetType = UNSET


class GoogleErrorBody(Wire):
    error: GoogleError


class NativeModel(Wire, rename="camel", kw_only=True, omit_defaults=True):
    """A row of Google's `GET /v1beta/models`."""

    name: str
    version: str = ""
    display_name: str
    input_token_limit: int
    output_token_limit: int = 0
    supported_generation_methods: list[str]
    thinking: bool = False


class NativeModelList(Wire):
    models: list[NativeModel]


class PublisherModel(Wire, rename="camel"):
    """A row of Vertex AI's `GET /v1beta1/publishers/google/models`."""

    name: str
    display_name: str


class PublisherModelList(Wire, rename="camel"):
    publisher_models: list[PublisherModel]
