"""A stand-in for hashicorp/google that knows what its resources look like, and nothing of Google.

    python -m tests.infra.provider

Terraform starts it, reads a line on standard output, and speaks its plugin protocol 6 over a Unix
socket. It checks configurations and plans them, so that `terraform validate`, `test` and `plan`
work without a registry; to apply something is refused.

https://github.com/hashicorp/terraform/blob/main/docs/plugin-protocol/tfplugin6.proto
"""

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc  # type: ignore[import-untyped]
import msgspec

from tests.infra.schema import Block, Schema, read
from tests.infra.wire import join, message, parse, varint_field

_NESTINGS = {"single": 1, "list": 2, "set": 3}
#: MessagePack's extension that stands for a value to be known after the apply.
_UNKNOWN = msgspec.msgpack.Ext(0, b"\0")
_KNOWN_TO_NOBODY = "made up"
Path = list[str | int]


class Provider:
    """Answers Terraform's calls. Each method takes a request's bytes, and returns a response's."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._encoded = join(
            message(1, _schema(schema.provider)),
            *(message(2, _entry(*item)) for item in schema.resources.items()),
            *(message(3, _entry(*item)) for item in schema.data_sources.items()),
        )

    def schemas(self, _: bytes) -> bytes:
        return self._encoded

    def validate_resource(self, request: bytes) -> bytes:
        """Check what Terraform does not: which values are allowed."""
        fields = parse(request)
        block = self._schema.resources[fields[1].decode()]
        return join(*(message(1, each) for each in _faults(_value(fields[2]), block, [])))

    def plan_resource(self, request: bytes) -> bytes:
        """Plan what is wanted; what Google would add is not known yet."""
        fields = parse(request)
        planned = _value(fields[3])
        if planned is not None:
            for name, attribute in self._schema.resources[fields[1].decode()].attributes.items():
                if attribute.computed and planned.get(name) is None:
                    planned[name] = _UNKNOWN
        # As one of the providers from before Terraform checked all that they answer
        return message(1, _encoded(planned)) + varint_field(5, 1)

    def read_data_source(self, request: bytes) -> bytes:
        fields = parse(request)
        found = _value(fields[2])
        for name, attribute in self._schema.data_sources[fields[1].decode()].attributes.items():
            if attribute.computed and found[name] is None and attribute.type == "string":
                found[name] = _KNOWN_TO_NOBODY
        return message(1, _encoded(found))

    def methods(self) -> dict[str, Callable[[bytes], bytes]]:
        refusal = _fault("This provider knows schemas only. In a test: mock_provider.")
        return {
            "GetProviderSchema": self.schemas,
            "GetFunctions": _nothing,
            "ValidateProviderConfig": _nothing,
            "ValidateResourceConfig": self.validate_resource,
            "ValidateDataResourceConfig": _nothing,
            "ConfigureProvider": _nothing,
            "StopProvider": _nothing,
            "PlanResourceChange": self.plan_resource,
            "ReadDataSource": self.read_data_source,
            "ReadResource": lambda _: message(2, refusal),
            "ApplyResourceChange": lambda _: message(3, refusal),
        }


def _nothing(_: bytes) -> bytes:
    return b""


def _entry(name: str, block: Block) -> bytes:
    return message(1, name.encode()) + message(2, _schema(block))


def _schema(block: Block) -> bytes:
    return message(2, _block(block))


def _block(block: Block) -> bytes:
    attributes = (
        join(
            message(1, name.encode()),
            message(2, msgspec.json.encode(attribute.type)),
            varint_field(4, attribute.required),
            varint_field(5, attribute.optional),
            varint_field(6, attribute.computed),
        )
        for name, attribute in block.attributes.items()
    )
    blocks = (
        join(
            message(1, name.encode()),
            message(2, _block(nested.block)),
            varint_field(3, _NESTINGS[nested.nesting]),
            varint_field(4, nested.min_items),
            varint_field(5, nested.max_items),
        )
        for name, nested in block.blocks.items()
    )
    return join(*(message(2, each) for each in attributes), *(message(3, each) for each in blocks))


def _faults(value: Any, block: Block, path: Path) -> Iterator[bytes]:
    for name, attribute in block.attributes.items():
        given = value.get(name)
        if attribute.values and isinstance(given, str) and given not in attribute.values:
            allowed = ", ".join(attribute.values)
            yield _fault(f"{name} must be one of {allowed}, not {given}.", [*path, name])
    for name, nested in block.blocks.items():
        inner = value.get(name)
        if nested.nesting != "single" and isinstance(inner, list):
            for position, each in enumerate(inner):
                where: Path = [position] if nested.nesting == "list" else []
                yield from _faults(each, nested.block, [*path, name, *where])


def _fault(summary: str, path: Path | None = None) -> bytes:
    steps = (
        message(1, message(1, step.encode()) if isinstance(step, str) else varint_field(3, step))
        for step in path or []
    )
    return join(
        varint_field(1, 1),  # an error
        message(2, summary.encode()),
        message(4, join(*steps)) if path else b"",
    )


def _value(dynamic: bytes) -> Any:
    return msgspec.msgpack.decode(parse(dynamic)[1])


def _encoded(value: Any) -> bytes:
    return message(1, msgspec.msgpack.encode(value))


def serve(provider: Provider) -> None:
    """Serve until Terraform says that it is done."""
    done = threading.Event()

    def shut_down(_: bytes) -> bytes:
        done.set()
        return b""

    def stdio(_: bytes, __: grpc.ServicerContext) -> Iterator[bytes]:
        done.wait()
        return iter(())

    services = {
        "tfplugin6.Provider": {name: _unary(call) for name, call in provider.methods().items()},
        "plugin.GRPCController": {"Shutdown": _unary(shut_down)},
        "plugin.GRPCStdio": {"StreamStdio": grpc.unary_stream_rpc_method_handler(stdio)},
    }
    unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(8), options=unlimited)
    server.add_generic_rpc_handlers(
        tuple(grpc.method_handlers_generic_handler(*service) for service in services.items())
    )
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/socket"
        server.add_insecure_port(f"unix://{socket}")
        server.start()
        sys.stdout.write(f"1|6|unix|{socket}|grpc\n")
        sys.stdout.flush()
        done.wait()
        server.stop(0.1).wait()
    os._exit(0)  # a thread still waits for what Terraform will not say


def _unary(call: Callable[[bytes], bytes]) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(lambda request, _: call(request))


if __name__ == "__main__":
    serve(Provider(read()))
