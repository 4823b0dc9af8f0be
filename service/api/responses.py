"""`/v1/responses`: not there yet, and it says so in a way that clients understand."""

from typing import Any, NoReturn

from litestar import Controller, Response, delete, get, post
from litestar.openapi import ResponseSpec
from litestar.params import FromPath

from service.api.documentation import ERRORS
from service.errors import ResponseNotFoundError, UnsupportedEndpointError
from service.schemas.openai import ErrorBody

_NOT_YET = {
    501: ResponseSpec(ErrorBody, generate_examples=False, description="Not there yet."),
    401: ERRORS[401],
}
_NOTHING = {status: ERRORS[status] for status in (401, 404)}


class ResponsesController(Controller):
    path = "/responses"
    tags = ["Responses"]

    @post(
        ["/", "/compact", "/input_tokens"],
        status_code=501,
        responses=_NOT_YET,
        summary="Not there yet",
        sync_to_thread=False,
    )
    def create(self) -> Response[Any]:
        """Answer 501: use `POST /v1/chat/completions`."""
        raise UnsupportedEndpointError(
            "This gateway does not have the Responses API yet. Use POST /v1/chat/completions: "
            "most clients have a switch for it, such as 'chat completions' or use_responses_api."
        )

    @get(
        ["/{response_id:str}", "/{response_id:str}/input_items"],
        responses=_NOTHING,
        summary="Nothing is stored",
        sync_to_thread=False,
    )
    def retrieve(self, response_id: FromPath[str]) -> Response[Any]:
        """Answer 404: the gateway stores nothing."""
        _nothing(response_id)

    @delete(
        "/{response_id:str}",
        status_code=200,
        responses=_NOTHING,
        summary="Nothing is stored",
        sync_to_thread=False,
    )
    def remove(self, response_id: FromPath[str]) -> Response[Any]:
        """Answer 404: the gateway stores nothing."""
        _nothing(response_id)

    @post(
        "/{response_id:str}/cancel",
        responses=_NOTHING,
        summary="Nothing is stored",
        sync_to_thread=False,
    )
    def cancel(self, response_id: FromPath[str]) -> Response[Any]:
        """Answer 404: the gateway stores nothing."""
        _nothing(response_id)


def _nothing(response_id: str) -> NoReturn:
    raise ResponseNotFoundError(
        f"Response with id '{response_id[:100]}' not found: this gateway stores none."
    )
