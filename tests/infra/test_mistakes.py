"""Mistakes that somebody may make in infra/: each fails what `make check` runs there."""

import re
from typing import Any, NamedTuple

import pytest

from tests.infra.literals import secrets_in_files
from tests.infra.policy import EXCEPTIONS, violations
from tests.infra.terraform import EVERYTHING, Terraform, TerraformError


class Mistake(NamedTuple):
    """In a file the first text is replaced by the second; without a first, that is added."""

    file: str
    old: str
    new: str
    complaint: str
    #: What has to be on for it to be planned.
    variables: dict[str, Any] = {}


_BUCKET = """
resource "google_storage_bucket" "more" {
  name     = "more"
  location = "US"
  %s
}
"""
_GRANT = """
resource "google_project_iam_member" "more" {
  project = var.project_id
  role    = "%s"
  member  = google_service_account.runtime.member
}
"""
_IMPERSONATION = """
resource "google_service_account_iam_member" "more" {
  service_account_id = %s
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.build.member
}
"""
_INVOKERS = """
resource "google_cloud_run_v2_service_iam_member" "more" {
  for_each = %s
  name     = google_cloud_run_v2_service.this.name
  location = google_cloud_run_v2_service.this.location
  role     = "roles/run.invoker"
  member   = each.value
}
"""
_HTTP_CHECK = '    path         = "/ready"\n'
_GRANT_OF_LOGS = 'project = var.project_id\n  role    = "roles/logging.logWriter"'
_ENV = "TOKEN_CACHE              = var.token_cache\n"

