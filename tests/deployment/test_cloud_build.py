"""What Cloud Build does, run here with the real gateway where the new revision would be."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.settings import Secret
from tests.conftest import StartGateway
from tests.deployment import cloud_build
from tests.deployment.stand_ins import ROOT, StandIns
from tests.gateway import API_KEY, HELLO, AccessLog, Gateway
from tests.programs import need
from tests.simulators.secret_manager import SecretManager

STEPS = ["test", "build", "push", "deploy", "smoke", "switch-over"]
DIGEST = "us-central1-docker.pkg.dev/my-project/gemini-gateway/gateway@sha256:abc"


@pytest.fixture
def stand_ins(stand_ins: StandIns) -> StandIns:
    """Programs with an API key in Secret Manager."""
    need("curl", install="curl")
    (stand_ins.memory / "version-of-gemini-gateway-api-key").write_text(f"{API_KEY},sk-another")
    return stand_ins


def changes(stand_ins: StandIns) -> list[str]:
    """Return the calls that change something about the service."""
    calls = [" ".join(call) for call in stand_ins.calls() if call[:2] == ["gcloud", "run"]]
    return [call for call in calls if " describe " not in call]


def test_a_build_ends_with_all_requests_at_the_revision_that_was_tried(
    stand_ins: StandIns, tmp_path: Path, gateway: Gateway
) -> None:
    passed, output = cloud_build.run(stand_ins, tmp_path / "build", GATEWAY=gateway.url)
    assert passed == STEPS, output
    deployed, switched = changes(stand_ins)
    assert f"--image={DIGEST} --no-traffic --tag=candidate" in deployed
    assert "--to-revisions=gemini-gateway-00002-abc=100" in switched


def test_what_a_build_shows_holds_no_key_and_no_token(
    stand_ins: StandIns, tmp_path: Path, gateway: Gateway
) -> None:
    _, output = cloud_build.run(stand_ins, tmp_path / "build", GATEWAY=gateway.url)
    said = output + repr(stand_ins.calls())
    assert not [secret for secret in (API_KEY, "sk-another", "an-identity-token") if secret in said]


def test_the_smoke_test_asks_all_that_a_client_asks(
    stand_ins: StandIns, tmp_path: Path, gateway: Gateway, access_log: AccessLog
) -> None:
    cloud_build.run(stand_ins, tmp_path / "build", GATEWAY=gateway.url)
    assert access_log.wait_for(path="/v1/models")["status"] == 200
    assert access_log.wait_for(path="/v1/chat/completions")["status"] == 200
    (token,) = [call for call in stand_ins.calls() if "print-identity-token" in call]
    assert "--audiences=https://gateway.example" in token, "the service's, whatever the tag"


def test_an_account_without_identity_tokens_of_its_own_makes_one(
    stand_ins: StandIns, tmp_path: Path, gateway: Gateway
) -> None:
    passed, output = cloud_build.run(
        stand_ins, tmp_path / "build", GATEWAY=gateway.url, FAILS="print-identity-token --audiences"
    )
    assert passed == STEPS, output
    (made,) = [call for call in stand_ins.calls() if call[-1].endswith(":generateIdToken")]
    assert '{"audience": "https://gateway.example", "includeEmail": true}' in made
    assert "an-access-token" not in " ".join(made), "every process can read arguments"


@pytest.mark.parametrize(("model", "asked"), [("gemini-2.5-flash", True), ("none", False)])
def test_a_new_revision_is_asked_the_model_that_was_named(
    stand_ins: StandIns,
    tmp_path: Path,
    gateway: Gateway,
    access_log: AccessLog,
    model: str,
    *,
    asked: bool,
) -> None:
    passed, output = cloud_build.run(
        stand_ins, tmp_path / "build", GATEWAY=gateway.url, SMOKE_MODEL=model
    )
    assert passed == STEPS, output
    assert ("chat: ok" in output) is asked
    if asked:
        assert access_log.wait_for(path="/v1/chat/completions")["model"] == model


@pytest.mark.parametrize(
    ("call", "last"),
    [
        ("make test", None),
        ("docker build", "test"),
        ("docker push", "build"),
        ("docker inspect", "build"),
        ("gcloud run deploy", "push"),
        ("gcloud run services describe", "deploy"),
        ("gcloud secrets versions access", "deploy"),
        ("update-traffic", "smoke"),
    ],
)
def test_a_step_that_fails_ends_the_build(
    stand_ins: StandIns, tmp_path: Path, gateway: Gateway, call: str, last: str | None
) -> None:
    passed, _ = cloud_build.run(stand_ins, tmp_path / "build", GATEWAY=gateway.url, FAILS=call)
    assert passed == (STEPS[: STEPS.index(last) + 1] if last else [])
    assert call in " ".join(stand_ins.calls()[-1])


@pytest.mark.parametrize("fault", ["no credentials", "another key", "Google is away"])
def test_a_revision_that_does_not_answer_gets_no_requests(
    stand_ins: StandIns,
    tmp_path: Path,
    start_gateway: StartGateway,
    secret_manager: SecretManager,
    fault: str,
) -> None:
    match fault:
        case "no credentials":
            gateway = start_gateway(
                gcp_service_account=Secret("sm://projects/my-project/secrets/empty"),
                secret_manager_endpoint=secret_manager.address,
            )
        case "another key":
            gateway = start_gateway(openai_api_key=Secret("sk-of-before"))
        case _:
            gateway = start_gateway(code_assist_endpoint="http://127.0.0.1:1")
    passed, output = cloud_build.run(stand_ins, tmp_path / "build", GATEWAY=gateway.url, TRIES="0")
    assert passed == ["test", "build", "push", "deploy"], output
    assert "Requests go on to the revision before." in output
    assert len(changes(stand_ins)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"x-serverless-authorization": "Bearer an-identity-token", "x-api-key": API_KEY},
        {
            "x-serverless-authorization": "Bearer an-identity-token",
            "authorization": f"Bearer {API_KEY}",
        },
        {"authorization": "Bearer an-identity-token", "x-api-key": API_KEY},
    ],
    ids=["both of their own", "the key as the SDKs send it", "the identity as gcloud's proxy does"],
)
def test_a_protected_service_gets_key_and_identity_side_by_side(
    gateway: Gateway, headers: dict[str, str]
) -> None:
    with gateway.client(key=None) as client:
        answer = client.post("/v1/chat/completions", json=HELLO, headers=headers)
    assert answer.status_code == 200


def complaints(program: str, *arguments: str, about: str = "") -> str:
    """Return what a linter of this environment says; empty if it is content."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / program), *arguments],
        input=about,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_the_file_is_what_cloud_build_takes() -> None:
    schema = ("--builtin-schema", "vendor.cloudbuild")
    assert complaints("check-jsonschema", *schema, str(cloud_build.FILE)) == ""


@pytest.mark.parametrize("step", cloud_build.scripts())
def test_the_script_of_a_step_is_sound(step: str) -> None:
    script = cloud_build.scripts()[step]
    assert complaints("shellcheck", "--shell=bash", "-", about=script) == ""


@pytest.mark.parametrize(
    "script",
    [*ROOT.glob("infra/*.sh"), *ROOT.glob("tests/deployment/*.sh"), ROOT / ".ci/run"],
    ids=lambda path: path.name,
)
def test_a_script_is_sound(script: Path) -> None:
    assert complaints("shellcheck", "--external-sources", str(script)) == ""
