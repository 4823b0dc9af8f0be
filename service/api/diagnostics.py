"""What operators and load balancers ask: /, /health, /ready. None of them needs a key."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.spec import SecurityRequirement
from litestar.params import SkipValidation

from service import __doc__ as description
from service import __version__
from service.api.documentation import ERRORS
from service.api.errors import respond
from service.interfaces import Gateway

_OPEN: list[SecurityRequirement] = [{}]  # in the OpenAPI document: no key needed

ENDPOINTS = {
    "chat_completions": "/v1/chat/completions",
    "completions": "/v1/completions",
    "transcriptions": "/v1/audio/transcriptions",
    "embeddings": "/v1/embeddings",
    "images": "/v1/images/generations",
    "gemini": "/v1beta/models",
    "models": "/v1/models",
    "health": "/health",
    "ready": "/ready",
    "documentation": "/schema",
    "metrics": "/metrics",
    "debug": {
        "cache": "/v1/debug/cache",
        "token_test": "/v1/token-test",
        "full_test": "/v1/test",
    },
}


@get("/", summary="Say what this is", tags=["Service"], security=_OPEN, sync_to_thread=False)
def index(gateway: NamedDependency[SkipValidation[Gateway]]) -> dict[str, Any]:
    key_needed = gateway.settings.openai_api_key is not None
    return {
        "name": "gemini-openai-gateway",
        "description": description,
        "version": __version__,
        "authentication": {
            "required": key_needed,
            "type": "Authorization: Bearer KEY" if key_needed else "none",
        },
        "endpoints": ENDPOINTS,
    }


@get(
    "/health",
    summary="Is the process up",
    tags=["Service"],
    security=_OPEN,
    sync_to_thread=False,
)
def health() -> dict[str, str]:
    return {"status": "ok"}


@get(
    "/ready",
    summary="Can requests be served",
    tags=["Service"],
    responses={503: ERRORS[503]},
    security=_OPEN,
    sync_to_thread=False,
)
def ready(gateway: NamedDependency[SkipValidation[Gateway]]) -> Response[Any]:
    """Answer from memory: 200 once credentials are loaded and not known to be dead."""
    if refusal := gateway.refusal():
        answer = respond(refusal)
        answer.status_code = 503
        return answer
    return Response({"status": "ready"})
