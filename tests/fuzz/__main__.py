"""`make fuzz`: what the tests of this folder do, with new examples until the time is over.

`python -m tests.fuzz SECONDS [MODULE …]`: so many seconds for each of the modules together. What
fails is printed, and kept in `.hypothesis`, so that the tests meet it again.
"""

import importlib
import pkgutil
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from hypothesis import settings

import tests.fuzz

_ROUND = 500  # examples of one test before it is the next one's turn


def fuzz(name: str, seconds: float) -> bool:
    """Run the tests of one module by turns; print and return whether all held."""
    module = importlib.import_module(f"tests.fuzz.test_{name}")
    properties: list[Callable[[], Any]] = [
        test for test in vars(module).values() if hasattr(test, "hypothesis")
    ]
    rounds, ending = 0, time.monotonic() + seconds
    while time.monotonic() < ending:
        for holds in properties:
            try:
                holds()
            except BaseException:  # noqa: BLE001  (hypothesis puts several into a group)
                traceback.print_exc()
                _print(f"{name}: failed in round {rounds + 1}")
                return False
        rounds += 1
    _print(f"{name}: {len(properties)} properties held for {rounds * _ROUND} examples each")
    return True


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(seconds: str, *names: str) -> int:
    settings.register_profile("fuzz", max_examples=_ROUND, derandomize=False)
    settings.load_profile("fuzz")  # before the tests are imported
    modules = [module.name for module in pkgutil.iter_modules(tests.fuzz.__path__)]
    all_names = [name.removeprefix("test_") for name in modules if name.startswith("test_")]
    held = [fuzz(name, float(seconds)) for name in names or all_names]
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
