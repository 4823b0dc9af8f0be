"""What Terraform makes for the service is what the service reads, writes and asks for."""

import time
from datetime import datetime
from typing import Any

import msgspec
import pytest
from google.cloud.firestore import AsyncClient

from service.credentials.firestore import Firestore, FirestoreTokenCache
from service.interfaces import Lease
from service.rates.counting import Used, Which
from service.rates.firestore import FirestoreTallies
from service.schemas.code_assist import CodeAssistProject
from service.schemas.oauth import AccessToken, Credential, SharedToken
from service.settings import Settings, load
from service.signatures.firestore import SIGNATURE_FIELD, FirestoreSignatures
from tests.firestore_emulator import FirestoreEmulator
from tests.infra.literals import secret_settings
from tests.infra.policy import PLATFORM
from tests.infra.terraform import Terraform, env, values


def settings_of(plan: dict[str, Any]) -> Settings:
    return load(env(plan) | {"K_SERVICE": "gemini-gateway"})


def test_the_service_starts_with_what_it_is_given(plan: dict[str, Any]) -> None:
    settings = settings_of(plan)
    assert settings.ways == ["vertex"]
    assert settings.google_cloud_project == "demo-project"
    assert settings.shares_tokens
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.reference == "sm://gemini-gateway-api-key"


def test_it_is_told_of_every_secret_that_it_may_read(full_plan: dict[str, Any]) -> None:
    readers = [
        each["secret_id"]
        for each in values(full_plan, "google_secret_manager_secret_iam_member")
        if each["role"].endswith("secretAccessor")
    ]
    read = {value for value in env(full_plan).values() if value.startswith("sm://")}
    assert {f"sm://{name}" for name in readers} == read
    assert settings_of(full_plan).ways == ["code_assist", "vertex", "gemini_api"]


def test_the_service_ends_a_request_before_cloud_run_cuts_it(plan: dict[str, Any]) -> None:
    (service,) = values(plan, "google_cloud_run_v2_service")
    timeout = int(service["template"][0]["timeout"].removesuffix("s"))
    assert timeout == 3600
    assert settings_of(plan).request_deadline_seconds == timeout - 30


def test_probes_and_checks_ask_what_the_service_answers(plan: dict[str, Any]) -> None:
    (service,), (check,) = (
        values(plan, "google_cloud_run_v2_service"),
        values(plan, "google_monitoring_uptime_check_config"),
    )
    container = service["template"][0]["containers"][0]
    for probe in ("startup_probe", "liveness_probe"):
        assert container[probe][0]["http_get"][0]["path"] == "/health"
    assert check["http_check"][0]["path"] == "/ready"


def test_what_terraform_sets_the_operator_cannot(
    terraform: Terraform, full_plan: dict[str, Any]
) -> None:
    reserved = set(msgspec.json.decode(_evaluated(terraform, "local.reserved_env")))
    assert reserved >= PLATFORM | secret_settings() | env(full_plan).keys() - {"STRICT_PARAMS"}


def _evaluated(terraform: Terraform, expression: str) -> str:
    # It prints a string as a program would write it.
    printed: str = msgspec.json.decode(terraform.run("console", says=f"jsonencode({expression})"))
    return printed


def test_the_default_collection_is_the_services_own(plan: dict[str, Any]) -> None:
    assert settings_of(plan).firestore_collection == Settings().firestore_collection


@pytest.fixture
async def written(
    plan: dict[str, Any], firestore: FirestoreEmulator
) -> dict[str, list[dict[str, Any]]]:
    """What the service writes with these settings: its documents, by collection."""
    del firestore
    settings = settings_of(plan)
    where: dict[str, Any] = {
        "project": settings.google_cloud_project,
        "database": settings.firestore_database,
    }
    database = Firestore(**where, collection=settings.firestore_collection)
    credential = Credential(refresh_token="refresh", client_id="client", client_secret="secret")
    cache = FirestoreTokenCache(database, credential, instance="one")
    await cache.keep_project(CodeAssistProject("p", "standard-tier"))
    await cache.keep(Lease(), SharedToken(token=AccessToken("token", time.time() + 3600)))
    shelf = FirestoreSignatures(database, collection=settings.firestore_collection)
    await shelf.write({"call": "c2lnbmF0dXJl"})
    tallies = FirestoreTallies(database, collection=settings.firestore_collection)
    await tallies.add({Which("key", 1): Used(1, 1)})
    await database.aclose()
    client = AsyncClient(**where)
    found = {
        collection.id: [each.to_dict() or {} async for each in collection.stream()]
        async for collection in client.collections()
    }
    await client._firestore_api.transport.close()
    return found


async def test_firestore_deletes_what_the_service_leaves_there(
    plan: dict[str, Any], written: dict[str, list[dict[str, Any]]]
) -> None:
    """Each of its collections has a time to live, on the field that the service writes."""
    (database,) = values(plan, "google_firestore_database")
    fields = values(plan, "google_firestore_field")
    assert {each["database"] for each in fields} == {database["name"]}
    assert database["name"] == env(plan)["FIRESTORE_DATABASE"]
    expiring = {each["collection"]: each["field"] for each in fields if each["ttl_config"]}
    assert expiring.keys() == written.keys()
    for collection, field in expiring.items():
        for document in written[collection]:
            assert isinstance(document[field], datetime)


async def test_no_index_is_kept_of_what_nobody_asks_for(
    plan: dict[str, Any], written: dict[str, list[dict[str, Any]]]
) -> None:
    for each in values(plan, "google_firestore_field"):
        assert each["index_config"] == [{"indexes": []}]
        for document in written[each["collection"]]:
            assert each["field"] in document
    assert SIGNATURE_FIELD in {each["field"] for each in values(plan, "google_firestore_field")}
