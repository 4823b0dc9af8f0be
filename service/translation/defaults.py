"""What the operator has set for requests that do not say."""

from typing import NamedTuple

from service.translation.reasoning import ReasoningField


class Defaults(NamedTuple):
    #: Where thoughts go.
    reasoning: ReasoningField = "both"
    #: Whether thoughts are asked for.
    think: bool = False
    #: Google's harm categories and their thresholds.
    safety: tuple[tuple[str, str], ...] = ()
