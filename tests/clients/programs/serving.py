"""What the client programs share: questions come in and what was seen goes out, as lines of JSON.

Each program is started with the gateway's base URL and key. A question names one of its functions
and that function's arguments; a function that raises is answered with the error, as its user would
see it.
"""

import asyncio
import inspect
import ipaddress
import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

BASE_URL, API_KEY = sys.argv[1:3]

_strays: list[str] = []


def serve(*functions: Callable[..., Any]) -> None:
    """Answer until the standard input ends."""
    known = {function.__name__: function for function in functions}
    for line in sys.stdin:
        question = json.loads(line)
        function = known[question.pop("call")]
        try:
            said = function(**question)
            said = asyncio.run(said) if inspect.iscoroutine(said) else said
        except Exception as failure:  # noqa: BLE001  whatever its user would see
            traceback.print_exc()
            said = {"error": _described(failure)}
        print(json.dumps(said | {"strays": _strays}), flush=True)


def _described(failure: BaseException) -> dict[str, Any]:
    status = getattr(failure, "status_code", None)
    return {"class": type(failure).__name__, "status": status, "message": str(failure)}


def _stay_at_home(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse every address but loopback, and tell the test of it, whatever becomes of the error."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        allowed = ipaddress.ip_address(text).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        _strays.append(text)
        raise ConnectionRefusedError(text)


sys.addaudithook(_stay_at_home)
