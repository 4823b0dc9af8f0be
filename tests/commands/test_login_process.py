"""`credentials login` as a process, with the simulated Google behind it."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from service.credentials.authorization_code import CONSENT_PAGE
from service.credentials.documents import parse_credential
from tests.commands.browsing import Page, get
from tests.commands.running import NOTHING, ROOT, command, mode
from tests.simulators.google import Google


class Running:
    """The command as a process. Its browser hands over the page's address and opens nothing."""

    def __init__(self, process: subprocess.Popen[str], google: Google) -> None:
        self.process = process
        self._google = google

    def page(self) -> Page:
        assert self.process.stderr
        for line in self.process.stderr:
            if line.startswith(CONSENT_PAGE):
                return Page(self._google, line.strip())
        raise AssertionError("It printed no address.")


@contextmanager
def login(google: Google, *arguments: str, **environ: str) -> Iterator[Running]:
    client = {"OAUTH_CLIENT_ID": google.client_id, "OAUTH_CLIENT_SECRET": google.client_secret}
    with subprocess.Popen(
        command("credentials", "login", *arguments),
        cwd=ROOT,
        env=NOTHING | client | {"OAUTH_TOKEN_URL": f"{google.url}/token"} | environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process, google)
        finally:
            process.kill()


def test_a_login_prints_a_document_that_works(google: Google) -> None:
    with login(google, "--no-browser") as running:
        assert get(running.page().agree()).status_code == 200
        printed, said = running.process.communicate(timeout=20)
    assert running.process.returncode == 0, said
    document_ = msgspec.json.decode(printed)
    assert document_["client_id"] == google.client_id
    assert document_["refresh_token"] in google.refresh_tokens
    assert parse_credential(printed.encode(), origin="x", now=time.time()).client_secret
    for secret in (google.client_secret, document_["refresh_token"], google.tokens.current):
        assert secret not in said


def test_a_login_writes_a_file_and_takes_a_pasted_address(google: Google, tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    with login(google, "--no-browser", "--to", str(file)) as running:
        printed, said = running.process.communicate(f"{running.page().agree()}\n", timeout=20)
    assert (running.process.returncode, printed) == (0, ""), said
    assert msgspec.json.decode(file.read_bytes())["refresh_token"] in google.refresh_tokens
    assert mode(file) == 0o600


def test_the_browser_is_opened_and_writes_nothing_to_our_output(
    google: Google, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "opened")
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho hello\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    with login(google, BROWSER=str(browser), PATH=os.defpath) as running:
        page_ = running.page()
        opened = (tmp_path / "opened").read_text()  # waits for the browser
        assert Page(google, opened.strip()).query == page_.query
        get(page_.agree())
        printed, said = running.process.communicate(timeout=20)
    assert running.process.returncode == 0, said
    assert msgspec.json.decode(printed)["client_id"] == google.client_id


def test_a_refused_login_exits_1_and_prints_no_document(google: Google) -> None:
    with login(google, "--no-browser") as running:
        get(running.page().redirect(error="access_denied"))
        printed, said = running.process.communicate(timeout=20)
    assert (running.process.returncode, printed) == (1, "")
    assert "access_denied" in said
    assert "Traceback" not in said


def test_without_a_client_it_says_how_to_make_one(google: Google) -> None:
    with login(google, OAUTH_CLIENT_ID="", OAUTH_CLIENT_SECRET="") as running:
        printed, said = running.process.communicate(timeout=20)
    assert (running.process.returncode, printed) == (78, "")
    assert "Desktop app" in said


def test_a_file_in_the_way_is_told_before_anyone_logs_in(google: Google, tmp_path: Path) -> None:
    (tmp_path / "creds.json").write_text("precious")
    with login(google, "--to", str(tmp_path / "creds.json")) as running:
        _, said = running.process.communicate(timeout=20)
    assert running.process.returncode == 1
    assert "--force" in said
    assert CONSENT_PAGE not in said
