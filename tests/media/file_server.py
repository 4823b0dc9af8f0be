"""A web server on loopback: says what a test tells it to, and remembers who came."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.certificate import server_context


class Page(NamedTuple):
    content: bytes = b""
    headers: Mapping[str, str] = {}
    status: int = 200
    #: Called between head and content.
    wait: Callable[[], Any] | None = None


def redirect(location: str, status: int = 302) -> Page:
    return Page(headers={"location": location}, status=status)


class FileServer:
    """`with FileServer() as server`: serves `server.pages`, by path; with a certificate, by TLS."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.pages: dict[str, Page] = {}
        #: Path and headers of each request.
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        #: What clients called it when they began TLS.
        self.names: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.requests.append((self.path, headers))
                page = outer.pages.get(self.path, Page(status=404))
                self.send_response(page.status)
                usual = {"content-length": str(len(page.content))}
                for name, value in (usual | dict(page.headers)).items():
                    if value:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.flush()
                if page.wait is not None:
                    page.wait()
                with suppress(OSError):  # the client hung up
                    self.wfile.write(page.content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = server_context(certificate)
            context.sni_callback = lambda _, name, __: self.names.append(name)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
