from collections.abc import Iterator

import pytest

from tests.attacks.victim import Victim, victim
from tests.simulators.google import Google


@pytest.fixture(scope="package")
def one_victim(one_google: Google, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim(one_google, tmp_path_factory.mktemp("attacks") / "log") as running:
        yield running


@pytest.fixture(name="victim")
def attacked(one_victim: Victim, google: Google) -> Iterator[Victim]:
    """A gateway that every attack must leave as it was."""
    yield one_victim
    google.reset()
    one_victim.assert_well()
