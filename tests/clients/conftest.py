"""Fixtures and hooks, and nothing else. What they build lives in `tests.clients.running`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.clients.running import CLIENTS, Program, running
from tests.gateway import Gateway

StartClient = Callable[[str], Program]


@pytest.fixture(scope="session")
def start_client(one_gateway: Gateway) -> Iterator[StartClient]:
    """Start a client by its name, once: most take seconds to import."""
    started: dict[str, Program] = {}
    with ExitStack() as stack:

        def start(name: str) -> Program:
            if name not in started:
                started[name] = stack.enter_context(running(CLIENTS[name], one_gateway.url))
            return started[name]

        yield start
