"""Firestore may be away, or silent: each instance helps itself, and no request is any the wiser."""

import socket
from collections.abc import Iterator
from time import monotonic

import msgspec
import pytest

from service.credentials import firestore as module
from service.credentials.caches import Expendable
from service.settings import Secret, Settings
from tests.conftest import StartGateway
from tests.firestore_emulator import FirestoreEmulator
from tests.fleet.instances import Fleet
from tests.fleet.load import Load, at_once, slowest
from tests.fleet.shared import exercise, share, shared_token
from tests.gateway import HELLO, credential, events
from tests.simulators.google import Google

#: Seconds that the lack of Firestore may add to an answer.
EXTRA = 2.5
COMPLAINT = "the shared token cache cannot be used"


def test_firestore_may_stop_in_the_middle_of_a_load_and_is_used_again_afterwards(
    fleet: Fleet, firestore: FirestoreEmulator, google: Google, settings: Settings
) -> None:
    google.pace = 0.03
    instances = fleet.start(4, settings)
    at_once(instance.chat for instance in instances)

    def refreshes_of_a_rejection(load: Load) -> int:
        known = len(google.calls("token"))
        google.tokens.revoke_all()
        load.round()
        return len(google.calls("token")) - known

    with Load([instance.stream for instance in instances for _ in range(5)]) as load:
        load.round()
        assert refreshes_of_a_rejection(load) == 1
        usual = slowest(load.since(0))

        stopped = monotonic()
        firestore.stop()
        assert [refreshes_of_a_rejection(load) for _ in range(3)] == [len(instances)] * 3
        firestore.start()
        exercise(settings)  # the first calls of a Java program take seconds on a busy machine
        started = monotonic()
        while refreshes_of_a_rejection(load) != 1:
            assert monotonic() - started < 20, "Firestore is not used again."
        shared = shared_token(settings)
        assert slowest(load.since(stopped)) < usual + EXTRA

    assert shared is not None
    assert shared.token.value == google.tokens.current
    for instance in instances:
        complaints = [line for line in instance.log() if COMPLAINT in line["message"]]
        assert len(complaints) == 1


@pytest.fixture
def silent_firestore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"{host}:{port}")
        yield


@pytest.mark.usefixtures("silent_firestore")
def test_firestore_may_be_silent(
    start_gateway: StartGateway,
    google: Google,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "DOWN_SECONDS", 0.1)
    monkeypatch.setattr(Expendable, "_logged_at", -60.0)
    google.pace = 0.03
    gateway = start_gateway(token_cache="firestore", google_cloud_project="sim-project")
    with gateway.client() as client:

        def stream() -> None:
            answer = client.post("/v1/chat/completions", json=HELLO | {"stream": True})
            assert events(answer)[-1] == b"[DONE]"

        streams = [stream] * 20
        cold = at_once(streams)
        usual = max(slowest(at_once(streams)) for _ in range(5))  # others use the machine, too
        google.tokens.revoke_all()
        rejected = at_once(streams)

    assert len(google.calls("token")) == 2
    assert module.CALL_SECONDS < slowest(rejected) < usual + EXTRA
    assert slowest(cold) < usual + EXTRA
    assert len([line for line in caplog.messages if COMPLAINT in line]) == 1


@pytest.mark.parametrize("has_own", [False, True], ids=["shared", "shared and own"])
def test_after_an_outage_what_is_shared_may_be_as_dead_as_what_was_rejected(
    start_gateway: StartGateway,
    firestore: FirestoreEmulator,
    google: Google,
    settings: Settings,
    *,
    has_own: bool,
) -> None:
    assert firestore.running
    own = {"access_token": google.tokens.issue(), "expiry_date": 2e12} if has_own else {}
    document = msgspec.json.decode(credential(google)) | own
    gateway = start_gateway(
        token_cache="firestore",
        google_cloud_project="sim-project",
        gcp_service_account=Secret(msgspec.json.encode(document).decode()),
    )
    with gateway.client() as client:
        assert client.post("/v1/chat/completions", json=HELLO).status_code == 200
        share(settings, google.tokens.issue())
        google.tokens.revoke_all()
        assert client.post("/v1/chat/completions", json=HELLO).status_code == 200
    assert len(google.calls("token")) == (1 if has_own else 2)
