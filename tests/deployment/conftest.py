"""What the tests of the deployment share."""

from pathlib import Path

import pytest

from tests.deployment.stand_ins import StandIns


@pytest.fixture
def stand_ins(tmp_path: Path) -> StandIns:
    return StandIns(tmp_path)
