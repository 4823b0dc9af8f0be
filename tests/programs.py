"""Programs besides Python that some tests need."""

import os
import shutil

import pytest


def need(program: str, *, install: str) -> None:
    """Skip the test if the program is missing, and name what to install; in CI, fail it."""
    if shutil.which(program) is None:
        miss(f"{program} is not installed: install {install}.")


def miss(what: str) -> None:
    """Skip the test, or fail it in CI, because something that it needs is missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
