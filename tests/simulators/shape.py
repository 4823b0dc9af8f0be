"""Is a body a message that Google knows? Protobuf's JSON rules, over the table in `proto`."""

import binascii
import re
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.calls import Upstream
from tests.simulators.proto import ENUMS, MESSAGES, Field
from tests.simulators.rendering import compact

_PACKAGES: dict[Upstream, str] = {
    "code_assist": "google.cloud.aiplatform.master",
    "gemini_api": "google.ai.generativelanguage.v1beta",
    "vertex": "google.cloud.aiplatform.v1beta1",
}
_INTEGERS = {"int32": 2**31, "int64": 2**63}
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class _Wrong(Exception):  # noqa: N818  never leaves this module
    """A scalar of the wrong type; the text is what follows its path."""


@dataclass
class Inspection:
    """The faults of one body, by path, in the order in which they were found."""

    upstream: Upstream
    faults: list[tuple[str, str]] = field(default_factory=list)

    def message(self, value: object, name: str, path: str = "") -> dict[str, Any]:
        """Check a message; return it with camelCase keys and without what is null."""
        if not isinstance(value, dict):
            self._invalid(path, self._type_url(name), value)
            return {}
        known = MESSAGES[name]
        checked = {}
        for key, content in value.items():
            described = known.get(key)
            if described is None or self.upstream not in described.upstreams:
                self._unknown_name(key, path, "Cannot find field.")
            elif content is not None:
                checked[described.name] = self._field(content, described, path)
        return checked

    def _field(self, value: object, described: Field, parent: str) -> Any:
        path = f"{parent}.{described.path}" if parent else described.path
        if described.is_list:
            if not isinstance(value, list):
                self._invalid(path, self._type_url(described.type), value)
                return []
            return [
                self._single(item, described.type, f"{path}[{at}]") for at, item in enumerate(value)
            ]
        if described.is_map:
            if not isinstance(value, dict):
                self._invalid(path, "Map", value)
                return {}
            return {
                key: self._single(item, described.type, f"{path}[{at}].value")
                for at, (key, item) in enumerate(value.items())
            }
        if isinstance(value, list) and described.type != "Value":
            reason = "Proto field is not repeating, cannot start list."
            self._unknown_name(described.name, parent, reason)
            return None
        return self._single(value, described.type, path)

    def _single(self, value: object, kind: str, path: str) -> Any:
        if kind == "Value":
            return value
        if kind == "Struct":
            if isinstance(value, dict):
                return value
            self._invalid(path, "type.googleapis.com/google.protobuf.Struct", value)
            return {}
        if kind in MESSAGES:
            return self.message(value, kind, path)
        if isinstance(value, dict):
            self._add(path, f"Invalid value at '{path}', Starting an object on a scalar field")
            return None
        try:
            return _enum(value, kind) if kind in ENUMS else _SCALARS[kind](value, kind)
        except _Wrong as wrong:
            url = self._type_url(kind) if kind in ENUMS else f"TYPE_{kind.upper()}"
            self._add(path, f"Invalid value at '{path}' ({url}), {wrong}")
            return None

    def _type_url(self, name: str) -> str:
        return f"type.googleapis.com/{_PACKAGES[self.upstream]}.{name}"

    def _invalid(self, path: str, kind: str, value: object) -> None:
        where = f" at '{path}'" if path else ""
        self._add(path, f"Invalid value{where} ({kind}), {compact(value).decode()}")

    def _unknown_name(self, key: str, path: str, reason: str) -> None:
        where = f" at '{path}'" if path else ""
        text = f'Invalid JSON payload received. Unknown name "{key}"{where}: {reason}'
        self._add(path, text)

    def _add(self, path: str, text: str) -> None:
        self.faults.append((path, text))


def _enum(value: object, kind: str) -> str:
    """Take the name in any case, as Google's front end does."""
    if not isinstance(value, str) or value.upper() not in ENUMS[kind].split():
        raise _wrong(value)
    return value.upper()


def _string(value: object, _kind: str) -> str:
    if not isinstance(value, str):
        raise _wrong(value)
    return value


def _bool(value: object, _kind: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value)
    return value


def _integer(value: object, kind: str) -> int:
    """Take 17, 17.0 and "17", as protobuf's JSON does."""
    number = _number(value, kind)
    limit = _INTEGERS[kind]
    if number != int(number) or not -limit <= number < limit:
        raise _wrong(value)
    return int(number)


def _number(value: object, _kind: str) -> float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value)
    return value


def _bytes(value: object, kind: str) -> str:
    """Take standard and URL-safe base64, padded or not; return it as it was."""
    text = _string(value, kind)
    encoded = text.encode("utf-8", "surrogatepass").translate(_URL_SAFE).rstrip(b"=")
    try:
        binascii.a2b_base64(encoded + b"=" * (-len(encoded) % 4), strict_mode=True)
    except binascii.Error as error:
        raise _Wrong(f'Base64 decoding failed for "{text[:80]}"') from error
    return text


def _wrong(value: object) -> _Wrong:
    return _Wrong(compact(value).decode())


_SCALARS = {
    "string": _string,
    "bool": _bool,
    "int32": _integer,
    "int64": _integer,
    "float": _number,
    "double": _number,
    "bytes": _bytes,
}
