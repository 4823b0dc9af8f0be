"""How much of each model's quota an account has left at Code Assist."""

import msgspec

from service.schemas.code_assist import QuotaBucket, QuotaRequest, QuotaResponse
from service.upstream.http import GoogleHttp
from service.upstream.setup import read_setup
from service.upstream.setup_refusals import setup_refusal

_replies = msgspec.json.Decoder(QuotaResponse)


async def retrieve_quota(http: GoogleHttp, endpoint: str, project: str) -> list[QuotaBucket]:
    """Ask what is left, for each model; nothing where Google counts nothing.

    Models that are listed here are those that the account may use, previews included.

    Args:
        http: authenticates as the user whose quota it is.
        endpoint: scheme, host and port of Code Assist.
        project: the id of the project that generation is asked in.

    Raise `GatewayError`. A `PermissionDeniedError` only says that Google does not tell: such an
    account may be served all the same.

    """
    url = f"{endpoint}/v1internal:retrieveUserQuota"
    body = msgspec.json.encode(QuotaRequest(project))
    reply = await http.call(url, body, refuse=setup_refusal)
    return read_setup(reply, _replies).buckets or []
