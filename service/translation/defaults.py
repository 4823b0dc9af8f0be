"""What the operator has set for requests that do not say."""

from typing import NamedTuple

from service.file_uris import READ_BY
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
    #: How large images and files may be, all of a request together.
    media_max_bytes: int = 14 * 1024 * 1024
    #: What Google reads by itself, on each of the ways to it.
    google_reads: tuple[frozenset[str], ...] = (READ_BY["code_assist"],)
    native: NativeTools = NativeTools()
