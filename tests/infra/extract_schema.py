"""Take the schemas of Google's Terraform resources out of their bindings on PyPI; see ORIGIN.md.

    python -m tests.infra.extract_schema cdktn_provider_google-21.1.0-py3-none-any.whl

The bindings are TypeScript that was generated from the provider's own schema. Three things in it
say all of that: a comment before each member of a class, whether it can be set; the functions
that write HCL, which members are blocks; the texts on members, which values are allowed.
"""

import base64
import gzip
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tests.infra.schema import SCHEMA, Attribute, Block, Nested, Schema

#: What infra/ is made of, and what the mistakes planted by the tests are made of.
RESOURCES = (
    "artifact_registry_repository",
    "artifact_registry_repository_iam_member",
    "billing_budget",
    "cloud_run_v2_service",
    "cloud_run_v2_service_iam_member",
    "cloudbuild_trigger",
    "firestore_database",
    "firestore_field",
    "logging_metric",
    "monitoring_alert_policy",
    "monitoring_dashboard",
    "monitoring_notification_channel",
    "monitoring_service",
    "monitoring_slo",
    "monitoring_uptime_check_config",
    "project_iam_binding",
    "project_iam_member",
    "project_service",
    "secret_manager_secret",
    "secret_manager_secret_iam_member",
    "secret_manager_secret_version",
    "service_account",
    "service_account_iam_member",
    "service_account_key",
    "storage_bucket",
    "storage_bucket_iam_member",
)
DATA_SOURCES = ("project",)

_MS = re.MULTILINE | re.DOTALL
_CLASS = re.compile(r"^export class (\w+) extends cdktn\.(\w+) \{\n(.*?)^\}", _MS)
_MEMBER = re.compile(
    r"^  // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n(.*?)(?=\n\n|\Z)",
    _MS,
)
_WRITER = re.compile(r"^export function (\w+)ToHclTerraform\((.*?)^\}", _MS)
_OWN_WRITER = re.compile(r"^  protected synthesizeHclAttributes\((.*?)^  \}", _MS)
_WRITTEN = re.compile(
    r'^ +(\w+): \{\n +value: .*\n +isBlock: (\w+),\n +type: "(\w+)",\n +storageClassType: "(\w+)"',
    re.MULTILINE,
)
_INTERFACE = re.compile(r"^export interface (\w+).*?\{\n(.*?)^\}", _MS)
_PROPERTY = re.compile(r"^  /\*\*\n(.*?)\*/\n  readonly ", _MS)
_VALUES = re.compile(r"Possible values: \[(.*?)\]", re.DOTALL)
_SCALARS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
_REFERENCE = "OutputReference"


class Written(Struct, frozen=True):
    """How a member is written in HCL."""

    is_block: bool
    kind: str
    storage: str


class Member(Struct, frozen=True):
    name: str
    computed: bool
    optional: bool
    required: bool
    code: str

    @property
    def nested(self) -> tuple[str, str, bool] | None:
        """The class of its elements, what holds them, and whether that is a set."""
        pattern = rf'= new (\w+?)(List|Map|OutputReference)\(this, "{self.name}"(?:, (\w+))?\)'
        found = re.search(pattern, self.code)
        return found and (found[1] + _REFERENCE, found[2], found[3] == "true")


