"""The models of the simulated Google, and what it needs to know to refuse what they refuse."""

from dataclasses import dataclass

from tests.simulators.calls import Upstream
from tests.simulators.world import World

MAGIC = "gemini-sim-"  # followed by the id of a scenario
NEWEST = (99, 0)
EVERYWHERE: tuple[Upstream, ...] = ("code_assist", "gemini_api", "vertex")
SIBLINGS: tuple[Upstream, ...] = ("gemini_api", "vertex")
CODE_ASSIST: tuple[Upstream, ...] = ("code_assist",)
API_KEY: tuple[Upstream, ...] = ("gemini_api",)


@dataclass(frozen=True)
class Budget:
    """Thinking that is measured in tokens."""

    least: int
    most: int
    can_be_off: bool


@dataclass(frozen=True)
class Levels:
    """Thinking that is chosen by name."""

    allowed: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    id: str
    generation: tuple[int, int]
    thinking: Budget | Levels | None
    upstreams: tuple[Upstream, ...] = EVERYWHERE
    preview: bool = False
    methods: tuple[str, ...] = ("generateContent", "countTokens")
    input_limit: int = 1_048_576
    unruly: bool = False  # nothing is known about it, so nothing is refused because of it

    @property
    def is_gemma(self) -> bool:
        return self.id.startswith("gemma")

    @property
    def combines_tools(self) -> bool:
        """Functions, search and JSON together: from Gemini 3 on."""
        return self.unruly or self.generation >= (3, 0)

    @property
    def signs_calls(self) -> bool:
        return not self.unruly and self.generation >= (3, 0)

    @property
    def refuses_prefill(self) -> bool:
        """Also the start of the rule that a function's response repeats the call's id."""
        return not self.unruly and self.generation >= (3, 6)


_LOW_HIGH = Levels(("LOW", "HIGH"))
_LOW_TO_HIGH = Levels(("LOW", "MEDIUM", "HIGH"))
_MINIMAL_TO_HIGH = Levels(("MINIMAL", "LOW", "MEDIUM", "HIGH"))
_LOW_TO_XHIGH = Levels(("LOW", "MEDIUM", "HIGH", "XHIGH"))
_EMBEDS = ("embedContent",)

_MODELS = (
    Model("gemini-2.5-pro", (2, 5), Budget(128, 32768, can_be_off=False)),
    Model("gemini-2.5-flash", (2, 5), Budget(0, 24576, can_be_off=True)),
    Model("gemini-2.5-flash-lite", (2, 5), Budget(512, 24576, can_be_off=True)),
    Model("gemini-3-pro-preview", (3, 0), _LOW_HIGH, ("code_assist", "vertex"), preview=True),
    Model("gemini-3.1-pro-preview", (3, 1), _LOW_TO_HIGH, preview=True),
    Model("gemini-3.1-pro-preview-customtools", (3, 1), _LOW_TO_HIGH, preview=True),
    Model("gemini-3-flash-preview", (3, 0), _MINIMAL_TO_HIGH, preview=True),
    Model("gemini-3-flash", (3, 5), _MINIMAL_TO_HIGH, CODE_ASSIST),  # the name of 3.5-flash there
    Model("gemini-3.5-flash", (3, 5), _MINIMAL_TO_HIGH, SIBLINGS),
    Model("gemini-3.8-flash", (3, 8), _LOW_TO_HIGH),
    Model("gemini-3.5-flash-lite", (3, 5), _MINIMAL_TO_HIGH),
    Model("gemini-3.1-flash-lite", (3, 1), _MINIMAL_TO_HIGH),
    Model("gemini-3.1-flash-lite-preview", (3, 1), _MINIMAL_TO_HIGH, preview=True),
    Model("gemini-3.6-flash", (3, 6), _MINIMAL_TO_HIGH, SIBLINGS),
    Model("gemini-3.7-flash", (3, 7), _LOW_TO_HIGH, SIBLINGS),
    Model("gemini-4-argon", (4, 0), _LOW_TO_HIGH, SIBLINGS),
    Model("gemini-4-carbon", (4, 0), _LOW_TO_HIGH, SIBLINGS),
    Model("gemini-4-hydrogen", (4, 0), _LOW_TO_XHIGH, SIBLINGS),
    Model("gemini-2.5-flash-image", (2, 5), None, SIBLINGS),
    Model("gemini-3-pro-image", (3, 0), _LOW_HIGH, SIBLINGS),
    Model("gemini-3-pro-image-preview", (3, 0), _LOW_HIGH, SIBLINGS),
    Model("gemini-3.1-flash-image-preview", (3, 1), _MINIMAL_TO_HIGH, SIBLINGS),
    Model("gemma-4-31b-it", (2, 5), None, API_KEY, input_limit=256_000),
    Model("gemma-4-26b-a4b-it", (2, 5), None, API_KEY, input_limit=256_000),
    Model("gemini-embedding-001", (2, 5), None, SIBLINGS, methods=_EMBEDS, input_limit=2048),
    Model("gemini-embedding-2", (2, 5), None, SIBLINGS, methods=_EMBEDS, input_limit=8192),
    Model("gemini-embedding-2-preview", (2, 5), None, SIBLINGS, methods=_EMBEDS, input_limit=8192),
)
BY_ID = {model.id: model for model in _MODELS}


def unruly(model_id: str) -> Model:
    """A model that a test made up, or one that plays a scenario."""
    return Model(model_id, NEWEST, None, unruly=True)


def models_of(upstream: Upstream, world: World | None = None) -> list[Model]:
    more, retired = (world.models, world.retired) if world else (set[str](), set[str]())
    known = [*_MODELS, *map(unruly, sorted(more))]
    return [model for model in known if upstream in model.upstreams and model.id not in retired]
