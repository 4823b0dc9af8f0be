"""Terraform without Google: on a copy of infra/, with a provider that knows schemas only.

A copy, because `terraform init` writes a lock file with the stand-in's own checksum.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from tests.infra.schema import read
from tests.processes import ROOT

INFRA = ROOT / "infra"
PROJECT = "demo-project"

#: Every variable that adds something
EVERYTHING: dict[str, Any] = {
    "upstreams": ["code_assist", "vertex", "gemini_api"],
    "public": False,
    "invokers": ["user:someone@example.com"],
    "allow_refresh_token_writeback": True,
    "otlp_endpoint": "https://collector.example.com",
    "env": {"STRICT_PARAMS": "true"},
    "alert_emails": ["someone@example.com"],
    "notification_channels": ["projects/demo-project/notificationChannels/1"],
    "token_prices": {"gemini-2.5-flash": {"input": 0.3, "output": 2.5}},
    "budget": {"billing_account": "012345-6789AB-CDEF01", "amount": 50},
    "trigger": {"repository": "projects/p/locations/r/connections/c/repositories/n", "branch": "b"},
}

#: Every variable that takes something away
NOTHING: dict[str, Any] = {
    "upstreams": ["code_assist"],
    "token_cache": "memory",
    "deletion_protection": False,
    "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "smoke_model": None,
    "uptime_period": None,
}

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_PLATFORM = f"{platform.system().lower()}_{_MACHINES.get(platform.machine(), platform.machine())}"
_LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'


class TerraformError(Exception):
    """Terraform refused; the text is what it says."""


class Terraform:
    """Terraform in a folder. `initialise` makes one, and `copy` others like it."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.folder = folder
        self._config = config

    @classmethod
    def initialise(cls, folder: Path) -> "Terraform":
        """Copy infra/ into the folder, and give it the provider."""
        config = _mirror(folder)
        copy = folder / "infra"
        shutil.copytree(INFRA, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        (copy / "local_override.tf").write_text(_LOCAL_STATE)
        terraform = cls(copy, config)
        terraform.run("init", "-input=false")
        return terraform

    def copy(self, folder: Path) -> "Terraform":
        # without what was planned there last, which would be set here, too
        ignored = shutil.ignore_patterns("test.auto.tfvars.json", "plan")
        shutil.copytree(self.folder, folder, symlinks=True, ignore=ignored)
        return Terraform(folder, self._config)

    def run(self, *arguments: str, says: str = "") -> str:
        """Return what it prints, having been told something; raise `TerraformError` if it fails."""
        program = shutil.which("terraform")
        assert program is not None
        done = subprocess.run(
            [program, *arguments],
            cwd=self.folder,
            input=says,
            env={
                "PATH": os.defpath,
                "HOME": str(self.folder),
                "TF_CLI_CONFIG_FILE": str(self._config),
                "TF_CLI_ARGS": "-no-color",
                "TF_DISABLE_PLUGIN_TLS": "1",
                "CHECKPOINT_DISABLE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TerraformError(done.stdout + done.stderr)
        return done.stdout

    def plan(self, **variables: Any) -> dict[str, Any]:
        """Return the plan, as `terraform show -json` prints it, for a project without anything."""
        variables.setdefault("project_id", PROJECT)
        (self.folder / "test.auto.tfvars.json").write_bytes(msgspec.json.encode(variables))
        self.run("plan", "-input=false", "-lock=false", "-out=plan")
        plan: dict[str, Any] = msgspec.json.decode(self.run("show", "-json", "plan"))
        return plan


def _mirror(folder: Path) -> Path:
    """Put the provider where Terraform looks for it; return Terraform's configuration."""
    version = read().version
    mirror = folder / "mirror"
    provider = (
        mirror
        / f"registry.terraform.io/hashicorp/google/{version}/{_PLATFORM}"
        / f"terraform-provider-google_v{version}"
    )
    provider.parent.mkdir(parents=True)
    start = f"cd '{ROOT}' && exec '{sys.executable}' -m tests.infra.provider"
    provider.write_text(f"#!/bin/sh\n{start}\n")
    provider.chmod(0o755)
    config = folder / "terraform.rc"
    config.write_text(
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n'
        "}\n"
        "disable_checkpoint = true\n"
    )
    return config


def resources(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what would be made, by address; values that are not known yet are missing."""
    root = plan["planned_values"]["root_module"]
    assert "child_modules" not in root, "infra/ is flat: nobody looks into modules"
    return {resource["address"]: resource for resource in root["resources"]}


def values(plan: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the values of each resource of a kind."""
    return [each["values"] for each in resources(plan).values() if each["type"] == kind]


def env(plan: dict[str, Any]) -> dict[str, str]:
    """Return what the service's container is told."""
    (service,) = values(plan, "google_cloud_run_v2_service")
    return {each["name"]: each["value"] for each in service["template"][0]["containers"][0]["env"]}
