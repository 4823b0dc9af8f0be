"""One request's response on its way to a client's connection: its head goes out with its beginning.

uvicorn writes the head by itself, which is one more system call here and one more read for the
client, and looks at each header twice: a twentieth of what a small request costs.
"""

import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_NO_BODY = (204, 304)
#: Of a head whose every line ends with CRLF.
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Cycle(RequestResponseCycle):
    """uvicorn's, with a `send` of its own. What is made as uvicorn's can become one."""

    async def send(self, message: Any) -> None:
        """Do what ASGI says; raise `RuntimeError` for what it forbids."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self.response_started:
            self._held = self._head(message)
        elif kind == "http.response.body" and self.response_started and not self.response_complete:
            self._go_on(message.get("body", b""), is_last=not message.get("more_body"))
        else:
            raise RuntimeError(f"Nobody expects '{kind}' here.")

    def _head(self, message: Any) -> bytes:
        self.response_started = True
        self.waiting_for_100_continue = False
        headers = [*self.default_headers]
        headers += [(name.lower(), value) for name, value in message["headers"]]
        said = dict(headers)
        if b"content-length" in said:
            self.expected_content_length = int(said[b"content-length"])
        elif self.scope["method"] != "HEAD" and message["status"] not in _NO_BODY:
            self.chunked_encoding = True
            headers.append((b"transfer-encoding", b"chunked"))
        if b"close" in said.get(b"connection", b"").lower():
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append((b"connection", b"close"))
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        if not lines.count(b"\r") == lines.count(b"\n") == len(headers) or _UNPRINTABLE.search(
            lines
        ):
            raise RuntimeError("There is a control character in a response's header.")
        return b"%b%b\r\n" % (STATUS_LINE[message["status"]], lines)

    def _go_on(self, body: bytes, *, is_last: bool) -> None:
        held, self._held = self._held, b""
        if self.scope["method"] == "HEAD":
            self.expected_content_length, body = 0, b""
        elif self.chunked_encoding:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if is_last:
                body += b"0\r\n\r\n"
        else:
            self.expected_content_length -= len(body)
        if self.expected_content_length < 0 or (is_last and self.expected_content_length):
            raise RuntimeError("A response is not as long as its head says.")
        self.transport.write(held + body if held else body)
        if is_last:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()
