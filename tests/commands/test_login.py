"""The consent page of `credentials login`, with an HTTP client as the browser."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click import ClickException

from service.commands.login import ask_for_consent
from tests.commands.browsing import Page, asking
from tests.simulators.google import Google


async def test_the_consent_page_is_asked_as_rfc_6749_and_rfc_7636_say(google: Google) -> None:
    async with asking(google) as asked:
        page_ = asked.page
        assert page_.address == "https://accounts.google.com/o/oauth2/v2/auth"
        assert len(page_.query.pop("state")) == 64
        assert len(page_.query.pop("code_challenge")) == 43
        assert page_.query.pop("redirect_uri").startswith("http://127.0.0.1:")
        assert urlsplit(page_.redirect_uri).path == "/oauth2callback"
        assert page_.query == {
            "client_id": google.client_id,
            "response_type": "code",
            "scope": "https://www.googleapis.com/auth/cloud-platform "
            "https://www.googleapis.com/auth/userinfo.email "
            "https://www.googleapis.com/auth/userinfo.profile",
            "access_type": "offline",
            "prompt": "consent",
            "code_challenge_method": "S256",
        }


async def test_no_two_logins_are_alike(google: Google) -> None:
    async with asking(google) as one, asking(google) as other:
        for name in ("state", "code_challenge", "redirect_uri"):
            assert one.page.query[name] != other.page.query[name]


STRANGERS: dict[str, tuple[Callable[[Page], str], str, int]] = {
    "icon": (lambda page: page.redirect_uri.replace("/oauth2callback", "/favicon.ico"), "GET", 404),
    "start page": (lambda page: page.redirect_uri.replace("/oauth2callback", "/"), "GET", 404),
    "form": (lambda page: page.agree(), "POST", 404),
    "other state": (lambda page: page.agree(state="0" * 64), "GET", 400),
    "no state": (lambda page: page.agree(state=""), "GET", 400),
    "refusal of a stranger": (
        lambda page: page.redirect(error="access_denied", state="x"),
        "GET",
        400,
    ),
    "no query": (lambda page: page.redirect_uri, "GET", 400),
    "no code": (lambda page: page.redirect(), "GET", 400),
}


@pytest.mark.parametrize(("url", "method", "status"), STRANGERS.values(), ids=list(STRANGERS))
async def test_a_stranger_is_turned_away_and_the_wait_goes_on(
    google: Google, url: Callable[[Page], str], method: str, status: int
) -> None:
    async with asking(google) as asked:
        assert (await asked.get(url(asked.page), method)).status_code == status
        assert not asked.answer.done()
        response = await asked.get(asked.page.agree())
        assert (response.status_code, "go back to the terminal" in response.text) == (200, True)
        assert (await asked.answer).code.startswith("4/sim-")


async def test_what_is_not_http_is_hung_up_on(google: Google) -> None:
    async with asking(google) as asked:
        where = urlsplit(asked.page.redirect_uri)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(b"\x16\x03\x01" + b"x" * 100_000)
        assert await _read_to_the_end(reader) == b""
        writer.close()
        await asked.get(asked.page.agree())
        assert await asked.answer


async def _read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_a_browser_that_holds_a_connection_open_is_not_waited_for(google: Google) -> None:
    async with asking(google) as asked:
        where = urlsplit(asked.page.redirect_uri)
        _, writer = await asyncio.open_connection(where.hostname, where.port)
        await asked.get(asked.page.agree())
        began = time.monotonic()
        assert await asked.answer
        assert time.monotonic() - began < 2
        writer.close()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("access_denied", "Google says access_denied"),
        ("admin_policy_enforced", "Google refused the login (admin_policy_enforced)"),
        ("<script>", "Google refused the login (error)"),
    ],
)
async def test_a_refusal_ends_it_with_a_sentence(google: Google, error: str, says: str) -> None:
    async with asking(google) as asked:
        await asked.get(asked.page.redirect(error=error))
        with pytest.raises(ClickException) as raised:
            await asked.answer
        assert raised.value.message.startswith(says)


async def test_the_address_of_the_page_that_did_not_load_can_be_pasted(google: Google) -> None:
    async with asking(google) as asked:
        await asked.paste(f"what?\n\n{asked.page.agree(state='x')}\n")
        address = asked.page.agree()
        await asked.paste(address[:40])
        await asked.paste(f"{address[40:]}\n")
        assert (await asked.answer).code in address.replace("%2F", "/")
    assert sum("Paste the whole address" in words for words in asked.said) == 2


async def test_the_end_of_the_input_does_not_end_the_wait(tmp_path: Path) -> None:
    said: list[str] = []
    with (tmp_path / "input").open("x+b") as file:
        for pasted in (file.fileno(), os.open(os.devnull, os.O_RDONLY)):
            with pytest.raises(ClickException, match="Nobody agreed within"):
                await ask_for_consent(
                    "id", open_browser=None, pasted=pasted, say=said.append, patience=0.05
                )
        os.close(pasted)
