"""The models we offer: data, and the rule that turns a name into one.

To add a model, add its row. A retired model keeps its row, so that requests for it still get the
right dialect; Google re-routes them or refuses, and says so itself.

Sources: Google's model pages and deprecation list, the Gemini CLI's table. Shutdown dates are the
Developer API's.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple

from msgspec import Struct, structs

from service.errors import ModelNotFoundError

#: Thoughts and text together. The Developer API takes one token more, the other two do not.
OUTPUT_LIMIT = 65_535
CONTEXT_LENGTH = 1_048_576


def _on(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


#: All there are, the lowest first.
LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")


class Budget(NamedTuple):
    """How many tokens a model may be told to think for. Beside that there is -1: as it likes."""

    least: int
    most: int
    can_be_off: bool


class Model(Struct, frozen=True, kw_only=True):
    """What the gateway must know of a model to speak its dialect."""

    id: str
    #: Seconds since 1970, and fixed: the day of release where we know it, else the day of the row.
    created: int = _on(2026, 11, 22)
    context_length: int = CONTEXT_LENGTH
    #: None for a model that is not in the table.
    max_output_tokens: int | None = OUTPUT_LIMIT
    #: How thinking is controlled: `thinkingBudget`, `thinkingLevel`, or not at all.
    thinking: Literal["budget", "level"] | None = "level"
    #: Where it is a budget. What no model refuses, for one that we do not know.
    budget: Budget = Budget(512, 24_576, can_be_off=False)
    #: Where it is a level: the ones there are, the lowest first.
    levels: tuple[str, ...] = ("LOW", "MEDIUM", "HIGH")
    #: Whether schemas are JSON Schema. The models before 2.5 know a subset of OpenAPI's only.
    json_schema: bool = True
    #: Whether JSON can be asked for beside functions, or beside Gemini's own tools.
    json_with_tools: bool = True
    #: Whether functions and Gemini's own tools can stand together.
    native_with_functions: bool = True
    #: Whether it takes a system instruction.
    system: bool = True
    #: Whether a part has a resolution of its own, and a tool's result may hold images.
    media_in_parts: bool = True
    inputs: tuple[str, ...] = ("text", "image", "audio", "video", "file")
    outputs: tuple[str, ...] = ("text",)
    #: Of the vectors that a model for embeddings makes, unless it is asked for less.
    dimensions: int | None = None
    aliases: tuple[str, ...] = ()
    shutdown_date: date | None = None
    #: What to use instead of one that is or will be shut down.
    replacement: str | None = None
    #: From 3.6 on Google deprecates temperature, top_p and top_k, and may refuse them.
    sampling: bool = True
    #: From 3.6 on a request may not end in a model turn.
    prefill: bool = True
    #: What Code Assist calls it, where that differs.
    code_assist_id: str | None = None
    #: Which one of its family is asked in its place, where the operator allows that.
    fallback: str | None = None


# The dialects, for rows of the table and for ids that are not in it.
_BUDGET = Model(  # 2.5
    id="",
    thinking="budget",
    json_with_tools=False,
    native_with_functions=False,
    media_in_parts=False,
)
_OLDEST = structs.replace(_BUDGET, thinking=None, json_schema=False)  # before 2.5
_GEMMA = structs.replace(_OLDEST, context_length=256_000, inputs=("text", "image"), system=False)
_LEVEL = Model(id="")  # 3 to 3.5
_NEWEST = Model(id="", sampling=False, prefill=False)  # from 3.6 on
_EMBEDDINGS = Model(
    id="",
    thinking=None,
    context_length=2048,
    max_output_tokens=None,
    inputs=("text",),
    outputs=("embedding",),
    dimensions=3072,
)


def _row(dialect: Model, id_: str, **differs: object) -> Model:
    return structs.replace(dialect, id=id_, **differs)


_FROM_MINIMAL = LEVELS[:-1]
_END_OF_2_5 = date(2026, 12, 1)

MODELS = (
    _row(_NEWEST, "gemini-4-hydrogen", levels=LEVELS[1:], fallback="gemini-3.8-flash"),
    _row(_NEWEST, "gemini-4-carbon", created=_on(2026, 11, 10), fallback="gemini-4-hydrogen"),
    _row(_NEWEST, "gemini-4-argon", fallback="gemini-4-hydrogen"),
    _row(_NEWEST, "gemini-3.8-flash", fallback="gemini-3.5-flash"),
    _row(_NEWEST, "gemini-3.7-flash", fallback="gemini-3.5-flash"),
    _row(_NEWEST, "gemini-3.6-flash", levels=_FROM_MINIMAL, fallback="gemini-3.5-flash"),
    _row(
        _LEVEL,
        "gemini-3.5-flash",
        aliases=("gemini-3-flash",),
        code_assist_id="gemini-3-flash",
        levels=_FROM_MINIMAL,
        fallback="gemini-3.5-flash-lite",
    ),
    _row(_LEVEL, "gemini-3.5-flash-lite", levels=_FROM_MINIMAL, fallback="gemini-3.1-flash-lite"),
    _row(
        _LEVEL,
        "gemini-3.1-pro-preview",
        created=_on(2026, 2, 19),
        fallback="gemini-3.5-flash",
    ),
    _row(
        _LEVEL,
        "gemini-3.1-pro-preview-customtools",
        created=_on(2026, 2, 19),
        fallback="gemini-3.1-pro-preview",
    ),
    _row(
        _LEVEL,
        "gemini-3.1-flash-lite",
        aliases=("gemini-3.1-flash-lite-preview",),
        levels=_FROM_MINIMAL,
        shutdown_date=date(2027, 5, 7),
        replacement="gemini-3.5-flash-lite",
    ),
    _row(
        _LEVEL,
        "gemini-3-flash-preview",
        created=_on(2025, 12, 17),
        levels=_FROM_MINIMAL,
        fallback="gemini-3.5-flash",
    ),
    _row(
        _LEVEL,
        "gemini-3-pro-preview",
        created=_on(2025, 11, 18),
        levels=("LOW", "HIGH"),
        shutdown_date=date(2026, 3, 9),
        replacement="gemini-3.1-pro-preview",
        fallback="gemini-3.1-pro-preview",
    ),
    _row(
        _BUDGET,
        "gemini-2.5-pro",
        created=_on(2025, 6, 17),
        shutdown_date=_END_OF_2_5,
        replacement="gemini-3.1-pro-preview",
        budget=Budget(128, 32_768, can_be_off=False),
        fallback="gemini-2.5-flash",
    ),
    _row(
        _BUDGET,
        "gemini-2.5-flash",
        created=_on(2025, 6, 17),
        shutdown_date=_END_OF_2_5,
        replacement="gemini-3.5-flash",
        budget=Budget(1, 24_576, can_be_off=True),
        fallback="gemini-2.5-flash-lite",
    ),
    _row(
        _BUDGET,
        "gemini-2.5-flash-lite",
        created=_on(2025, 7, 22),
        budget=Budget(512, 24_576, can_be_off=True),
    ),
    _row(
        _BUDGET,
        "gemini-2.5-flash-image",
        created=_on(2025, 10, 2),
        context_length=65_536,
        max_output_tokens=32_768,
        thinking=None,
        inputs=("text", "image"),
        outputs=("text", "image"),
    ),
    _row(_EMBEDDINGS, "gemini-embedding-001", created=_on(2025, 7, 14)),
    _row(_EMBEDDINGS, "gemini-embedding-2", context_length=8192),
)

#: Asked when somebody wants to know whether a way works at all, and settings name none.
PROBE_MODEL = "gemini-3.5-flash"

_BY_NAME = {name: model for model in MODELS for name in (model.id, *model.aliases)}
#: Characters of an id that a client may make up. Google's own have a few dozen.
_LONGEST = 8192
_PREFIX = re.compile("models/|google/|gemini/")
#: Google's models of other names; those of embeddings have three digits, and OpenAI's do not.
_OTHERS = re.compile(r"gemma-[A-Za-z0-9._-]+|text-(?:multilingual-)?embedding-\d{3}")
_GEMINI = re.compile(r"gemini-(?:(\d{1,3})(?:\.(\d{1,3}))?(?![\d.]))?[A-Za-z0-9._-]*")


def find_model(name: str) -> Model:
    """Return the model of that name, with or without `models/`, `google/` or `gemini/` before it.

    An id that begins with `gemini-` and is not in the table is passed on as it is, with the dialect
    of its generation, so that a model released tomorrow works; so is one of Google's others. Raise
    `ModelNotFoundError` for any other name.
    """
    bare = _PREFIX.sub("", name, count=1) if _PREFIX.match(name) else name
    if len(bare) > _LONGEST:
        bare = ""  # whoever keeps something for each model shall not keep a megabyte
    if known := _BY_NAME.get(bare):
        return known
    if match := _GEMINI.fullmatch(bare):
        if bare.startswith("gemini-embedding-"):
            return structs.replace(_EMBEDDINGS, id=bare)
        return structs.replace(
            _dialect(match[1], match[2]), id=bare, max_output_tokens=None, **_special(bare)
        )
    if _OTHERS.fullmatch(bare):
        if bare.startswith("gemma-"):
            return structs.replace(_GEMMA, id=bare, max_output_tokens=None)
        return structs.replace(_EMBEDDINGS, id=bare, dimensions=768)
    msg = f"The model '{name[:100]}' does not exist. GET /v1/models lists the ones there are."
    raise ModelNotFoundError(msg)


def family_of(model: Model) -> list[Model]:
    """Return the model, and those that may be asked in its place, in their order."""
    family = [model]
    while (name := family[-1].fallback) is not None:
        family.append(_BY_NAME[name])
    return family


def unaliased(name: str, aliases: Mapping[str, str]) -> str:
    """Return the name that one of the operator's own names stands for; any other as it is."""
    if not aliases:
        return name
    return aliases.get(name) or aliases.get(_PREFIX.sub("", name, count=1)) or name


