"""What a picture costs at least: a bare application that reads a body and decodes it, once.

`python -m tests.bench.bare_asgi PORT` serves it as the gateway is served.
"""

import binascii
import sys
from typing import Any

import msgspec
import uvicorn

from tests.bench.asking import Wanted
from tests.bench.upstream import whole_of

_BEGINNING, _END = b"base64,", b'"'
_ANSWER = msgspec.json.encode(whole_of("openai", "".join(Wanted().texts())))
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))]


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    assert scope["type"] == "http"  # so that there is no lifespan
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(parts)
    begins = body.find(_BEGINNING)
    if begins >= 0:
        begins += len(_BEGINNING)
        binascii.a2b_base64(body[begins : body.find(_END, begins)], strict_mode=True)
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _ANSWER})


def serve(application: Any, port: int) -> None:
    """Serve as `service.server` does, without what is ours in it."""
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="auto",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    serve(app, int(sys.argv[1]))
