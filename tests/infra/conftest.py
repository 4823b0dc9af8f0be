"""Fixtures and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from tests.infra.terraform import EVERYTHING, Terraform
from tests.programs import need


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform on a copy of infra/, initialised; for who changes nothing in it."""
    need("terraform", install="Terraform 1.11 or newer")
    return Terraform.initialise(tmp_path_factory.mktemp("terraform"))


@pytest.fixture
def own_terraform(terraform: Terraform, tmp_path: Path) -> Terraform:
    """The same on a copy of one's own."""
    return terraform.copy(tmp_path / "infra")


@pytest.fixture(scope="session")
def plan(terraform: Terraform) -> dict[str, Any]:
    """The plan with nothing but the project set."""
    return terraform.plan()


@pytest.fixture(scope="session")
def full_plan(terraform: Terraform) -> dict[str, Any]:
    """The plan with everything that can be added."""
    return terraform.plan(**EVERYTHING)
