"""Which models each upstream has: two of them list theirs, Code Assist only counts their quota."""

from collections.abc import AsyncIterator, Sequence
from urllib.parse import quote

import msgspec
from msgspec import Struct, field

from service.errors import PermissionDeniedError
from service.upstream.answers import parse
from service.upstream.failures import upstream_failures
from service.upstream.http import GoogleHttp
from service.upstream.project import Project
from service.upstream.quota import retrieve_quota

_PAGE_SIZE = 1000
#: A list that does not end by then never will.
_MOST_PAGES = 20

#: What the gateway can ask of a model.
_METHODS = {"generateContent", "embedContent"}


class _Listed(Struct, rename="camel"):
    name: str = ""
    supported_generation_methods: list[str] | None = None


class _Page(Struct, rename="camel"):
    models: list[_Listed] | None = None
    publisher_models: list[_Listed] | None = None
    next_page: str | None = field(default=None, name="nextPageToken")


_pages = msgspec.json.Decoder(_Page)


async def listed_models(http: GoogleHttp, url: str) -> list[str]:
    """Return the ids at `GET .../models` that can be asked for something; raise `GatewayError`."""
    return [
        model.name.rpartition("/")[2]
        async for model in _all(http, url)
        if model.supported_generation_methods is None
        or _METHODS & set(model.supported_generation_methods)
    ]


async def _all(http: GoogleHttp, url: str) -> AsyncIterator[_Listed]:
    token = ""
    for _ in range(_MOST_PAGES):
        more = f"&pageToken={quote(token)}" if token else ""
        reply = await http.call(f"{url}?pageSize={_PAGE_SIZE}{more}", None)
        with upstream_failures():
            page = parse(_pages, reply)
        for model in [*(page.models or []), *(page.publisher_models or [])]:
            yield model
        if not (token := page.next_page or ""):
            return


async def models_with_quota(http: GoogleHttp, endpoint: str, project: Project) -> Sequence[str]:
    """Return the ids that an account has a quota of; none where Google does not tell."""
    try:
        buckets = await retrieve_quota(http, endpoint, await project.id())
    except PermissionDeniedError:
        return []
    return [bucket.model_id for bucket in buckets if bucket.model_id]
