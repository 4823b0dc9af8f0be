"""Fixtures, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from tests.firestore_emulator import FirestoreEmulator
from tests.fleet.instances import Fleet
from tests.gateway import settings_for
from tests.simulators.google import Google


@pytest.fixture
def settings(google: Google) -> Settings:
    """Settings of instances that share token state."""
    return settings_for(google, token_cache="firestore", google_cloud_project="sim-project")


@pytest.fixture
def fleet(firestore: FirestoreEmulator, tmp_path: Path) -> Iterator[Fleet]:
    del firestore
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.close()
