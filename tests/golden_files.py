"""Golden files: one JSON file per rule, read by people first.

`because` says which rule, `given` is the input, `expected` the output. `make golden` writes what
the code does now, for `git diff` to show.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

HERE = Path(__file__).parent / "golden"


def cases(kind: str) -> pytest.MarkDecorator:
    """Parametrise a test over every file in `golden/<kind>/`."""
    paths = sorted((HERE / kind).glob("*.json"))
    assert paths, f"no golden files for {kind}"
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


def check(path: Path, config: pytest.Config, produce: Callable[[Any], Any]) -> None:
    """Compare what `produce` makes of `given` with `expected`, as JSON."""
    case = msgspec.json.decode(path.read_bytes())
    got = msgspec.json.decode(msgspec.json.encode(produce(case["given"])))
    if config.getoption("--update-golden"):
        case["expected"] = got
        path.write_bytes(msgspec.json.format(msgspec.json.encode(case), indent=2) + b"\n")
    assert got == case["expected"], case["because"]
