"""The commands for Google Cloud take the documented steps, and none after one that fails."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deployment.stand_ins import BUILDER, ROOT, StandIns
from tests.programs import need

SHAPE = [
    "-var=project_id=my-project",
    "-var=region=us-central1",
    "-var=service_name=gemini-gateway",
]
BUCKET = "gs://my-project-tfstate"

#: What `make deploy` does in a project where nothing is: each step, and how its call begins.
DEPLOY = [
    ("log in to my-project", "gcloud projects describe my-project"),
    ("log in to my-project", "gcloud auth print-access-token"),
    ("switch on the APIs that Terraform itself needs", "gcloud services enable"),
    (f"look for Terraform's state, {BUCKET}", "gcloud storage buckets list"),
    (
        f"make the bucket {BUCKET} for Terraform's state",
        f"gcloud storage buckets create {BUCKET}",
    ),
    (
        "keep that bucket private, and its old versions for a month",
        f"gcloud storage buckets update {BUCKET}",
    ),
    ("open Terraform's state", "terraform -chdir=infra init"),
    ("read in which region it is", "terraform -chdir=infra output"),
    ("make and change what infra/ says, in us-central1", "terraform -chdir=infra apply"),
    ("read what was made", "terraform -chdir=infra output"),
    (
        "look for an API key in the secret gemini-gateway-api-key",
        "gcloud secrets versions list gemini-gateway-api-key",
    ),
    ("make an API key there", "gcloud secrets versions add gemini-gateway-api-key"),
    (
        "look for a version of the secret gemini-gateway-oauth-credentials",
        "gcloud secrets versions list gemini-gateway-oauth-credentials",
    ),
    (
        "look for a version of the secret gemini-gateway-gemini-api-key",
        "gcloud secrets versions list gemini-gateway-gemini-api-key",
    ),
    (
        "test, build, deploy, try and switch over, in Cloud Build",
        "gcloud builds submit . --project=my-project",
    ),
]
#: Calls that fail one at a time; the second of two that look alike is told apart by a test below.
FAILING = [each for each in DEPLOY if each[0] != "read what was made"]


@pytest.fixture
def stand_ins(stand_ins: StandIns) -> StandIns:
    """Programs with no account behind them; the service, once made, is in us-central1."""
    need("make", install="make")
    outputs = stand_ins.memory / "outputs"
    outputs.write_text(outputs.read_text().replace("europe-west1", "us-central1"))
    return stand_ins


def made(
    stand_ins: StandIns, command: str, *variables: str, **environ: str
) -> "subprocess.CompletedProcess[str]":
    # the real make, which the stand-in of that name would hide
    (stand_ins.programs / "make").unlink(missing_ok=True)
    return stand_ins.run("make", command, "PROJECT=my-project", *variables, environ=environ)


def steps_of(done: "subprocess.CompletedProcess[str]") -> list[str]:
    return re.findall(r"^==> (.*)$", done.stdout, re.MULTILINE)


def begin(stand_ins: StandIns) -> list[str]:
    return [" ".join(call) for call in stand_ins.calls()]


def ends_as(calls: list[str], expected: list[str]) -> bool:
    pairs = zip(calls, expected, strict=True)
    return all(call.startswith(beginning) for call, beginning in pairs)


def test_deploy_takes_the_documented_steps(stand_ins: StandIns) -> None:
    done = made(stand_ins, "deploy")
    assert done.returncode == 0, done.stdout
    assert ends_as(begin(stand_ins), [call for _, call in DEPLOY])
    assert steps_of(done) == list(dict.fromkeys(step for step, _ in DEPLOY))
    assert "https://gateway.example/v1" in done.stdout


def test_bootstrap_takes_the_first_of_them(stand_ins: StandIns) -> None:
    done = made(stand_ins, "bootstrap")
    assert done.returncode == 0, done.stdout
    assert ends_as(begin(stand_ins), [call for _, call in DEPLOY[:9]])


@pytest.mark.parametrize(("step", "call"), FAILING, ids=[call for _, call in FAILING])
def test_a_step_that_fails_is_the_last_and_is_named(
    stand_ins: StandIns, step: str, call: str
) -> None:
    done = made(stand_ins, "deploy", FAILS=call)
    assert done.returncode != 0
    assert f"This step failed: {step}." in done.stdout
    assert steps_of(done)[-1] == step
    assert begin(stand_ins)[-1].startswith(call)

    again = made(stand_ins, "deploy")
    assert again.returncode == 0, again.stdout


def test_outputs_that_are_missing_stop_it_before_a_key_is_made(stand_ins: StandIns) -> None:
    (stand_ins.memory / "outputs").write_text('url = "https://gateway.example"\n')
    done = made(stand_ins, "deploy")
    assert done.returncode != 0
    assert "This step failed: read what was made." in done.stdout
    assert stand_ins.remembers("version-of-gemini-gateway-api-key") is None


def test_a_secret_that_only_the_operator_has_is_missed_and_not_waited_for(
    stand_ins: StandIns,
) -> None:
    done = made(stand_ins, "deploy")
    assert "make credentials PROJECT=my-project" in done.stdout
    assert "gcloud secrets versions add gemini-gateway-gemini-api-key" in done.stdout

    for name in ("oauth-credentials", "gemini-api-key"):
        (stand_ins.memory / f"version-of-gemini-gateway-{name}").touch()
    assert "There is none." not in made(stand_ins, "deploy").stdout


def test_a_second_deploy_makes_no_second_key_and_no_second_bucket(stand_ins: StandIns) -> None:
    first = made(stand_ins, "deploy")
    key = stand_ins.remembers("version-of-gemini-gateway-api-key")
    assert key
    assert re.fullmatch(r"sk-[0-9a-f]{48}", key)
    assert first.stdout.count(key) == 1

    stand_ins.forget_calls()
    second = made(stand_ins, "deploy")
    assert second.returncode == 0, second.stdout
    assert stand_ins.remembers("version-of-gemini-gateway-api-key") == key
    assert key not in second.stdout
    assert not [call for call in begin(stand_ins) if " create " in call or " add " in call]
    how = "gcloud secrets versions access latest --secret=gemini-gateway-api-key"
    assert how in second.stdout


def test_a_new_key_is_shown_although_the_build_fails_and_is_nobodys_argument(
    stand_ins: StandIns,
) -> None:
    done = made(stand_ins, "deploy", FAILS="builds submit")
    key = stand_ins.remembers("version-of-gemini-gateway-api-key")
    assert done.returncode != 0
    assert key
    assert done.stdout.count(key) == 1
    assert not [call for call in begin(stand_ins) if key in call]


def test_a_key_that_could_not_be_kept_is_not_shown(stand_ins: StandIns) -> None:
    done = made(stand_ins, "deploy", FAILS="versions add")
    assert "sk-" not in done.stdout


@pytest.mark.parametrize(
    ("variables", "approved"), [((), False), (("APPROVE=true",), True)], ids=["asked", "approved"]
)
def test_terraform_asks_before_it_changes_anything_unless_told_not_to(
    stand_ins: StandIns, variables: tuple[str, ...], *, approved: bool
) -> None:
    made(stand_ins, "bootstrap", *variables)
    apply = stand_ins.calls()[-1]
    assert ("-auto-approve" in apply) is approved
    assert apply[-3:] == SHAPE


def test_a_service_stays_in_its_region(stand_ins: StandIns) -> None:
    made(stand_ins, "bootstrap", "REGION=us-central1")
    stand_ins.forget_calls()
    moved = made(stand_ins, "deploy", "REGION=europe-west1")
    assert moved.returncode != 0
    assert "gemini-gateway is in us-central1, not in europe-west1." in moved.stdout
    assert not [call for call in begin(stand_ins) if " apply" in call]

    again = made(stand_ins, "bootstrap")
    assert again.returncode == 0
    assert "-var=region=us-central1" in stand_ins.calls()[-1]


def test_the_build_is_told_where_and_as_whom(stand_ins: StandIns) -> None:
    made(stand_ins, "deploy", "SERVICE=gemini-gateway")
    submit = stand_ins.calls()[-1]
    assert f"--service-account=projects/my-project/serviceAccounts/{BUILDER}" in submit
    assert "--gcs-source-staging-dir=gs://my-project-gemini-gateway-build/source" in submit
    (told,) = [each for each in submit if each.startswith("--substitutions=")]
    assert "_REGION=us-central1,_SERVICE=gemini-gateway," in told
    assert ",_SMOKE_MODEL=gemini-2.5-flash," in told


def test_a_build_that_fails_says_where_its_log_is(stand_ins: StandIns) -> None:
    done = made(stand_ins, "deploy", FAILS="builds submit")
    assert "gcloud logging read resource.type=build --project=my-project" in done.stdout


@pytest.mark.parametrize("told", ["", "someone@example.com"])
def test_alerts_that_tell_nobody_are_mentioned(stand_ins: StandIns, told: str) -> None:
    outputs = stand_ins.memory / "outputs"
    outputs.write_text(outputs.read_text().replace('alerts_tell = ""', f'alerts_tell = "{told}"'))
    assert ("nobody is told" in made(stand_ins, "deploy").stdout) is not bool(told)


@pytest.mark.parametrize("name", ["terraform.tfvars", "mine.auto.tfvars"])
@pytest.mark.parametrize("line", ['region = "europe-west1"', ' service_name="x"', "project_id = 1"])
def test_what_the_commands_say_is_not_said_in_a_file_too(
    stand_ins: StandIns, tmp_path: Path, name: str, line: str
) -> None:
    copy = shutil.copytree(ROOT / "infra", tmp_path / "copy/infra")
    (copy / name).write_text(f'upstreams = ["vertex"]\n{line}\n')
    done = stand_ins.run(str(copy / "deploy.sh"), "plan", environ={"PROJECT": "my-project"})
    assert done.returncode == 2
    assert f"infra/{name} must not set project_id, region or service_name." in done.stdout
    assert stand_ins.calls() == []


def test_another_login_than_gclouds_is_left_to_terraform(stand_ins: StandIns) -> None:
    made(stand_ins, "bootstrap", GOOGLE_APPLICATION_CREDENTIALS="/a/file")
    assert "gcloud auth print-access-token" not in begin(stand_ins)


PROTECTIONS: list[dict[str, Any]] = [
    {"deletion_protection": True},
    {"delete_protection_state": "DELETE_PROTECTION_ENABLED"},
    {"deletion_policy": "PREVENT"},
]


@pytest.mark.parametrize("values", PROTECTIONS, ids=lambda values: next(iter(values)))
def test_destroy_refuses_while_anything_is_protected(
    stand_ins: StandIns, values: dict[str, Any]
) -> None:
    made(stand_ins, "bootstrap")
    stand_ins.set_state(values)
    stand_ins.forget_calls()
    done = made(stand_ins, "destroy", "APPROVE=true")
    assert done.returncode != 0
    assert "TF_VAR_deletion_protection=false make bootstrap PROJECT=my-project" in done.stdout
    assert not [call for call in begin(stand_ins) if " destroy" in call]


def test_destroy_destroys_what_is_not_protected_and_asks_first(stand_ins: StandIns) -> None:
    made(stand_ins, "bootstrap")
    stand_ins.set_state({"deletion_protection": False})
    done = made(stand_ins, "destroy")
    assert done.returncode == 0, done.stdout
    assert stand_ins.calls()[-1] == ["terraform", "-chdir=infra", "destroy", *SHAPE]
    assert f"gcloud storage rm {BUCKET} --recursive" in done.stdout


@pytest.mark.parametrize("command", ["plan", "destroy"])
def test_where_nothing_is_it_makes_nothing(stand_ins: StandIns, command: str) -> None:
    done = made(stand_ins, command)
    assert done.returncode != 0
    assert "No bucket my-project-tfstate in my-project" in done.stdout
    assert begin(stand_ins)[-1].startswith("gcloud storage buckets list")


def test_plan_changes_nothing(stand_ins: StandIns) -> None:
    made(stand_ins, "bootstrap")
    stand_ins.forget_calls()
    done = made(stand_ins, "plan")
    assert done.returncode == 0, done.stdout
    changing = re.compile(r" (enable|create|update|add|apply|destroy) ")
    assert not [call for call in begin(stand_ins) if changing.search(call)]
    assert stand_ins.calls()[-1][:3] == ["terraform", "-chdir=infra", "plan"]


def test_rollback_shows_the_revisions_when_none_is_named(stand_ins: StandIns) -> None:
    done = made(stand_ins, "rollback")
    assert done.returncode != 0
    assert begin(stand_ins)[-1].startswith("gcloud run revisions list --service=gemini-gateway")
    assert "REVISION=" in done.stdout


def test_rollback_sends_all_requests_to_one_revision(stand_ins: StandIns) -> None:
    done = made(stand_ins, "rollback", "REVISION=gemini-gateway-00001-xyz")
    assert done.returncode == 0, done.stdout
    assert "--to-revisions=gemini-gateway-00001-xyz=100" in stand_ins.calls()[-1]
    assert "--region=europe-west1" in stand_ins.calls()[-1], "where gcloud says that it is"


def test_logs_reads_the_services_log(stand_ins: StandIns) -> None:
    done = made(stand_ins, "logs", "REGION=europe-west1")
    assert done.returncode == 0, done.stdout
    (call,) = begin(stand_ins)
    assert call.startswith("gcloud logging read resource.type=cloud_run_revision")
    assert "service_name=gemini-gateway resource.labels.location=europe-west1 " in call
    assert "jsonPayload.message" in call


@pytest.mark.parametrize(
    "command", ["bootstrap", "deploy", "plan", "destroy", "credentials", "rollback", "logs"]
)
def test_without_a_project_nothing_is_asked_of_anyone(stand_ins: StandIns, command: str) -> None:
    done = stand_ins.run(str(ROOT / "infra/deploy.sh"), command)
    assert done.returncode == 2
    assert f"make {command} PROJECT=my-project" in done.stdout
    assert stand_ins.calls() == []


@pytest.mark.parametrize("program", ["gcloud", "terraform"])
def test_a_program_that_is_missing_is_named(stand_ins: StandIns, program: str) -> None:
    tools = stand_ins.memory / "tools"
    tools.mkdir()
    for name in ("bash", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or "")
    (stand_ins.programs / program).unlink()
    done = stand_ins.run(
        str(tools / "bash"),
        str(ROOT / "infra/deploy.sh"),
        "deploy",
        environ={"PATH": f"{stand_ins.programs}:{tools}", "PROJECT": "my-project"},
    )
    assert done.returncode == 2
    assert f"{program} is not installed" in done.stdout


LOGIN = '{"access_token": "a", "refresh_token": "1//a-login", "expiry_date": 1}'
CLIENT = {
    "PROJECT": "my-project",
    "OAUTH_CLIENT_ID": "c.apps.googleusercontent.com",
    "OAUTH_CLIENT_SECRET": "s",
}


def test_credentials_become_a_version_of_the_secret_and_are_not_shown(stand_ins: StandIns) -> None:
    # not by make, which would install what the command needs
    login = stand_ins.memory / "oauth_creds.json"
    login.write_text(LOGIN)
    done = stand_ins.run(
        str(ROOT / "infra/deploy.sh"),
        "credentials",
        environ=CLIENT | {"GCP_SERVICE_ACCOUNT_FILE": str(login)},
    )
    assert done.returncode == 0, done.stdout
    kept = stand_ins.remembers("version-of-gemini-gateway-oauth-credentials")
    assert kept
    assert '"refresh_token":"1//a-login"' in kept
    assert "1//a-login" not in done.stdout


def test_credentials_that_are_not_there_are_not_kept(stand_ins: StandIns) -> None:
    done = stand_ins.run(str(ROOT / "infra/deploy.sh"), "credentials", environ=CLIENT)
    assert done.returncode != 0
    assert "This step failed: complete the Gemini CLI's login" in done.stdout
    assert stand_ins.calls() == []
