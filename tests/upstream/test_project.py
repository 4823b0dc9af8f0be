"""Which project Code Assist is asked in, and how often it is asked which."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.errors import GatewayError
from service.schemas.code_assist import CodeAssistProject
from service.upstream import project, setup
from service.upstream.http import GoogleHttp
from service.upstream.project import Project
from tests.conftest import StartGateway
from tests.gateway import HELLO
from tests.simulators.code_assist import load
from tests.simulators.gate import Gate
from tests.simulators.google import Google
from tests.simulators.replies import document, error, hold

PATH = "/v1/chat/completions"
FOUND = CodeAssistProject("sim-project", "gcp-standard-tier")
OTHER = CodeAssistProject("other-project", "standard-tier")


class Memory:
    """A `ProjectMemory` that can be looked into."""

    def __init__(self, known: CodeAssistProject | None = None) -> None:
        self.known = known
        self.reads = 0

    async def known_project(self) -> CodeAssistProject | None:
        self.reads += 1
        return self.known

    def account(self) -> object:
        return self

    async def keep_project(self, project: CodeAssistProject, account: object) -> None:
        assert account is self
        self.known = project


def a_project(
    http: GoogleHttp, google: Google, *, configured: str | None = None, memory: Memory | None = None
) -> Project:
    return Project(http, endpoint=google.url, configured=configured, memory=memory)


def test_the_operators_project_is_used_and_nobody_is_asked(
    start_gateway: StartGateway, google: Google
) -> None:
    with start_gateway(gemini_project_id="mine").client() as client:
        client.post(PATH, json=HELLO)
    assert google.calls("loadCodeAssist") == []
    assert google.calls("generate")[0].body["project"] == "mine"


def test_twenty_cold_requests_find_the_project_once(
    start_gateway: StartGateway, google: Google
) -> None:
    google.play("G16")
    with start_gateway().client() as client, ThreadPoolExecutor(20) as pool:
        asked = list(pool.map(lambda _: client.post(PATH, json=HELLO), range(20)))
        assert client.post(PATH, json=HELLO).status_code == 200
    assert {response.status_code for response in asked} == {200}
    assert len(google.calls("loadCodeAssist")) == 1
    assert {call.body["project"] for call in google.calls("generate")} == {google.project}


@pytest.mark.parametrize(
    ("scenario", "used"),
    [
        ("G1", "sim-project"),
        ("G4", "cogent-x-1"),
        ("G5", "gen-lang-client-0123"),
        ("G14", "sim-project"),
        ("G15", "123456789012"),  # odd, but Google's own word
    ],
)
def test_whatever_the_set_up_took_the_request_is_answered(
    start_gateway: StartGateway,
    google: Google,
    monkeypatch: pytest.MonkeyPatch,
    scenario: str,
    used: str,
) -> None:
    monkeypatch.setattr(setup, "POLL_SECONDS", 0.001)
    google.play(scenario)
    with start_gateway().client() as client:
        assert client.post(PATH, json=HELLO).status_code == 200
    assert google.calls("generate")[0].body["project"] == used


def test_a_set_up_that_never_ends_is_given_up(
    start_gateway: StartGateway, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(project, "SETUP_SECONDS", 0.1)
    google.play("G7")
    with start_gateway().client() as client:
        response = client.post(PATH, json=HELLO)
    assert (response.status_code, response.json()["error"]["code"]) == (504, "upstream_timeout")
    assert "GEMINI_PROJECT_ID" in response.json()["error"]["message"]
    assert google.calls("generate") == []
    assert len(google.calls("onboardUser")) == 1


def test_a_failure_is_not_remembered(start_gateway: StartGateway, google: Google) -> None:
    google.play("G3")
    with start_gateway().client() as client:
        assert client.post(PATH, json=HELLO).status_code == 403
        assert client.post(PATH, json=HELLO).status_code == 200


async def test_a_failure_is_everyones_who_waits(http: GoogleHttp, google: Google) -> None:
    google.script(error(403), on="loadCodeAssist")
    found = a_project(http, google)
    asked = await asyncio.gather(*[found.id() for _ in range(20)], return_exceptions=True)
    assert all(isinstance(outcome, GatewayError) for outcome in asked)
    assert len(google.calls("loadCodeAssist")) == 1


async def test_one_who_leaves_does_not_take_the_search_along(
    http: GoogleHttp, google: Google
) -> None:
    gate = Gate()
    google.script(hold(gate, load), on="loadCodeAssist")
    found = a_project(http, google)
    first, second = (asyncio.create_task(found.find()) for _ in range(2))
    await asyncio.to_thread(google.wait_for, "loadCodeAssist")
    first.cancel()
    gate.open()
    assert await second == FOUND
    assert first.cancelled()
    assert len(google.calls("loadCodeAssist")) == 1


async def test_what_is_found_is_given_to_the_memory(http: GoogleHttp, google: Google) -> None:
    memory = Memory()
    assert await a_project(http, google, memory=memory).id() == FOUND.id
    assert memory.known == FOUND


async def test_what_the_memory_knows_is_not_asked_for(http: GoogleHttp, google: Google) -> None:
    memory = Memory(known=OTHER)
    found = a_project(http, google, memory=memory)
    assert await asyncio.gather(*[found.find() for _ in range(20)]) == [OTHER] * 20
    assert memory.reads == 1, "those who wait share a read, which may go to another machine"
    assert google.requests == []


async def test_what_the_memory_forgets_is_forgotten(http: GoogleHttp, google: Google) -> None:
    """It does when the credential changes: another account, another project."""
    memory = Memory(known=OTHER)
    found = a_project(http, google, memory=memory)
    assert await found.id() == OTHER.id
    memory.known = None
    assert await found.id() == FOUND.id
    memory.known = OTHER
    assert await found.id() == OTHER.id


async def test_a_configured_project_is_looked_up_for_its_tier_alone(
    http: GoogleHttp, google: Google
) -> None:
    memory = Memory(known=OTHER)
    found = a_project(http, google, configured="mine", memory=memory)
    google.script(
        document({"currentTier": {"id": "standard-tier"}}), on="loadCodeAssist"
    )  # names no project
    assert await found.find() == CodeAssistProject("mine", "standard-tier")
    assert google.calls("loadCodeAssist")[0].body["cloudaicompanionProject"] == "mine"
    assert await found.id() == "mine"
    assert memory.known == OTHER, "nothing that a setting decided outlives the setting"
    assert len(google.calls("loadCodeAssist")) == 1
