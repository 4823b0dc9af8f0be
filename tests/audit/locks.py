"""What is wrong with a lock file: read without a network."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


class Pin(NamedTuple):
    """A package in a lock file; several, if versions differ between platforms."""

    name: str
    version: str
    hashes: int


def pins(lock: str) -> list[Pin]:
    return [pin for pin in _read(lock) if isinstance(pin, Pin)]


def faults(lock: str, wanted: Iterable[str]) -> list[str]:
    """Return what is wrong with a lock file, one sentence each.

    Args:
        lock: its text.
        wanted: the requirements that it was made from.

    """
    found = [each for each in _read(lock) if isinstance(each, str)]
    locked = {pin.name: pin for pin in pins(lock)}
    found += [f"{pin.name} has no hash" for pin in locked.values() if not pin.hashes]
    for text in wanted:
        requirement = Requirement(text)
        pin = locked.get(canonicalize_name(requirement.name))
        if pin is None:
            found.append(f"{requirement.name} is not locked")
        elif pin.version not in requirement.specifier:
            found.append(f"{pin.name} is locked at {pin.version}, not {requirement.specifier}")
    return found


def _read(lock: str) -> Iterator[Pin | str]:
    """Read it line by line: a pin, or what is wrong with what should be one."""
    lines = re.sub(r"^\s*#.*$", "", lock, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    for line in filter(str.strip, lines):
        text = _HASH.sub("", line).strip()
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            yield f"{text[:60]!r} is no pin"
            continue
        (version, *others) = [*requirement.specifier] or [None]
        if requirement.url or others or version is None or version.operator != "==":
            yield f"{requirement.name} is not pinned to a version"
            continue
        hashes = len(_HASH.findall(line))
        yield Pin(canonicalize_name(requirement.name), version.version, hashes)
