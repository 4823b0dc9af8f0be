"""Secret Manager: a gRPC server on loopback that speaks Google's own messages.

It imports gRPC and Google's library, which takes a second; so nothing else here imports it.
"""

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Self

import grpc  # type: ignore[import-untyped]
from google.cloud.secretmanager_v1 import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    AddSecretVersionRequest,
    SecretPayload,
    SecretVersion,
)

from tests.simulators.gate import Gate

_SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"


@dataclass
class Version:
    payload: bytes
    disabled: bool = False


class SecretManager:
    """`with SecretManager() as secrets`: serves until the end of the block.

    `calls` holds the method and the resource's name of each call, in order of arrival. A server
    that was stopped keeps its secrets, and starts on the same port again.
    """

    def __init__(self) -> None:
        self._port = 0
        self._arrival = threading.Condition()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event
        self.reset()

    def reset(self) -> None:
        """Forget secrets, calls and what was to fail."""
        self.calls: list[tuple[str, str]] = []
        self.corrupt = False  #: whether payloads come with another one's checksum
        self._secrets: dict[str, list[Version]] = {}
        self._failures: defaultdict[str, deque[str]] = defaultdict(deque)
        self._gate: Gate | None = None

    def start(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="Secret Manager", daemon=True
        )
        self._thread.start()
        assert ready.wait(10), f"The simulated Secret Manager cannot listen on port {self._port}."
        return self

    def stop(self) -> None:
        """Break what is open, and wait until the server is gone."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def add(self, name: str, payload: bytes) -> None:
        """Add a version to `projects/P/secrets/S`, which the first one makes."""
        self._secrets.setdefault(name, []).append(Version(payload))

    def remove(self, name: str) -> None:
        del self._secrets[name]

    def versions(self, name: str) -> list[bytes]:
        return [version.payload for version in self._secrets.get(name, [])]

    def disable(self, name: str, version: int) -> None:
        self._secrets[name][version - 1].disabled = True

    def fail(self, method: str, code: str, times: int = 1) -> None:
        """Answer the next calls of `AccessSecretVersion` or `AddSecretVersion` with an error.

        `code` is the name of a gRPC status, such as PERMISSION_DENIED.
        """
        self._failures[method].extend([code] * times)

    def mend(self) -> None:
        """Let the next calls succeed, whatever was to fail."""
        self._failures.clear()

    def hold(self) -> Gate:
        """Let calls from now on wait until the gate is opened."""
        self._gate = Gate()
        return self._gate

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        # Without the option two servers on one port would share its connections.
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((self._handlers(),))
        self._port = server.add_insecure_port(self.address)
        await server.start()
        ready.set()
        await self._stopping.wait()
        await server.stop(grace=None)

    def wait_for(self, method: str, count: int = 1, *, timeout: float = 5) -> None:
        """Wait until so many calls of a method have arrived."""
        with self._arrival:
            arrived = self._arrival.wait_for(
                lambda: sum(called == method for called, _ in self.calls) >= count, timeout
            )
        assert arrived, f"{self.calls} are not {count} calls of {method}."

    def _handlers(self) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            _SERVICE,
            {
                "AccessSecretVersion": _handler(
                    self._access, AccessSecretVersionRequest, AccessSecretVersionResponse
                ),
                "AddSecretVersion": _handler(self._add, AddSecretVersionRequest, SecretVersion),
            },
        )

    async def _begin(self, method: str, name: str, context: grpc.aio.ServicerContext) -> None:
        with self._arrival:
            self.calls.append((method, name))
            self._arrival.notify_all()
        if self._gate is not None:
            await self._gate.wait()
        if failures := self._failures[method]:
            await _abort(context, failures.popleft(), "This was asked for.")

    async def _access(
        self, request: AccessSecretVersionRequest, context: grpc.aio.ServicerContext
    ) -> AccessSecretVersionResponse:
        await self._begin("AccessSecretVersion", request.name, context)
        parent, _, wanted = request.name.rpartition("/versions/")
        versions = self._secrets.get(parent)
        if not versions:
            await _abort(context, "NOT_FOUND", f"Secret [{parent}] not found or has no versions.")
        # `latest` is the newest version, enabled or not.
        number = len(versions) if wanted == "latest" else int(wanted) if wanted.isdigit() else 0
        if not 1 <= number <= len(versions):
            await _abort(context, "NOT_FOUND", f"Secret Version [{request.name}] not found.")
        version, name = versions[number - 1], f"{parent}/versions/{number}"
        if version.disabled:
            message = f"Secret Version [{name}] is in DISABLED state."
            await _abort(context, "FAILED_PRECONDITION", message)
        payload = SecretPayload(
            data=version.payload, data_crc32c=crc32c(version.payload) ^ self.corrupt
        )
        return AccessSecretVersionResponse(name=name, payload=payload)

    async def _add(
        self, request: AddSecretVersionRequest, context: grpc.aio.ServicerContext
    ) -> SecretVersion:
        await self._begin("AddSecretVersion", request.parent, context)
        data = request.payload.data
        if request.parent not in self._secrets:
            await _abort(context, "NOT_FOUND", f"Secret [{request.parent}] not found.")
        if "data_crc32c" in request.payload and request.payload.data_crc32c != crc32c(data):
            await _abort(context, "INVALID_ARGUMENT", "The checksum is not the payload's.")
        self.add(request.parent, data)
        number = len(self.versions(request.parent))
        return SecretVersion(
            name=f"{request.parent}/versions/{number}", state=SecretVersion.State.ENABLED
        )


def _handler(
    method: Callable[[Any, grpc.aio.ServicerContext], Awaitable[object]], request: Any, reply: Any
) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(
        method, request_deserializer=request.deserialize, response_serializer=reply.serialize
    )


async def _abort(context: grpc.aio.ServicerContext, code: str, message: str) -> NoReturn:
    await context.abort(grpc.StatusCode[code], message)
    raise AssertionError("abort always raises.")


def crc32c(data: bytes) -> int:
    """Return the checksum, written as its definition: not as the service does it."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF
