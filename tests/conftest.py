"""Fixtures and hooks, and nothing else. What they build lives in `tests.gateway` and others."""

import logging
from collections.abc import Iterator
from typing import Any, Protocol

import httpx
import pytest

from service.upstream import retry
from tests.firestore_emulator import FirestoreEmulator
from tests.gateway import API_KEY, AccessLog, Gateway, settings_for
from tests.leaks import LEAKS
from tests.programs import need_the_firestore_emulator
from tests.simulators.google import Google
from tests.simulators.secret_manager import SecretManager
from tests.simulators.world import World


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what we got to the files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put last what looks at the whole run."""
    items.sort(key=lambda item: item.path.name == "test_leaks.py")


def pytest_runtest_setup(item: pytest.Item) -> None:
    LEAKS.test = item.nodeid


@pytest.fixture(scope="session", autouse=True)
def leaks() -> Iterator[None]:
    """Search all that the service says in this run for secrets; see `tests.test_leaks`."""
    world = World()
    LEAKS.learn(API_KEY, world.client_secret, *world.refresh_tokens, *world.api_keys)
    with LEAKS.listening():
        yield
    assert LEAKS.offences == []


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def short_waits() -> Iterator[None]:
    """Let the gateway try again at once: its tries are tested, not its patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retry, "LONGEST_BACKOFF", 0.001)
        yield


@pytest.fixture(scope="session")
def one_google() -> Iterator[Google]:
    with Google() as google:
        yield google


@pytest.fixture(scope="session")
def one_gateway(one_google: Google) -> Iterator[Gateway]:
    with Gateway(settings_for(one_google)) as gateway:
        yield gateway


@pytest.fixture
def google(one_google: Google) -> Iterator[Google]:
    """The simulated Google, which remembers nothing of other tests."""
    one_google.reset()
    yield one_google
    one_google.reset()


@pytest.fixture
def gateway(google: Google, one_gateway: Gateway) -> Gateway:
    """A gateway with the usual settings, in front of `google`."""
    del google
    return one_gateway


@pytest.fixture(scope="session")
def one_secret_manager() -> Iterator[SecretManager]:
    with SecretManager() as secret_manager:
        yield secret_manager


@pytest.fixture
def secret_manager(one_secret_manager: SecretManager) -> SecretManager:
    """The simulated Secret Manager, which remembers nothing of other tests."""
    one_secret_manager.reset()
    return one_secret_manager


@pytest.fixture(scope="session")
def one_firestore() -> Iterator[FirestoreEmulator]:
    with FirestoreEmulator(need_the_firestore_emulator()) as firestore:
        yield firestore


@pytest.fixture
def firestore(
    one_firestore: FirestoreEmulator, monkeypatch: pytest.MonkeyPatch
) -> FirestoreEmulator:
    """The Firestore emulator, empty; clients that this process makes go there."""
    if one_firestore.running:
        one_firestore.clear()
    else:
        one_firestore.start()  # a test stopped it
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", one_firestore.address)
    return one_firestore


@pytest.fixture
def access_log() -> Iterator[AccessLog]:
    """The log lines of the requests that this test makes."""
    logger, handler = logging.getLogger("service.access"), AccessLog()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with gateway.client() as client:
        yield client


@pytest.fixture
def stranger(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client without a key."""
    with gateway.client(key=None) as client:
        yield client


class StartGateway(Protocol):
    def __call__(self, **differs: Any) -> Gateway: ...


@pytest.fixture
def start_gateway(google: Google) -> Iterator[StartGateway]:
    """Start gateways with settings of their own; the test's end stops them."""
    started: list[Gateway] = []

    def start(**differs: Any) -> Gateway:
        gateway = Gateway(settings_for(google, **differs)).__enter__()
        started.append(gateway)
        return gateway

    yield start
    for gateway in started:
        gateway.__exit__()
