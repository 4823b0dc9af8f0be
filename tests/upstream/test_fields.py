"""What one upstream refuses is left out for that one, and the client is told."""

from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.faults.ways import settings_of_ways
from tests.gateway import HELLO, Gateway
from tests.simulators.google import Google

PATH = "/v1/chat/completions"
METHOD = [
    {
        "category": "HARM_CATEGORY_HARASSMENT",
        "threshold": "BLOCK_NONE",
        "method": "SEVERITY",
    }
]
FIELDS = HELLO | {
    "safety_settings": METHOD,
    "extra_body": {"google": {"cached_content": "cachedContents/1"}},
}
IGNORED = {
    "code_assist": "google.cached_content",
    "vertex": None,
    "gemini_api": "safety_settings.method",
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("upstream", "ignored"), IGNORED.items())
def test_it_is_named_in_the_header(
    upstream: str, ignored: str | None, start_gateway: StartGateway, google: Google, *, stream: bool
) -> None:
    google.strict = False
    gateway: Gateway = start_gateway(**settings_of_ways(google, upstreams=upstream))
    with gateway.client() as client:
        response = client.post(PATH, json=FIELDS | {"stream": stream, "logit_bias": {"1": 1}})
    names = ["logit_bias", *([ignored] if ignored else [])]
    assert response.headers["x-ignored-params"] == ",".join(sorted(names))
    sent: dict[str, Any] = google.calls("generate")[0].request
    assert ("cachedContent" in sent) == (upstream != "code_assist")
    assert ("method" in sent["safetySettings"][0]) == (upstream != "gemini_api")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_strictly_it_is_refused(
    start_gateway: StartGateway, google: Google, *, stream: bool
) -> None:
    gateway = start_gateway(**settings_of_ways(google, upstreams="gemini_api", strict_params=True))
    with gateway.client() as client:
        response = client.post(PATH, json=HELLO | {"safety_settings": METHOD, "stream": stream})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "safety_settings.method"
