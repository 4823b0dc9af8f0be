"""`doctor`, with each part broken in turn."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec import structs

from service.commands.doctor import Examination, Outcome, remaining
from service.commands.examined import load_credential, open_parts
from service.credentials import issuers
from service.errors import QuotaExhaustedError
from service.schemas.code_assist import QuotaBucket
from service.settings import Secret, Settings, load
from tests.commands.browsing import get
from tests.commands.running import ROOT, run
from tests.faults.ways import settings_of_ways
from tests.firestore_emulator import FirestoreEmulator
from tests.gateway import credential, settings_for
from tests.simulators.google import Google
from tests.simulators.replies import document, drop, page
from tests.simulators.secret_manager import SecretManager

CHECKS = ["settings", "credentials", "refresh", "firestore", "project", "quota", "generation"]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuers, "RETRY_DELAYS", (0.001, 0.001, 0.001))


@pytest.fixture(autouse=True)
def no_firestore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")


async def examine(settings: Settings, checks: Sequence[str] = CHECKS) -> list[Outcome]:
    outcomes: list[Outcome] = []
    examination = Examination(lambda: settings, load_credential, open_parts)
    passed = await examination.run(outcomes.append)
    assert [outcome.check for outcome in outcomes] == list(checks)
    assert passed == all(outcome.status == "ok" for outcome in outcomes)
    return outcomes


async def test_all_is_well(google: Google) -> None:
    outcomes = await examine(settings_for(google))
    assert {outcome.status for outcome in outcomes} == {"ok"}
    assert [len(google.calls(name)) for name in ("token", "generate")] == [1, 1]


async def test_firestore_is_used_and_left_as_it_was(
    google: Google, firestore: FirestoreEmulator
) -> None:
    settings = structs.replace(
        settings_for(google), token_cache="firestore", google_cloud_project="sim-project"
    )
    outcomes = await examine(settings)
    assert "can be read and written" in outcomes[3].message
    where = "projects/sim-project/databases/(default)/documents/gateway"
    left = get(f"http://{firestore.address}/v1/{where}").json()["documents"]
    assert not [document for document in left if "doctor" in document["name"]]


@pytest.mark.parametrize("setting", ["gcp_service_account", "openai_api_key"])
async def test_a_reference_that_leads_nowhere_is_named(
    google: Google, secret_manager: SecretManager, setting: str
) -> None:
    reference = "sm://projects/p/secrets/none"
    differs: dict[str, Any] = {setting: Secret(reference)}
    outcomes = await examine(
        structs.replace(
            settings_for(google), secret_manager_endpoint=secret_manager.address, **differs
        )
    )
    assert outcomes[1].status == "failed"
    assert outcomes[1].message.startswith(f"{reference} does not exist")


def revoke(google: Google) -> None:
    google.revoked_refresh_tokens.add("1//sim-refresh")


class Broken(NamedTuple):
    part: str
    says: str
    by: Callable[[Google], object] = bool
    differs: Mapping[str, Any] = {}


BROKEN = {
    "document": Broken(
        "credentials", "GCP_SERVICE_ACCOUNT", differs={"gcp_service_account": Secret("{")}
    ),
    "no document": Broken(
        "credentials",
        "GCP_SERVICE_ACCOUNT_FILE",
        differs={"gcp_service_account": None, "gcp_service_account_file": "/nonexistent/x"},
    ),
    "refresh token": Broken("refresh", "credentials login", revoke),
    "client": Broken("refresh", "OAUTH_CLIENT_ID", lambda google: google.play("F6")),
    "token endpoint": Broken(
        "refresh",
        "could not be reached",
        lambda google: google.script(*[drop()] * 4, on="token"),
    ),
    "firestore": Broken(
        "firestore",
        "could not be used",
        differs={"token_cache": "firestore", "google_cloud_project": "p"},
    ),
    "account": Broken("project", "Google says", lambda google: google.play("G9")),
    "quota": Broken(
        "quota",
        "Nothing is left",
        lambda google: google.script(
            document({"buckets": [{"modelId": "m"}]}), on="retrieveUserQuota"
        ),
    ),
    "generation": Broken(
        "generation", "model", lambda google: google.script(page(404), on="generate")
    ),
}
NEED = {
    "credentials": ["refresh", "firestore", "project", "quota", "generation"],
    "refresh": ["project", "quota", "generation"],
    "project": ["quota", "generation"],
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))
async def test_the_part_that_is_broken_is_named(google: Google, broken: Broken) -> None:
    broken.by(google)
    outcomes = await examine(structs.replace(settings_for(google), **broken.differs))
    failed, skipped = (
        [outcome.check for outcome in outcomes if outcome.status == status]
        for status in ("failed", "skipped")
    )
    assert (failed, skipped) == ([broken.part], NEED.get(broken.part, []))
    (message,) = (outcome.message for outcome in outcomes if outcome.status == "failed")
    assert broken.says in message
    assert "your API key is fine" not in message, "it is the operator who reads"
    assert "1//sim-refresh" not in repr(outcomes)


async def test_settings_that_cannot_be_read_leave_nothing_to_check() -> None:
    outcomes: list[Outcome] = []
    examination = Examination(lambda: load({"PORT": "http"}), load_credential, open_parts)
    assert not await examination.run(outcomes.append)
    assert [outcome.status for outcome in outcomes] == ["failed", *["skipped"] * 6]
    assert "PORT must be" in outcomes[0].message


def buckets(**left: float) -> list[QuotaBucket]:
    return [QuotaBucket(model_id=model, remaining_fraction=share) for model, share in left.items()]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (buckets(pro=1, flash=1), "Left: all of it."),
        (buckets(pro=0.874, flash=1), "Left: 87% of pro's, all of 1 other models'."),
        (buckets(pro=0, flash=0.5), "Left: 0% of pro's, 50% of flash's."),
        ([], "Google counts nothing."),
    ],
)
def test_the_quota_is_told_for_each_model(given: list[QuotaBucket], says: str) -> None:
    assert remaining(given) == says


def test_a_quota_that_is_used_up_says_until_when() -> None:
    used_up = QuotaBucket(model_id="pro", reset_time="2026-11-23T08:00:00Z")
    with pytest.raises(QuotaExhaustedError, match="2026-11-23T08:00:00Z"):
        remaining([used_up])


def environment(google: Google) -> dict[str, str]:
    return {
        "GCP_SERVICE_ACCOUNT": credential(google),
        "OPENAI_API_KEY": "k",
        "CODE_ASSIST_ENDPOINT": google.url,
        "OAUTH_TOKEN_URL": f"{google.url}/token",
    }


def test_it_prints_a_line_each_and_exits_0(google: Google) -> None:
    done = run("doctor", **environment(google))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        [name, "ok"] for name in CHECKS
    ]
    assert done.stderr == ""


def test_the_readme_shows_what_it_prints(google: Google) -> None:
    readme = (ROOT / "README.md").read_text()
    (shown,) = re.findall(r"^```text\n(settings .*?)^```$", readme, re.DOTALL | re.MULTILINE)
    printed = run("doctor", **environment(google)).stdout
    assert re.sub(r"[\d.]+ s", "", printed) == re.sub(r"[\d.]+ s", "", shown)


def test_it_exits_1_and_says_so_in_json(google: Google) -> None:
    google.play("F4")
    done = run("doctor", "--json", **environment(google))
    report = msgspec.json.decode(done.stdout)
    assert (done.returncode, report["ok"]) == (1, False)
    assert [check["check"] for check in report["checks"]] == CHECKS
    assert report["checks"][2]["code"] == "credentials_revoked"
    for secret in ("1//sim-refresh", google.client_secret):
        assert secret not in done.stdout + done.stderr


VERTEX = ["settings", "refresh", "project", "generation"]
KEY = ["settings", "credentials", "generation"]
ALL = [
    "settings",
    *(f"code_assist.{name}" for name in CHECKS[1:]),
    *(f"vertex.{name}" for name in VERTEX[1:]),
    *(f"gemini_api.{name}" for name in KEY[1:]),
]


@pytest.mark.parametrize(
    ("upstreams", "checks"),
    [
        ("vertex", VERTEX),
        ("gemini_api", KEY),
        ("code_assist,vertex,gemini_api", ALL),
    ],
)
async def test_each_way_has_its_checks(upstreams: str, checks: list[str], google: Google) -> None:
    outcomes = await examine(
        settings_for(google, **settings_of_ways(google, upstreams=upstreams)), checks
    )
    assert {outcome.status for outcome in outcomes} == {"ok"}
    generations = [outcome for outcome in outcomes if outcome.check.endswith("generation")]
    for name, outcome in zip(upstreams.split(","), generations, strict=True):
        assert f"by way of {name} " in outcome.message


async def test_a_way_that_is_closed_leaves_the_others_well(google: Google) -> None:
    google.api_keys.clear()
    outcomes = await examine(settings_for(google, **settings_of_ways(google)), ALL)
    (failed,) = [outcome for outcome in outcomes if outcome.status == "failed"]
    assert failed.check == "gemini_api.generation"
    assert "https://aistudio.google.com/apikey" in failed.message
