"""Gets what the URLs of a request lead to, before it is translated."""

from collections.abc import Mapping
from typing import Any

from litestar import Request

from service.api.while_wanted import WhileWanted
from service.connections import client_of
from service.interfaces import Gateway
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_media import Fetched
from service.translation.media_parts import to_fetch


async def fetched_media(
    data: ChatCompletionRequest,
    request: Request[Any, Any, Any],
    gateway: Gateway,
) -> Mapping[str, Fetched]:
    """Return it by URL, or stop when the client leaves; raise `InvalidRequestError`."""
    urls = to_fetch(data.messages)
    if not urls:
        return {}
    media = (await gateway.connection()).media
    async with WhileWanted(client_of(request.scope)):
        return await media.fetch(urls)
