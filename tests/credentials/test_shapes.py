"""Credentials in every form that people have them in, from the setting to an answer."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.settings import Secret
from tests.conftest import StartGateway
from tests.gateway import HELLO
from tests.simulators.google import Google

SOON = 4_000_000_000
CLI_LOGIN = {
    "access_token": "ya29.x",
    "refresh_token": "1//sim-refresh",
    "scope": "https://www.googleapis.com/auth/cloud-platform openid",
    "token_type": "Bearer",
    "id_token": "a.b.c",
    "expiry_date": 1600000000000,
}


@pytest.mark.parametrize(
    ("document", "separate_client"),
    [
        pytest.param(CLI_LOGIN, True, id="the Gemini CLI's file"),
        pytest.param({"refresh_token": "1//sim-refresh"}, True, id="a refresh token alone"),
        pytest.param(
            {
                "access_token": "ya29.\N{EN DASH}own",
                "expiry_date": SOON,
                "refresh_token": "1//sim-refresh",
            },
            True,
            id="a damaged token beside a refresh token",
        ),
        pytest.param({"access_token": "ya29.own", "expiry_date": SOON}, True, id="a token alone"),
        pytest.param(
            {"type": "authorized_user", "refresh_token": "1//sim-refresh", "quota_project_id": "q"},
            False,
            id="authorized_user",
        ),
        pytest.param(
            {
                "token": "ya29.own",
                "expiry": "2090-01-01T00:00:00+00:00",
                "refresh_token": "1//sim-refresh",
                "project_id": "p",
            },
            False,
            id="gcli2api's file",
        ),
    ],
)
def test_every_shape_of_a_credential_works_inline_and_in_a_file(
    document: dict[str, object],
    *,
    separate_client: bool,
    google: Google,
    start_gateway: StartGateway,
    tmp_path: Path,
) -> None:
    google.tokens.accept("ya29.own")
    settings: dict[str, Any] = {}
    if separate_client:
        settings["oauth_client_id"] = google.client_id
        settings["oauth_client_secret"] = Secret(google.client_secret)
    else:
        client = {"client_id": google.client_id, "client_secret": google.client_secret}
        document = document | client
    content = msgspec.json.encode(document).decode()
    file = tmp_path / "creds.json"
    file.write_text(content)
    for inline in (Secret(content), None):
        gateway = start_gateway(
            gcp_service_account=inline, gcp_service_account_file=str(file), **settings
        )
        with gateway.client() as client_:
            assert client_.post("/v1/chat/completions", json=HELLO).status_code == 200
            assert client_.get("/ready").status_code == 200
