"""What the deployment must never do, held against Terraform's plan.

The rules know no resource by name, so that one which somebody adds is held to them, too. What
breaks one on purpose is in `EXCEPTIONS`, with the reason.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from service.settings import Secret, Settings
from tests.infra.terraform import resources

RUNTIME = "google_service_account.runtime"
BUILD = "google_service_account.build"
MONITORING = "data.google_project.this"  # its number is in the name of Monitoring's own account

API_KEY = "gemini-gateway-api-key"

#: Every role that may be granted: on what, which, to whom, and why.
GRANTS = {
    ("secret_manager_secret", "roles/secretmanager.secretAccessor", RUNTIME): "reads its secrets",
    ("secret_manager_secret", "roles/secretmanager.secretAccessor", BUILD): (
        "the smoke test needs a key, as any client does"
    ),
    ("secret_manager_secret", "roles/secretmanager.secretVersionAdder", RUNTIME): (
        "keeps a refresh token that Google replaced; off unless asked for"
    ),
    ("project", "roles/datastore.user", RUNTIME): (
        "cannot be granted on a database; a condition names the one"
    ),
    ("project", "roles/aiplatform.user", RUNTIME): "Google's models are not resources of a project",
    ("project", "roles/cloudtrace.agent", RUNTIME): "traces belong to the project",
    ("project", "roles/monitoring.metricWriter", RUNTIME): "metrics belong to the project",
    ("project", "roles/logging.logWriter", BUILD): "a build's log belongs to the project",
    ("artifact_registry_repository", "roles/artifactregistry.writer", BUILD): "pushes images",
    ("cloud_run_v2_service", "roles/run.developer", BUILD): "deploys; cannot change who may call",
    ("cloud_run_v2_service", "roles/run.invoker", MONITORING): "asks a private one for /ready",
    ("cloud_run_v2_service", "roles/run.invoker", "var.invokers"): (
        "whom the operator lets in, and the smoke test"
    ),
    ("service_account", "roles/iam.serviceAccountUser", BUILD): "starts revisions as the runtime",
    ("service_account", "roles/iam.serviceAccountOpenIdTokenCreator", BUILD): (
        "makes identity tokens of its own, for the smoke test of a private service"
    ),
    ("storage_bucket", "roles/storage.objectViewer", BUILD): "reads the source",
}

#: What breaks a rule on purpose: the resource, the rule, and why.
EXCEPTIONS = {
    ("google_cloud_run_v2_service.this", "the IAM check is off"): (
        "clients of OpenAI's API send their key where Cloud Run expects an identity; the gateway "
        "asks for that key, and does not start on Cloud Run without one"
    ),
    ("google_storage_bucket.source", "it can be deleted with its content"): (
        "it holds copies of what is in the repository, for a week"
    ),
}

_GRANTING = re.compile(r"google_(\w+)_iam_member$")
_OTHERWISE_GRANTING = re.compile(r"_iam_(binding|policy)$|_acl$|_access_control$")
_EVERYONE = ("allUsers", "allAuthenticatedUsers")
#: Kinds that put a secret into Terraform's state, whatever is in them.
_KEEP_SECRETS = ("google_secret_manager_secret_version", "google_service_account_key")
_CREDENTIAL = re.compile(
    r"ya29\.[\w.-]+|AIza[\w-]{20,}|1//[\w-]{10,}|GOCSPX-[\w-]+|\bsk-[\w-]{16,}|-----BEGIN"
)


class Violation(NamedTuple):
    address: str
    rule: str


def violations(plan: dict[str, Any]) -> set[Violation]:
    """Return every rule that the plan breaks, exceptions included."""
    configured = {
        each["address"]: each for each in plan["configuration"]["root_module"]["resources"]
    }
    found: set[Violation] = set()
    for address, resource in resources(plan).items():
        general = re.sub(r"\[.*\]$", "", address)
        expressions = configured[general]["expressions"]
        rules = (
            *_grants(resource, expressions),
            *_secrets(resource),
            *_bucket(resource),
            *_protections(resource),
            *_service(resource, expressions),
        )
        found |= {Violation(general, rule) for rule in rules}
    if match := _CREDENTIAL.search(msgspec.json.encode(plan).decode()):
        found.add(Violation("the plan", f"it holds a credential: {match[0][:6]}…"))
    return found


def _grants(resource: dict[str, Any], expressions: dict[str, Any]) -> Iterator[str]:
    kind, values = resource["type"], resource["values"]
    if _OTHERWISE_GRANTING.search(kind):
        yield f"{kind} takes from others what they were granted, or grants past IAM"
    if any(everyone in msgspec.json.encode(values).decode() for everyone in _EVERYONE):
        yield "it is open to everyone"
    if granting := _GRANTING.match(kind):
        on, role = granting[1], values["role"]
        # whole addresses: `google_service_account.build.member` belongs to BUILD
        to = {_root(each) for each in _members(expressions)}
        if not to or any((on, role, each) not in GRANTS for each in to):
            yield f"{role} on {on} is not among the roles that may be granted"
        if on == "secret_manager_secret" and BUILD in to and values["secret_id"] != API_KEY:
            yield "the build may read more than the API key"
        if role == "roles/datastore.user" and not _names_a_database(values):
            yield "it is not limited to one database"


def _members(expressions: dict[str, Any]) -> list[str]:
    references: list[str] = expressions["member"].get("references", [])
    # each value of `invokers` is one of the operator's, or the build's account
    return ["var.invokers" if each == "each.value" else each for each in references]


def _root(reference: str) -> str:
    parts = reference.split("[", maxsplit=1)[0].split(".")
    return ".".join(parts[: 3 if parts[0] == "data" else 2])


def _names_a_database(values: dict[str, Any]) -> bool:
    return any(
        re.search(r'resource\.name == "projects/[\w-]+/databases/[\w()-]+"', each["expression"])
        for each in values.get("condition") or []
    )


def _secrets(resource: dict[str, Any]) -> Iterator[str]:
    if resource["type"] in _KEEP_SECRETS:
        yield "it puts a secret into Terraform's state"
    for container in _containers(resource):
        for each in container["env"]:
            value = each.get("value") or ""
            if each["name"] in secret_settings() and not value.startswith("sm://"):
                yield f"{each['name']} is a secret, and not a reference to one"


def secret_settings() -> set[str]:
    """Return the names of the gateway's settings that are secrets."""
    hints = get_type_hints(Settings)
    return {name.upper() for name, hint in hints.items() if Secret in (hint, *get_args(hint))}


