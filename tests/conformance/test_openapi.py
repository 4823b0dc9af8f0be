"""Our own OpenAPI document, taken at its word by schemathesis: whatever it allows is asked."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.conftest import StartGateway
from tests.gateway import API_KEY
from tests.processes import ENOUGH, ROOT
from tests.simulators.google import Google
from tests.ways import by

CASES = 2000
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "response_schema_conformance",
    "ignored_auth",
)


@pytest.mark.timeout(240)
def test_nothing_that_the_document_allows_has_an_answer_that_it_does_not_name(
    google: Google, start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start_gateway(**by(google, "code_assist", "vertex", "gemini_api"))
    report = tmp_path / "report.json"
    document = f"{gateway.url}/schema/openapi.json"
    options = [
        *("--header", f"Authorization: Bearer {API_KEY}"),
        *("--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--continue-on-failure"),
        *("--max-examples", "100", "--seed", "1", "--generation-database", "none"),
        *("--report-json-path", str(report), "--no-color", "--warnings", "off"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", document, *options],
        cwd=tmp_path,
        env=ENOUGH
        | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.conformance.openapi_hooks"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = msgspec.json.decode(report.read_bytes())
    assert found["test_cases"]["generated"] >= CASES
    assert found["operations"]["tested"] == found["operations"]["total"]
    chat = found["valid_rates"]["POST /v1/chat/completions"]
    assert sum(phase["accepted"] for phase in chat.values()) >= CASES // 5, "most are refused"
