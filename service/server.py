"""The server below the application: uvicorn, with one change to how it reads requests."""

import re

import uvicorn
from litestar.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.settings import Settings

_KEEPALIVE_SECONDS = 75  # longer than the pools of clients and front ends keep a connection


def server(app: ASGIApp, settings: Settings) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=settings.listen_host,
        port=settings.port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEPALIVE_SECONDS,
    )
    return uvicorn.Server(config)


class Protocol(HttpToolsProtocol):
    """HTTP/1.1, whatever else a client offers to speak.

    Java's HTTP client and curl's `--http2` send `Upgrade: h2c` with their first request. A server
    may ignore that (RFC 9110 section 7.8), but httptools takes what follows the headers for another
    protocol, and the body is lost. Under another name of the same length the header means nothing.
    """

    def data_received(self, data: bytes) -> None:
        if b"h2c" in data and getattr(self.cycle, "response_complete", True):
            head, end, body = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(rb"\1x-grade\2", head) + end + body
        super().data_received(data)


_UPGRADE = re.compile(rb"(\r\n)upgrade(:[ \t]*h2c)", re.IGNORECASE)