MISTAKES = {
    "a misspelled argument": Mistake(
        "cloud_run.tf", "max_instance_request_concurrency", "container_concurrency", "Unsupported"
    ),
    "a missing required argument": Mistake(
        "registry.tf", 'format                 = "DOCKER"\n', "", "Missing required argument"
    ),
    "a wrong block": Mistake("secrets.tf", "auto {}", "automatic {}", "Unsupported block type"),
    "a missing block": Mistake(
        "secrets.tf", "replication {\n    auto {}\n  }\n", "", "Insufficient replication blocks"
    ),
    "a value that is none": Mistake(
        "cloud_run.tf", "EXECUTION_ENVIRONMENT_GEN2", "GEN2", "execution_environment must be one of"
    ),
    "a secret as a literal": Mistake(
        "cloud_run.tf",
        'name => "sm://${google_secret_manager_secret.this[key].secret_id}"',
        'name => "hunter2"',
        "OPENAI_API_KEY is a secret, and not a reference",
    ),
    "a credential in a label": Mistake(
        "build.tf",
        "force_destroy ",
        'labels = { key = "AI' + 'za%s" }\n  force_destroy ' % ("x" * 35),
        "it holds a credential",
    ),
    "a secret in a variable of nobody's": Mistake(
        "cloud_run.tf",
        _ENV,
        f'{_ENV}SOME_PASSWORD = "hunter2hunter2"\n',
        "the gateway has no setting SOME_PASSWORD",
    ),
    "a secret in a variable of another's": Mistake(
        "cloud_run.tf",
        _ENV,
        f'{_ENV}OTEL_EXPORTER_OTLP_HEADERS = "x-team=hunter2"\n',
        "OTEL_EXPORTER_OTLP_HEADERS is a secret",
    ),
    "a variable of OpenTelemetry's that it has not": Mistake(
        "cloud_run.tf", _ENV, f'{_ENV}OTEL_NOTE = "hunter2"\n', "has no setting OTEL_NOTE"
    ),
    "a misspelled setting": Mistake(
        "cloud_run.tf",
        _ENV,
        f'{_ENV}STRICT_PARAM = "true"\n',
        "the gateway has no setting STRICT_PARAM: spell it as a field of service/settings.py",
    ),
    "a variable of Cloud Run's": Mistake(
        "cloud_run.tf", _ENV, f'{_ENV}K_SERVICE = "gateway"\n', "Cloud Run sets K_SERVICE itself"
    ),
    "a secret in a label": Mistake(
        "build.tf",
        "force_destroy ",
        'labels = { api_key = "hunter2" }\n  force_destroy ',
        "google_storage_bucket.source: api_key is a secret",
    ),
    "a secret in the check's header": Mistake(
        "monitoring.tf",
        _HTTP_CHECK,
        f'{_HTTP_CHECK}headers = {{ Authorization = "Bearer abcdef123456abcdef" }}\n',
        "it holds a credential",
    ),
    "a short secret in the check's header": Mistake(
        "monitoring.tf",
        _HTTP_CHECK,
        f'{_HTTP_CHECK}headers = {{ X-Api-Key = "hunter2" }}\n',
        "X-Api-Key is a secret",
    ),
    "a secret in a header of no telling name": Mistake(
        "monitoring.tf",
        _HTTP_CHECK,
        f'{_HTTP_CHECK}headers = {{ X-Team = "hunter2" }}\n',
        "the header X-Team may hold a secret",
    ),
    "a password of the check's": Mistake(
        "monitoring.tf",
        _HTTP_CHECK,
        _HTTP_CHECK + 'auth_info {\n username = "me"\n password = "hunter2"\n }\n',
        "password is a secret",
    ),
    "a secret as an output": Mistake(
        "outputs.tf",
        "",
        'output "admin_password" {\n  value = "hunter2hunter2"\n}\n',
        "output.admin_password: it is a secret",
    ),
    "a secret as an output that is not shown": Mistake(
        "outputs.tf",
        "",
        'output "admin_token" {\n  value     = "hunter2"\n  sensitive = true\n}\n',
        "output.admin_token: it is a secret",
    ),
    "a secret as a default": Mistake(
        "variables.tf",
        "",
        'variable "client_secret" {\n  type    = string\n  default = "hunter2hunter2"\n}\n',
        "var.client_secret: it is a secret",
    ),
    "a secret as an argument": Mistake(
        "cloud_run.tf",
        "      image = var.image\n",
        '      image = var.image\n      args  = ["--key=hunter2"]\n',
        "the image itself says what it runs",
    ),
    "a build as somebody else": Mistake(
        "build.tf",
        "google_service_account.build.id",
        "google_service_account.runtime.id",
        "it does not build as the build's service account",
        EVERYTHING,
    ),
    "a check without TLS": Mistake(
        "monitoring.tf",
        "    use_ssl      = true",
        "    use_ssl      = false",
        "it is asked without TLS",
    ),
    "a condition that always holds": Mistake(
        "identity.tf",
        'databases/${google_firestore_database.this[0].name}\\""',
        'databases/${google_firestore_database.this[0].name}\\" || true"',
        "it is not limited to one database",
    ),
    "a secret by a short name": Mistake(
        "variables.tf",
        "",
        'variable "key" {\n  type    = string\n  default = "hunter2"\n}\n',
        "var.key: it is a secret",
    ),
    "a secret that nothing refers to": Mistake(
        "secrets.tf",
        "",
        'locals {\n  admin = { apiKey = "hunter2hunter2" }\n}\n',
        "secrets.tf: apiKey is a secret's name",
    ),
    "a random string": Mistake(
        "secrets.tf", "", 'locals {\n  salt = "%s"\n}\n' % ("a1b2c3d4" * 4), "holds a credential"
    ),
    "a secret's version": Mistake(
        "secrets.tf",
        "",
        'resource "google_secret_manager_secret_version" "key" {\n'
        '  secret      = google_secret_manager_secret.this["api-key"].id\n'
        "  secret_data = var.project_id\n}\n",
        "puts a secret into Terraform's state",
    ),
    "a bucket that may be public": Mistake("build.tf", "", _BUCKET % "", "it can be made public"),
    "a bucket for everyone": Mistake(
        "build.tf",
        "",
        'resource "google_storage_bucket_iam_member" "more" {\n'
        "  bucket = google_storage_bucket.source.name\n"
        '  role   = "roles/storage.objectViewer"\n'
        '  member = "allUsers"\n}\n',
        "it is open to everyone",
    ),
    "a broad role": Mistake(
        "identity.tf", "", _GRANT % "roles/editor", "roles/editor on var.project_id"
    ),
    "every secret of the project": Mistake(
        "identity.tf",
        "",
        _GRANT % "roles/secretmanager.secretAccessor",
        "roles/secretmanager.secretAccessor on var.project_id",
    ),
    "every database of the project": Mistake(
        "identity.tf", "", _GRANT % "roles/datastore.user", "not limited to one database"
    ),
    "a secret that is not the build's": Mistake(
        "identity.tf",
        'secret_id = google_secret_manager_secret.this["api-key"].secret_id',
        'secret_id = google_secret_manager_secret.this["oauth-credentials"].secret_id',
        'this["oauth-credentials"] to google_service_account.build is not among the roles',
    ),
    "an identity that is not the build's to use": Mistake(
        "identity.tf",
        "",
        _IMPERSONATION % '"projects/p/serviceAccounts/admin@p.iam.gserviceaccount.com"',
        "roles/iam.serviceAccountUser on something else",
    ),
    "the build as an identity of the build's": Mistake(
        "identity.tf",
        "",
        _IMPERSONATION % "google_service_account.build.name",
        "roles/iam.serviceAccountUser on google_service_account.build",
    ),
    "a role in another project": Mistake(
        "identity.tf",
        _GRANT_OF_LOGS,
        _GRANT_OF_LOGS.replace("var.project_id", '"another-project"'),
        "roles/logging.logWriter on something else",
    ),
    "another project's secret of the same name": Mistake(
        "identity.tf",
        'secret_id = google_secret_manager_secret.this["api-key"].secret_id',
        'project = "another-project"\n'
        'secret_id = google_secret_manager_secret.this["api-key"].secret_id',
        "roles/secretmanager.secretAccessor on something else",
    ),
    "another bucket": Mistake(
        "identity.tf",
        "bucket = google_storage_bucket.source.name",
        "bucket = var.project_id",
        "roles/storage.objectViewer on var.project_id",
    ),
    "callers that no variable lets in": Mistake(
        "identity.tf", "", _INVOKERS % 'toset(["domain:example.com"])', "run.invoker on google_"
    ),
    "callers of another variable": Mistake(
        "identity.tf",
        "",
        _INVOKERS % "setunion(var.upstreams, var.alert_emails)",
        "roles/run.invoker on google_cloud_run_v2_service.this to var.upstreams is not among",
    ),
    "an account in the build's place": Mistake(
        "identity.tf",
        'role    = "roles/logging.logWriter"\n  member  = google_service_account.build.member',
        'role    = "roles/logging.logWriter"\n'
        '  member  = var.public ? "serviceAccount:a@b.iam.gserviceaccount.com" '
        ": google_service_account.build.member",
        "granted to serviceAccount:a@b.iam.gserviceaccount.com, whom no variable lets in",
    ),
    "a caller beside the invokers": Mistake(
        "identity.tf",
        "",
        _INVOKERS % 'setunion(var.invokers, ["domain:example.com"])',
        "it is granted to domain:example.com, whom no variable lets in",
    ),
    "a binding": Mistake(
        "identity.tf",
        "",
        'resource "google_project_iam_binding" "more" {\n'
        "  project = var.project_id\n"
        '  role    = "roles/logging.logWriter"\n'
        "  members = [google_service_account.runtime.member]\n}\n",
        "takes from others what they were granted",
    ),
    "no protection": Mistake(
        "cloud_run.tf", "= var.deletion_protection", "= false", "not protected from being deleted"
    ),
    "another identity": Mistake(
        "cloud_run.tf",
        "= google_service_account.runtime.email",
        '= "someone@example.com"',
        "does not run as its own service account",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_found(own_terraform: Terraform, mistake: Mistake) -> None:
    path = own_terraform.folder / mistake.file
    text = path.read_text()
    assert mistake.old in text
    path.write_text(
        text.replace(mistake.old, mistake.new) if mistake.old else f"{text}\n{mistake.new}"
    )
    assert re.search(re.escape(mistake.complaint), complaints(own_terraform, mistake.variables))


def complaints(terraform: Terraform, variables: dict[str, Any]) -> str:
    """Return what `test_terraform.py` would complain of."""
    try:
        plan: dict[str, Any] = terraform.plan(**variables)
    except TerraformError as error:
        return str(error)
    broken = [
        f"{address}: {rule}"
        for address, rule in violations(plan)
        if (address, rule) not in EXCEPTIONS
    ]
    return "\n".join((*broken, *secrets_in_files(terraform.folder)))
