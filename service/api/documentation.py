"""What the OpenAPI document says of every endpoint."""

from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.spec import Components, License, SecurityScheme
from msgspec import Struct

from service import __version__
from service.schemas.gemini_native import GoogleErrorBody
from service.schemas.openai import ErrorBody
from service.schemas.openai_chat import ChatCompletion


def events_of(whole: type[Struct]) -> dict[int, ResponseSpec]:
    """Describe an answer in one piece or in many."""
    return {
        200: ResponseSpec(
            whole,
            generate_examples=False,
            description="The completion; with `stream`, `text/event-stream` of chunks of it.",
        )
    }


EVENTS = events_of(ChatCompletion)
ERRORS = {
    status: ResponseSpec(ErrorBody, generate_examples=False, description=description)
    for status, description in {
        400: "The request is wrong; `param` says where.",
        401: "The API key is missing or wrong.",
        403: "Google refuses this account or project.",
        404: "There is no such model.",
        413: "The request is too large.",
        415: "The request is not JSON, or not a form where there is a file in it.",
        429: "A quota, or the limit of this key, is used up; `retry-after` says for how long.",
        500: "The gateway, its Google credentials or Gemini failed.",
        502: "Gemini could not be reached, or gave no proper answer.",
        503: "Gemini is overloaded, or this instance is; `retry-after` says when to ask again.",
        504: "Gemini took too long.",
    }.items()
}
#: What comes of asking for the key, which may still have to be read from Secret Manager.
GUARDED = {status: ERRORS[status] for status in (401, 500, 503)}
UNSUPPORTED = {
    501: ResponseSpec(
        ErrorBody,
        generate_examples=False,
        description="None of the ways to Gemini that this gateway has can do it.",
    )
}
#: The same on the paths where Google's own API is spoken.
GOOGLE_ERRORS = {
    status: ResponseSpec(GoogleErrorBody, generate_examples=False, description=description)
    for status, description in {
        400: "The request is wrong.",
        401: "The API key is missing or wrong.",
        403: "Google refuses this account or project.",
        404: "There is no such model.",
        413: "The request is too large.",
        429: "A quota, or the limit of this key, is used up.",
        500: "The gateway, its Google credentials or Gemini failed.",
        501: "There is no such method here.",
        502: "Gemini could not be reached, or gave no proper answer.",
        503: "Gemini is overloaded, or this instance is.",
        504: "Gemini took too long.",
    }.items()
}


def openapi_config(*, key_needed: bool) -> OpenAPIConfig:
    """Put the page at /schema and the document at /schema/openapi.json."""
    scheme = SecurityScheme(type="http", scheme="bearer", description="The gateway's own key.")
    return OpenAPIConfig(
        title="Gemini behind the OpenAI API",
        version=__version__,
        path="/schema",
        license=License(name="MIT"),
        use_handler_docstrings=True,
        components=Components(security_schemes={"key": scheme} if key_needed else {}),
        security=[{"key": []}] if key_needed else None,
    )
