"""`/v1/responses`: not there yet, and it says so in a way that clients understand."""

from typing import Any, NoReturn

from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath

from service.errors import ResponseNotFoundError, UnsupportedEndpointError


class ResponsesController(Controller):
    path = "/responses"
    include_in_schema = False  # what is not there is not in the document

    @post(["/", "/compact", "/input_tokens"], status_code=501, sync_to_thread=False)
    def create(self) -> Response[Any]:
        """Answer 501: use `POST /v1/chat/completions`."""
        raise UnsupportedEndpointError(
            "This gateway does not have the Responses API yet. Use POST /v1/chat/completions: "
            "most clients have a switch for it, such as 'chat completions' or use_responses_api."
        )

    @get(["/{response_id:str}", "/{response_id:str}/input_items"], sync_to_thread=False)
    def retrieve(self, response_id: FromPath[str]) -> Response[Any]:
        """Answer 404: the gateway stores nothing."""
        _nothing(response_id)

    @delete("/{response_id:str}", status_code=200, sync_to_thread=False)
    def remove(self, response_id: FromPath[str]) -> Response[Any]:
        """Answer 404: the gateway stores nothing."""
        _nothing(response_id)

    @post("/{response_id:str}/cancel", sync_to_thread=False)
    def cancel(self, response_id: FromPath[str]) -> Response[Any]:
        """Answer 404: the gateway stores nothing."""
        _nothing(response_id)


def _nothing(response_id: str) -> NoReturn:
    raise ResponseNotFoundError(
        f"Response with id '{response_id[:100]}' not found: this gateway stores none."
    )
