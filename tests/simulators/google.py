"""The simulated Google, as tests hold it."""

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from tests.simulators import code_assist, embeddings, generation, listing, metadata, oauth
from tests.simulators.admission import admit
from tests.simulators.calls import Call, Play, Recorded
from tests.simulators.errors import RefusedError, page
from tests.simulators.model_facts import MAGIC
from tests.simulators.routes import OPERATIONS, Destination, destination
from tests.simulators.scenarios import Scenario, magic, scenario
from tests.simulators.server import Exchange, Message, Server
from tests.simulators.wire import Reply
from tests.simulators.world import World

_USUAL: dict[str, Play] = {
    "token": oauth.token,
    "tokeninfo": oauth.tokeninfo,
    "revoke": oauth.revoke,
    "userinfo": oauth.userinfo,
    "metadata": metadata.token,
    "metadataValue": metadata.value,
    "generate": generation.echo,
    "countTokens": generation.count,
    "embed": embeddings.embed,
    "models": listing.models,
    "loadCodeAssist": code_assist.load,
    "onboardUser": code_assist.onboard,
    "operation": code_assist.operation,
    "retrieveUserQuota": code_assist.quota,
    "listExperiments": code_assist.experiments,
    "fetchAdminControls": code_assist.nothing,
    "recordCodeAssistMetrics": code_assist.nothing,
    "getCodeAssistGlobalUserSetting": code_assist.global_setting,
    "setCodeAssistGlobalUserSetting": code_assist.set_global_setting,
}


class Google(World):
    """All of Google on one port of 127.0.0.1; with a certificate its APIs are on one with TLS.

    A request that Google would refuse is refused, whatever is scripted: scripts
    are for what Google answers to good requests.
    """

    def __init__(self, port: int = 0, certificate: Path | None = None) -> None:
        super().__init__()
        self._port = port
        self.certificate = certificate
        self._lock = threading.Lock()
        self._arrival = threading.Condition(self._lock)
        self._requests: list[Recorded] = []
        self._count = 0
        self._scripts: dict[str, deque[Play]] = {}
        self._listeners: list[Callable[[Recorded], None]] = []
        self._server: Server | None = None

    def start(self) -> Self:
        self._server = Server(
            self._begin,
            port=self._port,
            scale=lambda: self.scale,
            certificate=self.certificate,
        )
        self._server.start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        assert self._server is not None, "The simulated Google has not been started."
        if self._server.tls_port is not None:
            return f"https://127.0.0.1:{self._server.tls_port}"
        return f"http://{self.metadata_host}"

    @property
    def metadata_host(self) -> str:
        """Host and port of what has no TLS: of the metadata server, and of all else."""
        assert self._server is not None, "The simulated Google has not been started."
        return f"127.0.0.1:{self._server.port}"

    @property
    def open_replies(self) -> int:
        """How many replies are being written at this moment."""
        return self._server.open_replies if self._server else 0

    @property
    def requests(self) -> list[Recorded]:
        """Everything that arrived, in order."""
        with self._lock:
            return list(self._requests)

    def calls(self, operation: str) -> list[Recorded]:
        with self._lock:
            return self._calls(operation)

    def wait_for(self, operation: str, count: int = 1, *, timeout: float = 5) -> list[Recorded]:
        """Wait until so many calls of an operation have arrived; return them."""
        with self._arrival:
            self._arrival.wait_for(lambda: len(self._calls(operation)) >= count, timeout)
            calls = self._calls(operation)
        assert len(calls) >= count, f"{len(calls)} calls of {operation} arrived, not {count}."
        return calls

    def script(self, *replies: Play, on: str = "generate") -> None:
        """Let the next calls of an operation get these replies, before the usual answer again."""
        if on not in OPERATIONS:
            raise ValueError(f"{on!r} is no operation; there are {', '.join(sorted(OPERATIONS))}.")
        with self._lock:
            self._scripts.setdefault(on, deque()).extend(replies)

    def play(self, scenario_id: str) -> Scenario:
        """Script a whole scenario, for each of the operations in it."""
        found = scenario(scenario_id)
        for operation, replies in found.scripts.items():
            self.script(*replies, on=operation)
        return found

    def listen(self, listener: Callable[[Recorded], None]) -> None:
        """Be told of every request as it arrives, on the server's thread."""
        self._listeners.append(listener)

    def reset(self) -> None:
        """Forget requests, scripts, revoked tokens and settings; tokens in use stay good."""
        super().reset()
        with self._lock:
            self._requests.clear()
            self._scripts.clear()

    def _calls(self, operation: str) -> list[Recorded]:
        return [recorded for recorded in self._requests if recorded.operation == operation]

    def _begin(self, message: Message) -> Exchange:
        recorded = _recorded(message)
        with self._lock:
            self._requests.append(recorded)
            self._count += 1
            call = Call(recorded, self, self._count)
            self._arrival.notify_all()
        for listener in self._listeners:
            listener(recorded)
        try:
            reply = self._reply(call)
        except Exception:  # noqa: BLE001  a mistake in the simulator or a script must be seen
            reply = Reply(
                500, (("Content-Type", "text/plain"),), (traceback.format_exc().encode(),)
            )
        return Exchange(reply, recorded.done, recorded.left)

    def _reply(self, call: Call) -> Reply:
        if not call.recorded.operation:
            return page(404)
        try:
            admit(call)
        except RefusedError as refused:
            return refused.reply(call)
        return self._next(call)(call)

    def _next(self, call: Call) -> Play:
        """Take what is scripted, else the scenario that the model names, else the usual."""
        operation, model = call.recorded.operation, call.recorded.model or ""
        with self._lock:
            script = self._scripts.get(operation)
            if script:
                return script.popleft()
            if operation == "generate" and model.startswith(MAGIC) and model not in self.models:
                replies = magic(model)
                position = self.positions.get(model, 0)
                self.positions[model] = position + 1
                return replies[position % len(replies)]
        return _USUAL[operation]


def _recorded(message: Message) -> Recorded:
    target = urlsplit(message.target)
    path = unquote(target.path)
    body = _body(message)
    where = destination(message.method, path) or Destination("", None, "", None, None)
    return Recorded(
        method=message.method,
        path=path,
        query=dict(parse_qsl(target.query, keep_blank_values=True)),
        headers=message.headers,
        raw=message.body,
        body=body,
        operation=where.operation,
        upstream=where.upstream,
        model=where.model or _model_in(body),
        stream=where.rpc == "streamGenerateContent",
        at=time.monotonic(),
    )


def _body(message: Message) -> object:
    kind = message.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(message.body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return msgspec.json.decode(message.body)
    except (ValueError, RecursionError):
        return None


def _model_in(body: object) -> str | None:
    """Code Assist's model stands in the body: outside the request, or inside it to count."""
    if not isinstance(body, dict):
        return None
    inner = body.get("request")
    name = body.get("model") or (inner.get("model") if isinstance(inner, dict) else None)
    return name.removeprefix("models/") if isinstance(name, str) else None
