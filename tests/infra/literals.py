"""Secrets that stand in Terraform's files as they are: they look like one, or are named so."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from service.settings import Secret, Settings

_CREDENTIAL = re.compile(
    r"ya29\.[\w.-]+|AIza[\w-]{20,}|1//[\w-]{10,}|GOCSPX-[\w-]+|\bsk-[\w-]{16,}|-----BEGIN"
    r"|\b(?:gh[opsur]|github_pat|glpat|xox[abprs]|hf)[_-][\w-]{16,}|\bAKIA[A-Z0-9]{16}"
    r"|\beyJ[\w-]+\.eyJ[\w-]+|\b(?:Bearer|Basic) +[\w.~+/=-]{8,}|://[^/\s:@]+:[^/\s:@$]+@"
    # long, digits and letters, and no part of a name
    r"|(?<![\w.-])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}(?!\w)"
)
_TELLING = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|pwd|secret|token|credential|authorization|cookie"
    r"|(?:api|access|private|signing|encryption)_?key|headers)s?(?:_|$)"
)
#: What an output or a variable may be called for short; a label of a metric may be called so, too.
_SHORT = {"key", "auth", "pass", "pin"}
_WORD = re.compile(r"(?:[A-Za-z]+ )?\S+")  # with a scheme, as in `Token abc`; the rest is prose
_ASSIGNED = re.compile(r'([\w-]+)"?\s*[=:]\s*"((?:[^"\\]|\\.)*)"')
#: What a check may send without anybody wondering
_HARMLESS_HEADERS = {"accept", "accept-language", "content-type", "user-agent"}


class Literal(NamedTuple):
    """A string that may be a secret, and the name that it goes by."""

    name: str
    value: str


def secret_settings() -> set[str]:
    """Return the names of the gateway's settings that are secrets."""
    hints = get_type_hints(Settings)
    return {name.upper() for name, hint in hints.items() if Secret in (hint, *get_args(hint))}


def settings() -> set[str]:
    """Return the names of all of the gateway's settings."""
    return {field.encode_name for field in msgspec.structs.fields(Settings)}


def like_a_credential(text: str) -> str | None:
    """Return the beginning of the first thing in a text that looks like a credential, if any."""
    match = _CREDENTIAL.search(text)
    return f"{match[0][:6]}…" if match else None


def secrets_in(values: Any, references: Collection[str]) -> Iterator[str]:
    """Name what holds a secret in a plan's values. References to secrets are none."""
    for name, value in _named(values, ""):
        if _is_secret(name, value, references):
            yield name


def secret_in_one(name: str, value: Any) -> bool:
    """Whether an output or a variable is a secret that is named as shortly as can be."""
    return name in _SHORT and isinstance(value, str) and _WORD.fullmatch(value) is not None


def secrets_in_files(folder: Path) -> list[str]:
    """Say where in a folder's files a secret stands, be it used or not: locals are in no plan."""
    found = []
    for path in (*folder.glob("*.tf"), *folder.glob("*.tfvars*")):
        text = path.read_text()
        found += [
            f"{path.name}: {name} is a secret's name, and the value stands there"
            for name, value in _ASSIGNED.findall(text)
            if "${" not in value and _is_secret(name, value, ())
        ]
        if like := like_a_credential(text):
            found.append(f"{path.name}: it holds a credential: {like}")
    return found


def telling_headers(check: dict[str, Any]) -> list[str]:
    """Return the headers of an uptime check that may hold a secret, whatever their names."""
    headers = [name for http in check.get("http_check") or [] for name in http.get("headers") or {}]
    return [name for name in headers if name.lower() not in _HARMLESS_HEADERS]


def _named(values: Any, name: str) -> Iterator[Literal]:
    match values:
        case str():
            yield Literal(name, values)
        case list():
            for each in values:
                yield from _named(each, name)
        case dict():
            for called in ("name", "key"):
                if isinstance(values.get(called), str) and "value" in values:
                    yield from _named(values["value"], values[called])
            for key, each in values.items():
                yield from _named(each, key)
        case _:
            pass


def _is_secret(name: str, value: str, references: Collection[str]) -> bool:
    return (
        _is_telling(name)
        and _WORD.fullmatch(value) is not None
        and not value.startswith(("sm://", "projects/"))
        and value not in references
        and value not in settings()  # the name of one, which says where a secret goes
    )


def _is_telling(name: str) -> bool:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])|-", "_", name)
    setting = plain.upper()
    if setting in settings():
        return setting in secret_settings()
    return _TELLING.search(plain.lower()) is not None