def _containers(resource: dict[str, Any]) -> list[dict[str, Any]]:
    if resource["type"] != "google_cloud_run_v2_service":
        return []
    return [each for template in resource["values"]["template"] for each in template["containers"]]


def _bucket(resource: dict[str, Any]) -> Iterator[str]:
    if resource["type"] == "google_storage_bucket":
        values = resource["values"]
        if values.get("public_access_prevention") != "enforced":
            yield "it can be made public"
        if not values.get("uniform_bucket_level_access"):
            yield "its objects have rights of their own"
        if values.get("force_destroy"):
            yield "it can be deleted with its content"


def _protections(resource: dict[str, Any]) -> Iterator[str]:
    values = resource["values"]
    match resource["type"]:
        case "google_cloud_run_v2_service" | "google_secret_manager_secret":
            protected = values.get("deletion_protection") is True
        case "google_firestore_database":
            protected = values.get("delete_protection_state") == "DELETE_PROTECTION_ENABLED"
        case _:
            protected = True
    if not protected:
        yield "it is not protected from being deleted"


def _service(resource: dict[str, Any], expressions: dict[str, Any]) -> Iterator[str]:
    if resource["type"] == "google_cloud_run_v2_service":
        account = expressions["template"][0].get("service_account", {}).get("references", [])
        if f"{RUNTIME}.email" not in account:
            yield "it does not run as its own service account"
        if resource["values"].get("invoker_iam_disabled"):
            yield "the IAM check is off"
