"""What Terraform must know of a provider to check a configuration."""

import gzip
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

#: Of hashicorp/google; see ORIGIN.md.
SCHEMA = Path(__file__).parent / "google-schema.json.gz"


class Attribute(Struct, omit_defaults=True):
    #: In Terraform's own notation: "string", ["map", "string"], ["list", ["object", {…}]].
    type: Any
    computed: bool = False
    optional: bool = False
    required: bool = False
    #: All that are allowed; empty if any is.
    values: tuple[str, ...] = ()


class Block(Struct, omit_defaults=True):
    attributes: dict[str, Attribute] = {}
    blocks: dict[str, "Nested"] = {}


class Nested(Struct, omit_defaults=True):
    """A block in a block. No most is 0."""

    block: Block
    nesting: Literal["single", "list", "set"]
    min_items: int = 0
    max_items: int = 0


class Schema(Struct):
    version: str
    provider: Block
    resources: dict[str, Block]
    data_sources: dict[str, Block]


def read(path: Path = SCHEMA) -> Schema:
    return msgspec.json.decode(gzip.decompress(path.read_bytes()), type=Schema)
