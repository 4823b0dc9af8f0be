"""What the deployment must never do, held against Terraform's plan.

The rules know no resource by name, so that one which somebody adds is held to them, too. What
breaks one on purpose is in `EXCEPTIONS`, with the reason.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from tests.infra.literals import (
    like_a_credential,
    secret_in_one,
    secret_settings,
    secrets_in,
    settings,
    telling_headers,
)
from tests.infra.terraform import resources

RUNTIME = "google_service_account.runtime"
BUILD = "google_service_account.build"
MONITORING = "data.google_project.this"  # its number is in the name of Monitoring's own account
_MONITORINGS = "@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
INVOKERS = "var.invokers"

PROJECT = "var.project_id"
SERVICE = "google_cloud_run_v2_service.this"
IMAGES = "google_artifact_registry_repository.this"
SOURCE = "google_storage_bucket.source"
API_KEY = 'google_secret_manager_secret.this["api-key"]'
OAUTH = 'google_secret_manager_secret.this["oauth-credentials"]'
GEMINI_KEY = 'google_secret_manager_secret.this["gemini-api-key"]'

#: Every role that may be granted: on what, which, to whom, and why.
GRANTS = {
    (API_KEY, "roles/secretmanager.secretAccessor", RUNTIME): "compares clients' keys with it",
    (OAUTH, "roles/secretmanager.secretAccessor", RUNTIME): "its login for Code Assist",
    (GEMINI_KEY, "roles/secretmanager.secretAccessor", RUNTIME): "its key for the Developer API",
    (API_KEY, "roles/secretmanager.secretAccessor", BUILD): (
        "the smoke test needs a key, as any client does"
    ),
    (OAUTH, "roles/secretmanager.secretVersionAdder", RUNTIME): (
        "keeps a refresh token that Google replaced; off unless asked for"
    ),
    (PROJECT, "roles/datastore.user", RUNTIME): (
        "cannot be granted on a database; a condition names the one"
    ),
    (PROJECT, "roles/aiplatform.user", RUNTIME): "Google's models are not resources of a project",
    (PROJECT, "roles/cloudtrace.agent", RUNTIME): "traces belong to the project",
    (PROJECT, "roles/monitoring.metricWriter", RUNTIME): "metrics belong to the project",
    (PROJECT, "roles/logging.logWriter", BUILD): "a build's log belongs to the project",
    (IMAGES, "roles/artifactregistry.writer", BUILD): "pushes images",
    (SERVICE, "roles/run.developer", BUILD): "deploys; cannot change who may call",
    (SERVICE, "roles/run.invoker", BUILD): "the smoke test of a private service",
    (SERVICE, "roles/run.invoker", MONITORING): "asks a private one for /ready",
    (SERVICE, "roles/run.invoker", INVOKERS): "whom the operator lets in",
    (RUNTIME, "roles/iam.serviceAccountUser", BUILD): "starts revisions as the runtime",
    (BUILD, "roles/iam.serviceAccountOpenIdTokenCreator", BUILD): (
        "makes identity tokens of its own, for the smoke test of a private service"
    ),
    (SOURCE, "roles/storage.objectViewer", BUILD): "reads the source",
}

#: The argument that says what a role is granted on, by the kind of the resource.
_TARGETS = {
    "google_artifact_registry_repository_iam_member": "repository",
    "google_cloud_run_v2_service_iam_member": "name",
    "google_project_iam_member": "project",
    "google_secret_manager_secret_iam_member": "secret_id",
    "google_service_account_iam_member": "service_account_id",
    "google_storage_bucket_iam_member": "bucket",
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

#: What `deletion_protection = false` says.
UNPROTECTED = "it is not protected from being deleted"
_GRANTING = re.compile(r"_iam_member$")
_OTHERWISE_GRANTING = re.compile(r"_iam_(binding|policy)$|_acl$|_access_control$")
_EVERYONE = ("allUsers", "allAuthenticatedUsers", "principalSet://goog/public:all")
#: Kinds that put a secret into Terraform's state, whatever is in them.
_KEEP_SECRETS = ("google_secret_manager_secret_version", "google_service_account_key")
#: Cloud Run sets them, and refuses a service that does.
PLATFORM = {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"}
#: What the libraries in the image read past the gateway's settings: OpenTelemetry's variables.
_READ_BY_OTHERS = re.compile(
    r"OTEL_(SERVICE_NAME|RESOURCE_ATTRIBUTES|EXPORTER_OTLP_\w+|TRACES_SAMPLER(_ARG)?)"
)


class Violation(NamedTuple):
    address: str
    rule: str


def violations(plan: dict[str, Any]) -> set[Violation]:
    """Return every rule that the plan breaks, exceptions included."""
    configured = {
        each["address"]: each for each in plan["configuration"]["root_module"]["resources"]
    }
    references = {
        each["values"]["secret_id"]
        for each in resources(plan).values()
        if each["type"] == "google_secret_manager_secret"
    }
    found: set[Violation] = set()
    for address, resource in resources(plan).items():
        general = re.sub(r"\[.*\]$", "", address)
        rules = (
            *_grants(resource, configured[general], plan["variables"]),
            *_secrets(resource, references),
            *_bucket(resource),
            *_protections(resource),
            *_service(resource, configured[general]["expressions"]),
            *_callers(resource, configured[general]["expressions"]),
        )
        found |= {Violation(general, rule) for rule in rules}
    for kind, given in (
        ("output", plan["planned_values"].get("outputs", {})),
        ("var", plan["variables"]),
    ):
        values = {name: each.get("value") for name, each in given.items()}
        short = [name for name, value in values.items() if secret_in_one(name, value)]
        for name in (*secrets_in(values, references), *short):
            found.add(Violation(f"{kind}.{name}", "it is a secret, and its value stands here"))
    if like := like_a_credential(msgspec.json.encode(plan).decode()):
        found.add(Violation("the plan", f"it holds a credential: {like}"))
    return found


def _grants(
    resource: dict[str, Any], configured: dict[str, Any], variables: dict[str, Any]
) -> Iterator[str]:
    kind, values = resource["type"], resource["values"]
    if _OTHERWISE_GRANTING.search(kind):
        yield f"{kind} takes from others what they were granted, or grants past IAM"
    if any(everyone in msgspec.json.encode(values).decode() for everyone in _EVERYONE):
        yield "it is open to everyone"
    if _GRANTING.search(kind):
        role = values.get("role", "a role that is made here")
        on, to = _target(resource, configured["expressions"]), _members(configured, variables)
        refused = sorted(each for each in to or {"nobody known"} if (on, role, each) not in GRANTS)
        for each in refused:
            yield f"{role} on {on} to {each} is not among the roles that may be granted"
        member = values.get("member") or ""  # of accounts that this module makes, not known yet
        if not member.endswith(_MONITORINGS) and member not in {"", *_invited(variables)}:
            yield f"it is granted to {member}, whom no variable lets in"
        if role == "roles/datastore.user" and not _names_a_database(values):
            yield "it is not limited to one database"


def _target(resource: dict[str, Any], expressions: dict[str, Any]) -> str:
    """Return the address of what a role is granted on, with its key if it has one."""
    references = expressions.get(_TARGETS.get(resource["type"], ""), {}).get("references", [])
    addresses = {_address(each) for each in references if not each.startswith("each.")}
    if "each.key" in references:
        addresses = {f'{each}["{resource["index"]}"]' for each in addresses}
    else:  # `this["one"]` comes with `this`
        addresses = {
            each for each in addresses if not any(more.startswith(f"{each}[") for more in addresses)
        }
    elsewhere = "project" in expressions and expressions["project"].get("references") != [PROJECT]
    return "something else" if elsewhere or len(addresses) != 1 else addresses.pop()


def _members(configured: dict[str, Any], variables: dict[str, Any]) -> set[str]:
    """Return the addresses of those that a role is granted to."""
    references: list[str] = configured["expressions"]["member"].get("references", [])
    if {"each.key", "each.value"} & set(references):
        references = [
            *(each for each in references if not each.startswith("each.")),
            *configured.get("for_each_expression", {}).get("references", []),
        ]
    # whole addresses: `google_service_account.build.member` belongs to BUILD
    addresses = {re.sub(r"\[.*$", "", _address(each)) for each in references}
    return {each for each in addresses if not _is_switch(each, variables)}


def _invited(variables: dict[str, Any]) -> list[str]:
    return variables[INVOKERS.removeprefix("var.")]["value"]  # type: ignore[no-any-return]


def _is_switch(address: str, variables: dict[str, Any]) -> bool:
    """Whether it is a variable that is true or false, which nobody can be called."""
    value = variables.get(address.removeprefix("var."), {}).get("value")
    return address.startswith("var.") and isinstance(value, bool)


def _address(reference: str) -> str:
    """Cut a reference down to a resource, a variable or a local: `a.b["c"].d` is `a.b["c"]`."""
    match = re.match(r'(?:data\.)?[\w-]+\.[\w-]+(?:\["[^"]*"\])?', reference)
    return match[0] if match else reference


_ONE_DATABASE = re.compile(
    r'resource\.type == "firestore\.googleapis\.com/Database"'
    r' && resource\.name == "projects/[\w-]+/databases/[\w()-]+"'
)


def _names_a_database(values: dict[str, Any]) -> bool:
    conditions = values.get("condition") or []
    return len(conditions) == 1 and bool(_ONE_DATABASE.fullmatch(conditions[0]["expression"]))


def _secrets(resource: dict[str, Any], references: set[str]) -> Iterator[str]:
    if resource["type"] in _KEEP_SECRETS:
        yield "it puts a secret into Terraform's state"
    for name in secrets_in(resource["values"], references):
        yield f"{name} is a secret, and not a reference to one"
    for name in telling_headers(resource["values"]):
        yield f"the header {name} may hold a secret, which whoever reads the plan could read"
    for container in _containers(resource):
        for each in container["env"]:
            value = each.get("value") or ""
            if each["name"] in secret_settings() and not value.startswith("sm://"):
                yield f"{each['name']} is a secret, and not a reference to one"


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
        yield UNPROTECTED


def _service(resource: dict[str, Any], expressions: dict[str, Any]) -> Iterator[str]:
    if resource["type"] == "google_cloud_run_v2_service":
        account = expressions["template"][0].get("service_account", {}).get("references", [])
        if f"{RUNTIME}.email" not in account:
            yield "it does not run as its own service account"
        if resource["values"].get("invoker_iam_disabled"):
            yield "the IAM check is off"
        for container in _containers(resource):
            if container.get("args") or container.get("command"):
                yield "the image itself says what it runs, and arguments are shown in the console"
            for each in container["env"]:
                yield from _variable(each["name"])


def _callers(resource: dict[str, Any], expressions: dict[str, Any]) -> Iterator[str]:
    """Look at who else acts for us: builds that start by themselves, checks from outside."""
    builder = expressions.get("service_account", {})
    if resource["type"] == "google_cloudbuild_trigger" and (
        f"{BUILD}.id" not in builder.get("references", [])
    ):
        yield "it does not build as the build's service account"
    for check in resource["values"].get("http_check") or []:
        if not (check.get("use_ssl") and check.get("validate_ssl")):
            yield "it is asked without TLS, or whoever answers is believed"


def _variable(name: str) -> Iterator[str]:
    if name in PLATFORM:
        yield f"Cloud Run sets {name} itself: leave it out"
    elif name not in settings() and not _READ_BY_OTHERS.fullmatch(name):
        yield (
            f"the gateway has no setting {name}: spell it as a field of service/settings.py in "
            "capitals, add that field, or leave it out"
        )
