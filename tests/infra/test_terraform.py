"""`make check` holds infra/ to this: it is what Terraform and the policies accept."""

from typing import Any

import pytest

from tests.infra.literals import secrets_in_files
from tests.infra.policy import EXCEPTIONS, UNPROTECTED, violations
from tests.infra.terraform import INFRA, NOTHING, Terraform, env, resources


def test_it_is_formatted(terraform: Terraform) -> None:
    terraform.run("fmt", "-check", "-diff", "-recursive")


@pytest.mark.timeout(180)  # each of its runs starts the provider anew
def test_its_own_tests_pass(own_terraform: Terraform) -> None:
    own_terraform.run("test")


def test_it_reads_nothing_outside_itself() -> None:
    for path in INFRA.rglob("*.tf*"):
        assert "../" not in path.read_text(), path


def test_it_breaks_no_rule_but_on_purpose(plan: dict[str, Any]) -> None:
    assert {tuple(each) for each in violations(plan)} == EXCEPTIONS.keys()


def test_it_breaks_no_rule_with_everything_on(full_plan: dict[str, Any]) -> None:
    assert {tuple(each) for each in violations(full_plan)} <= EXCEPTIONS.keys()


def test_no_secret_stands_in_its_files() -> None:
    assert secrets_in_files(INFRA) == []


def test_it_breaks_no_rule_with_everything_off(terraform: Terraform) -> None:
    broken = {tuple(each) for each in violations(terraform.plan(**NOTHING))}
    assert {each for each in broken if each[1] != UNPROTECTED} <= EXCEPTIONS.keys()


def test_by_default_it_needs_no_secret_of_google(plan: dict[str, Any]) -> None:
    assert env(plan)["UPSTREAMS"] == "vertex"
    read = [each for each in resources(plan) if ".runtime_reads" in each]
    assert read == ['google_secret_manager_secret_iam_member.runtime_reads["api-key"]']
