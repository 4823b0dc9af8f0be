"""SECURITY.md names a test for each of its claims, and each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w./:]+)`", TEXT)))
CLAIMS = [
    line
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| claim", "| ---"))
]


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_is_there(name: str) -> None:
    path, _, test = name.partition("::")
    assert (ROOT / path).exists()
    assert re.search(rf"def {test}\b", (ROOT / path).read_text()) if test else True


@pytest.mark.parametrize("claim", CLAIMS, ids=[claim[2:40] for claim in CLAIMS])
def test_a_claim_names_a_test(claim: str) -> None:
    _, _, tests = claim.rstrip(" |").rpartition(" | ")
    assert re.fullmatch(r"`tests/[^`]+`(, `tests/[^`]+`)*", tests)
