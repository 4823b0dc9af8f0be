"""The last tests of a run: nothing that the service said or shows holds a secret."""

import importlib
import logging
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, get_type_hints

import httpx
import pytest

import service
from service.errors import GatewayError
from service.settings import Secret
from tests.conftest import StartGateway
from tests.firestore_emulator import FirestoreEmulator
from tests.gateway import HELLO
from tests.leaks import LEAKS, Leaks
from tests.simulators.google import Google
from tests.simulators.replies import error

MARK = "a-secret-that-nobody-may-see"
#: Kept where the collector finds it.
ALIVE: list[Any] = []


def heard(search: Leaks) -> logging.Logger:
    """Return a logger of which nobody hears but the search."""
    logger = logging.Logger("leaky", logging.DEBUG)  # noqa: LOG001  (so that it has no parent)
    logger.addHandler(search)
    return logger


def log_it(search: Leaks, secret: str) -> None:
    heard(search).debug("so it happened", extra={"fields": {"with": secret}})


def log_it_as_an_error(search: Leaks, secret: str) -> None:
    heard(search).debug("so it happened", exc_info=ValueError(secret))


async def respond_with_it(search: Leaks, secret: str) -> None:
    async def app(_: object, __: object, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        half = len(secret) // 2
        for piece in (secret[:half], secret[half:]):
            await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})

    async def send(_: object) -> None: ...

    await search.watched(app)({"type": "http", "path": "/"}, None, send)  # type: ignore[arg-type]


async def put_it_in_a_header(search: Leaks, secret: str) -> None:
    async def app(_: object, __: object, send: Any) -> None:
        headers = [(b"x-it", secret.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send(_: object) -> None: ...

    await search.watched(app)({"type": "http", "path": "/"}, None, send)  # type: ignore[arg-type]


def print_it(search: Leaks, secret: str) -> None:
    command = [sys.executable, "-c", f"print({secret!r})", "service"]
    with search.listening():
        subprocess.run(command, capture_output=True, check=True)


def show_it(search: Leaks, secret: str) -> None:
    ALIVE.append(GatewayError(secret))
    search.search_reprs()
    ALIVE.clear()


LEAKY: list[Callable[[Leaks, str], Any]] = [
    log_it,
    log_it_as_an_error,
    respond_with_it,
    put_it_in_a_header,
    print_it,
    show_it,
]


@pytest.mark.parametrize("leak", LEAKY, ids=lambda leak: leak.__name__)
async def test_the_search_finds_a_secret(leak: Callable[[Leaks, str], Any]) -> None:
    search = Leaks()
    search.learn("by-its/words")
    for secret in ("by-its/words", "by-its%2Fwords"):
        if (waiting := leak(search, secret)) is not None:
            await waiting
        (*_, offence) = search.offences
        assert secret in offence
    count = len(search.offences)
    if (waiting := leak(search, "no secret")) is not None:
        await waiting
    assert len(search.offences) == count
    assert sum(search.searched.values()) > count


@pytest.mark.parametrize("secret", ["ya29.sim-1", "ya29.c.sim-1", "1//sim-refresh"])
def test_redaction_is_no_excuse(secret: str) -> None:
    search = Leaks()
    log_it_as_an_error(search, secret)
    assert len(search.offences) == 1


# Redaction hides these shapes in logs, so they are looked for where nothing redacts.
@pytest.mark.parametrize(
    "secret", ["ya29.a0-b", "1//0abc", "refresh_token=1%2F%2F0abc", "AIzaSy1", "GOCSPX-a"]
)
async def test_the_search_finds_whatever_looks_like_a_secret(secret: str) -> None:
    search = Leaks()
    await respond_with_it(search, f"See {secret}.")
    assert len(search.offences) == 1


def test_the_search_knows_every_token_that_was_issued(one_google: Google) -> None:
    search = Leaks()
    for token in one_google.tokens.issued:
        search.search("token", token)
    assert len(search.offences) == len(one_google.tokens.issued)


def classes_of_the_service() -> Iterator[type]:
    for module in pkgutil.walk_packages(service.__path__, "service."):
        if module.name != "service.__main__":
            for kind in vars(importlib.import_module(module.name)).values():
                if isinstance(kind, type) and kind.__module__ == module.name:
                    yield kind


def fields_of(kind: type) -> tuple[str, ...]:
    names: tuple[str, ...] = getattr(kind, "__struct_fields__", getattr(kind, "_fields", ()))
    return names


def is_secret(kind: type, name: str) -> bool:
    ends = name.endswith(("token", "secret", "api_key", "verifier"))
    return ends or f"{kind.__name__}.{name}" in {"AccessToken.value", "Payload.data"}


def test_no_class_shows_a_field_that_holds_a_secret() -> None:
    looked_at, shown = set(), set()
    for kind in classes_of_the_service():
        for name in filter(partial(is_secret, kind), fields_of(kind)):
            hint = str(get_type_hints(kind)[name])
            value = Secret(MARK) if "Secret" in hint else MARK
            thing = kind(**dict.fromkeys(fields_of(kind)) | {name: value})
            looked_at.add(f"{kind.__name__}.{name}")
            if MARK in repr(thing) + str(thing):
                shown.add(f"{kind.__name__}.{name}")
    assert shown == set()
    assert {"Settings.openai_api_key", "Credential.refresh_token", "Refreshed.token"} <= looked_at


def test_no_object_of_a_gateway_at_work_shows_a_secret(
    start_gateway: StartGateway, google: Google
) -> None:
    with start_gateway().client() as client:
        assert client.post("/v1/chat/completions", json=HELLO).status_code == 200
        found = LEAKS.search_reprs()
        assert {
            f"service.{name}"
            for name in (
                "settings.Settings",
                "settings.Secret",
                "credentials.provider.TokenProvider",
                "schemas.oauth.Credential",
                "schemas.oauth.AccessToken",
            )
        } <= set(found)
    assert google.tokens.issued


def test_no_object_that_shares_tokens_shows_a_secret(
    start_gateway: StartGateway, firestore: FirestoreEmulator
) -> None:
    del firestore
    gateway = start_gateway(token_cache="firestore", google_cloud_project="sim-project")
    with gateway.client() as client:
        assert client.post("/v1/chat/completions", json=HELLO).status_code == 200
        found = LEAKS.search_reprs()
        assert found["service.credentials.firestore.FirestoreTokenCache"]
        assert found["service.credentials.encryption.Seal"]


@pytest.mark.parametrize("secret", ["ya29.a0-b", "1//0abcdef", "AIzaSy1234567890", "GOCSPX-a"])
def test_a_secret_that_google_repeats_reaches_neither_client_nor_log(
    secret: str, client: httpx.Client, google: Google
) -> None:
    google.script(error(403, message=f"The credential {secret} may not do that."))
    response = client.post("/v1/chat/completions", json=HELLO)
    assert response.status_code == 403
    assert "may not do that" in response.text
    assert secret not in response.text


def test_the_search_of_this_run_hears_all_there_is(client: httpx.Client) -> None:
    """What it has found by the end of the run is an error there; see `tests.conftest`."""
    assert client.post("/v1/chat/completions", json=HELLO).status_code == 200
    LEAKS.search_reprs()
    assert {"log", "response", "repr"} <= set(LEAKS.searched)
