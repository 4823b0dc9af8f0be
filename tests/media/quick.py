"""A fetcher that does not read the system's certificates, which takes longer than a test."""

import ssl
from collections.abc import Sequence

from service.media import Lookup, MediaFetcher, look_up


def quick_fetcher(
    *,
    max_bytes: int = 1000,
    allow_hosts: Sequence[str] = (),
    lookup: Lookup = look_up,
    trusted: str | None = None,
) -> MediaFetcher:
    """Return one that trusts nobody, or the certificates of a file."""

    def certificates() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if trusted is not None:
            context.load_verify_locations(trusted)
        return context

    return MediaFetcher(
        max_bytes=max_bytes, allow_hosts=allow_hosts, lookup=lookup, certificates=certificates
    )
