"""What Terraform hands to cloudbuild.yaml and deploy.sh is what they take."""

import re
from typing import Any

from tests.infra.terraform import INFRA, values
from tests.processes import ROOT


def substitutions() -> dict[str, str]:
    """Return what cloudbuild.yaml can be told, with its defaults."""
    text = (ROOT / "cloudbuild.yaml").read_text()
    found = re.findall(r"^  (_\w+): (.*?)(?: #.*)?$", text, re.MULTILINE)
    return dict(found)


def test_the_trigger_tells_cloud_build_what_it_can_be_told(full_plan: dict[str, Any]) -> None:
    (trigger,) = values(full_plan, "google_cloudbuild_trigger")
    assert (ROOT / trigger["filename"]).exists()
    told = trigger["substitutions"]
    assert told.keys() <= substitutions().keys()
    for name in (told["_REQUIREMENTS"], substitutions()["_REQUIREMENTS"]):
        assert (ROOT / name).exists()


def test_the_defaults_of_cloud_build_are_terraforms(plan: dict[str, Any]) -> None:
    defaults = substitutions()
    outputs = {name: each.get("value") for name, each in plan["planned_values"]["outputs"].items()}
    service = defaults["_SERVICE"]
    assert service == outputs["service"]
    assert defaults["_REGION"] == outputs["region"]
    assert defaults["_REQUIREMENTS"] == outputs["requirements"]
    assert defaults["_API_KEY_SECRET"].replace("${_SERVICE}", service) == outputs["api_key_secret"]
    image = defaults["_IMAGE"].replace("${_REGION}", outputs["region"])
    image = image.replace("${PROJECT_ID}", "demo-project").replace("${_SERVICE}", service)
    assert image == outputs["image"]


def test_the_script_reads_outputs_that_there_are(full_plan: dict[str, Any]) -> None:
    read = set(re.findall(r"\$\(output (\w+)\)", (INFRA / "deploy.sh").read_text()))
    assert read
    assert read <= full_plan["planned_values"]["outputs"].keys()


def test_the_script_sets_variables_that_there_are(full_plan: dict[str, Any]) -> None:
    given = set(re.findall(r'-var="(\w+)=', (INFRA / "deploy.sh").read_text()))
    assert given <= full_plan["configuration"]["root_module"]["variables"].keys()
