"""Mistakes that somebody may make in infra/: each fails what `make check` runs there."""

import re
from typing import Any, NamedTuple

import pytest

from tests.infra.policy import EXCEPTIONS, violations
from tests.infra.terraform import Terraform, TerraformError


class Mistake(NamedTuple):
    """In a file the first text is replaced by the second; without a first, that is added."""

    file: str
    old: str
    new: str
    complaint: str


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
    "a broad role": Mistake("identity.tf", "", _GRANT % "roles/editor", "roles/editor on project"),
    "every secret of the project": Mistake(
        "identity.tf",
        "",
        _GRANT % "roles/secretmanager.secretAccessor",
        "roles/secretmanager.secretAccessor on project",
    ),
    "every database of the project": Mistake(
        "identity.tf", "", _GRANT % "roles/datastore.user", "not limited to one database"
    ),
    "a secret that is not the build's": Mistake(
        "identity.tf",
        'secret_id = google_secret_manager_secret.this["api-key"].secret_id',
        'secret_id = google_secret_manager_secret.this["oauth-credentials"].secret_id',
        "the build may read more than the API key",
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
    assert re.search(re.escape(mistake.complaint), complaints(own_terraform))


def complaints(terraform: Terraform) -> str:
    """Return what `test_terraform.py` would complain of."""
    try:
        plan: dict[str, Any] = terraform.plan()
    except TerraformError as error:
        return str(error)
    return "\n".join(
        f"{address}: {rule}"
        for address, rule in violations(plan)
        if (address, rule) not in EXCEPTIONS
    )