class Bindings:
    """One file of the bindings: a resource, or a data source, or the provider."""

    def __init__(self, code: str) -> None:
        self._members: dict[str, list[Member]] = {}
        self.kind = self._main = ""
        for name, kind, body in _CLASS.findall(code):
            self._members[name] = [
                Member(field, computed == "true", optional == "true", required == "true", text)
                for field, computed, optional, required, text in _MEMBER.findall(body)
            ]
            if kind in ("TerraformResource", "TerraformDataSource", "TerraformProvider"):
                self.kind, self._main = kind, name
        writers = dict(_WRITER.findall(code)) | {self._main: _OWN_WRITER.findall(code)[0]}
        self._written = {
            name.lower(): {
                field: Written(is_block == "true", kind, storage)
                for field, is_block, kind, storage in _WRITTEN.findall(body)
            }
            for name, body in writers.items()
        }
        self._values = {name: _allowed(body) for name, body in _INTERFACE.findall(code)}

    def block(self, name: str | None = None) -> Block:
        """Return what one of its classes describes; the main one's without a name."""
        of = (name or self._main).removesuffix(_REFERENCE)
        written = self._written.get(of.lower(), {})
        values = self._values.get(of if name else f"{of}Config", {})
        block = Block()
        for member in self._members[name or self._main]:
            how = written.get(member.name)
            if member.nested and how and how.is_block and (member.optional or member.required):
                block.blocks[member.name] = self._nested(member, member.nested)
            else:
                block.attributes[member.name] = Attribute(
                    type=self._type(member, how),
                    computed=member.computed,
                    optional=member.optional,
                    required=member.required,
                    values=values.get(member.name, ()),
                )
        return block

    def _nested(self, member: Member, nested: tuple[str, str, bool]) -> Nested:
        of, holder, is_set = nested
        if member.name == "timeouts":
            return Nested(self.block(of), "single")
        return Nested(
            self.block(of),
            "set" if is_set else "list",
            min_items=int(member.required),
            max_items=int(holder == _REFERENCE),
        )

    def _type(self, member: Member, how: Written | None) -> Any:
        """Return the type of an attribute, in Terraform's own notation."""
        if member.nested:
            of, _, is_set = member.nested
            fields = {each.name: self._type(each, None) for each in self._members[of]}
            return ["set" if is_set else "list", ["object", fields]]
        read = _type_that_is_read(member.code)
        stored = how and re.fullmatch(r"(string|number|boolean|any)(Map|List)?", how.storage)
        if not stored or (isinstance(read, list) and read[0] == "set"):
            return read
        scalar, holder = _SCALARS[stored[1]], stored[2]
        if holder is None:
            return scalar
        return [
            "map" if holder == "Map" else "set" if how and how.kind == "set" else "list",
            scalar,
        ]


def _type_that_is_read(code: str) -> Any:
    if found := re.search(r"= new cdktn\.(String|Number|Boolean|Any)Map(List)?\(", code):
        of = ["map", _SCALARS[found[1].lower()]]
        return ["list", of] if found[2] else of
    found = re.search(r"(Fn\.tolist\()?this\.get(\w*?)(List|Map|)Attribute\(", code)
    if found is None:
        return "string"
    scalar = _SCALARS[(found[2] or "string").lower()]
    match found[3]:
        case "":
            return scalar
        case "Map":
            return ["map", scalar]
        case _:
            return ["set" if found[1] else "list", scalar]


def _allowed(interface: str) -> dict[str, tuple[str, ...]]:
    allowed = {}
    for text in _PROPERTY.findall(interface):
        name, values = re.search(r"#(\w+) ", text), _VALUES.search(text)
        if name and values:
            allowed[name[1]] = tuple(re.findall(r'"([^"]*)"', values[1]))
    return allowed


def main(wheel: str) -> None:
    """Write the schema of what is wanted beside this module."""
    with zipfile.ZipFile(wheel) as package:
        (name,) = (name for name in package.namelist() if name.endswith(".jsii.tgz"))
        with package.open(name) as packed, tarfile.open(fileobj=packed, mode="r:gz") as files:
            schema = Schema(
                version="",
                provider=_bindings(files, "provider")[0].block(),
                resources={f"google_{name}": _block(files, name) for name in RESOURCES},
                data_sources={
                    f"google_{name}": _block(files, f"data_google_{name}") for name in DATA_SOURCES
                },
            )
            _, code = _bindings(files, RESOURCES[0])
    (version,) = set(re.findall(r"providerVersion: '([\d.]+)'", code))
    encoded = msgspec.json.encode(msgspec.structs.replace(schema, version=version), order="sorted")
    SCHEMA.write_bytes(gzip.compress(encoded, mtime=0))


def _block(files: tarfile.TarFile, name: str) -> Block:
    return _bindings(files, name)[0].block()


def _bindings(files: tarfile.TarFile, name: str) -> tuple[Bindings, str]:
    """Read the TypeScript that a file of JavaScript carries as its source map."""
    file = files.extractfile(f"package/lib/{name.replace('_', '-')}/index.js")
    assert file is not None, name
    _, _, encoded = (
        file.read().decode().rpartition("sourceMappingURL=data:application/json;base64,")
    )
    code = msgspec.json.decode(base64.b64decode(encoded))["sourcesContent"][0]
    return Bindings(code), code


if __name__ == "__main__":
    main(str(Path(sys.argv[1])))