def _special(id_: str) -> dict[str, Any]:
    """Return what Google's names say of models that draw or speak."""
    if "-tts" in id_:
        return {"inputs": ("text",), "outputs": ("audio",), "thinking": None}
    if "-image" in id_:
        old = {"thinking": None} if id_.startswith(("gemini-1", "gemini-2")) else {}
        return {"inputs": ("text", "image"), "outputs": ("text", "image"), **old}
    return {}


#: Known at Vertex AI and at the Developer API only.
_NOT_ON_CODE_ASSIST = frozenset(
    {
        "gemini-4-hydrogen",
        "gemini-4-carbon",
        "gemini-4-argon",
        "gemini-3.7-flash",
        "gemini-3.6-flash",
        "gemini-2.5-flash-image",
    }
)


def table_of(upstream: str | None) -> list[Model]:
    """Return the rows that an upstream is known to serve, or served; all of them for None."""
    if upstream != "code_assist":
        return list(MODELS)
    return [
        model
        for model in MODELS
        if model.id not in _NOT_ON_CODE_ASSIST and "embedding" not in model.outputs
    ]


def _dialect(major: str | None, minor: str | None) -> Model:
    if major is None:  # as in gemini-flash-latest
        return _NEWEST
    version = (int(major), int(minor or 0))
    if version < (2, 5):
        return _OLDEST
    if version < (3, 0):
        return _BUDGET
    return _LEVEL if version < (3, 6) else _NEWEST
