"""Everything that can go wrong, in the gateway's own words.

Nothing here knows HTTP frameworks. Each class carries the facts that OpenAI's error object and the
OpenAI SDKs need: HTTP status, `type`, `code`, `param`, and whether asking again can help.
`service.api.errors` turns one into a response, or into the last event of a broken stream.
"""

from typing import ClassVar, NamedTuple


class Closing(NamedTuple):
    """What an error says of the way to Gemini that it came from: another one is to be tried."""

    #: For how long the way is left alone where Google did not say.
    seconds: float
    #: Whether it concerns the model only.
    model: bool = False
    #: Whether another way is better than one more try on this one.
    at_once: bool = False
    #: Whether another model might be served on the same way.
    other_model: bool = False


class GatewayError(Exception):
    """An error that the client is told about.

    Args:
        message: full sentences: what happened, and what to do about it.
        param: the part of the request that is at fault, as in `messages[2].content`.
        code: OpenAI's `code`, where the class's own does not fit.
        retry_after: seconds until it makes sense to ask again, if known.

    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: str | None = None
    param: str | None = None
    #: OpenAI's SDKs obey the header `x-should-retry`; None leaves the choice to them.
    should_retry: bool | None = None
    #: Whether the gateway itself may ask Google once more, as long as the client got nothing yet.
    transient: ClassVar[bool] = False
    #: Whether it has done so already.
    tried_again: bool = False
    #: Whether another way to Gemini may answer; None if the request itself is at fault.
    closing: Closing | None = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param or self.param
        self.code = code or self.code
        self.retry_after = retry_after
        #: Whether one of the ways that were asked might serve another model.
        self.other_model = self.closing is not None and self.closing.other_model


class InvalidRequestError(GatewayError):
    """The client's request cannot be translated, or Google refused it as wrong."""

    status = 400
    type = "invalid_request_error"


class SignatureRefusedError(InvalidRequestError):
    """Google misses a thought signature, or does not take the one that it got."""

    code = "invalid_argument"


class NotThisWayError(InvalidRequestError):
    """What one of the ways to Gemini cannot do; others may, and nothing is wrong with this one."""

    closing = Closing(0)


class UnreadableFileError(NotThisWayError):
    code = "invalid_value"


class UnsupportedFieldError(NotThisWayError):
    """Fields of Google's that a way does not take, and that must not be left out.

    Args:
        upstream: the way's name.
        fields: as Google's JSON names them.

    """

    code = "unsupported_parameter"

    def __init__(self, upstream: str, fields: list[str]) -> None:
        super().__init__(f"{upstream} does not take {', '.join(fields)}.")
        self.upstream = upstream
        self.fields = fields


class TooLargeForThisWayError(NotThisWayError):
    """What another way, with another limit, may take."""

    status = 413
    code = "request_too_large"


class AuthenticationError(InvalidRequestError):
    """The client's key is missing or wrong. Never used for our own Google credentials."""

    status = 401
    code = "invalid_api_key"


class PermissionDeniedError(InvalidRequestError):
    status = 403
    code = "permission_denied"
    should_retry = False
    closing = Closing(600)


class UnknownUrlError(InvalidRequestError):
    status = 404
    code = "unknown_url"


class ModelNotFoundError(InvalidRequestError):
    status = 404
    code = "model_not_found"
    param = "model"
    closing = Closing(600, model=True, other_model=True)


class ResponseNotFoundError(InvalidRequestError):
    """Nothing is stored here, so nothing can be read again."""

    status = 404
    code = "response_not_found"


class MethodNotSupportedError(InvalidRequestError):
    status = 405
    code = "method_not_supported"


class RequestTooLargeError(InvalidRequestError):
    status = 413
    code = "request_too_large"


class UnsupportedMediaTypeError(InvalidRequestError):
    status = 415
    code = "unsupported_media_type"


class RateLimitError(GatewayError):
    """Too many requests or tokens for now; `retry_after` says until when, where Google said it."""

    status = 429
    type = "requests"
    code = "rate_limit_exceeded"
    transient = True
    closing = Closing(60, model=True, at_once=True, other_model=True)


class TokenRateLimitError(RateLimitError):
    type = "tokens"


class QuotaExhaustedError(GatewayError):
    """A quota that comes back in hours, or never."""

    status = 429
    type = "insufficient_quota"
    code = "insufficient_quota"
    should_retry = False
    closing = Closing(60, model=True, other_model=True)


class CredentialsError(GatewayError):
    """Our Google credentials, so not the client's fault and nothing that its key could mend."""

    status = 500
    code = "upstream_authentication_error"
    should_retry = False
    closing = Closing(60)


class ClientDisconnectedError(GatewayError):
    """Ends a request that nobody waits for."""

    status = 499  # nginx's word for it; nobody is left to read it
    code = "client_disconnected"

    def __init__(self) -> None:
        super().__init__("The client closed the connection.")


class UpstreamInternalError(GatewayError):
    status = 500
    code = "server_error"
    transient = True
    closing = Closing(10)


class UnsupportedEndpointError(GatewayError):
    """What no upstream of ours can do, or we cannot do yet."""

    status = 501
    type = "invalid_request_error"
    code = "unsupported_endpoint"
    should_retry = False


class UpstreamResponseError(GatewayError):
    """Google answered with something that is no answer."""

    status = 502
    code = "upstream_invalid_response"
    transient = True
    closing: Closing | None = Closing(10)


class UpstreamTruncatedError(UpstreamResponseError):
    code = "upstream_truncated"


class UpstreamEmptyError(UpstreamTruncatedError):
    """An answer that says nothing: the model's doing, so another way would not help."""

    closing = None


class UpstreamMalformedError(UpstreamResponseError):
    """The model produced a function call or an answer that Google itself calls malformed."""

    code = "upstream_malformed_response"
    closing = None


class UpstreamDisconnectedError(GatewayError):
    """A connection that was there broke; it may just have been an old one."""

    status = 502
    code = "upstream_unreachable"
    transient = True
    closing: Closing | None = Closing(10)


class UpstreamUnreachableError(UpstreamDisconnectedError):
    """There was no connection to begin with."""

    closing = Closing(10, at_once=True)


class OverloadedError(GatewayError):
    status = 503
    code = "server_is_overloaded"
    transient = True
    closing = Closing(10, other_model=True)


class CapacityError(OverloadedError):
    """A model that has no room for anyone."""

    closing = Closing(60, model=True, at_once=True, other_model=True)


class GoingAwayError(GatewayError):
    """An instance that is about to end; another one will answer."""

    status = 503
    code = "server_is_overloaded"

    def __init__(self) -> None:
        super().__init__(
            "This instance of the gateway is going away. Ask again: another one will answer.",
            retry_after=1,
        )


class BusyError(GatewayError):
    """An instance that has its hands full; it, or another one, will have room."""

    status = 503
    code = "server_is_overloaded"

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} Ask again in a moment.", retry_after=1)


class TokenEndpointError(GatewayError):
    """Google's token endpoint is down, or said to come back later."""

    status = 503
    code = "token_endpoint_unavailable"
    closing = Closing(10)


class UpstreamTimeoutError(GatewayError):
    status = 504
    code = "upstream_timeout"
    closing: Closing | None = Closing(10)


class RequestDeadlineError(UpstreamTimeoutError):
    """The gateway's own limit to how long a request may take: it would be reached again."""

    should_retry = False
    closing = None


class UpstreamDeadlineError(UpstreamTimeoutError):
    """Google gave up on the request by itself; asking once more is no second wait of ours."""

    transient = True
