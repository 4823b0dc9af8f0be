"""What the operator has set for requests that do not say."""

from typing import NamedTuple

from service.translation.reasoning import ReasoningField


class NativeTools(NamedTuple):
    """Gemini's own tools: which of them, and against what."""

    #: Whether the next two count.
    on: bool = False
    search: bool = False
    url_context: bool = False
    #: Whether they win over functions, on models that refuse both at once.
    first: bool = False
    #: Whether requests may say otherwise.
    by_request: bool = True


class Defaults(NamedTuple):
    #: Where thoughts go.
    reasoning: ReasoningField = "both"
    #: Whether thoughts are asked for.
    think: bool = False
    #: Google's harm categories and their thresholds.
    safety: tuple[tuple[str, str], ...] = ()
    native: NativeTools = NativeTools()
