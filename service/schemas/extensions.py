"""What clients send beyond OpenAI's parameters: Google's own words, and those of other services.

Google's names may come in snake case or in camel case. They may stand at the root, where OpenAI's
SDKs put what they are given as `extra_body`, or under a literal `extra_body`, as in Google's own
samples.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from service.schemas.wire import Wire

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
#: -1 leaves the choice to the model.
ThinkingBudget = Annotated[int, Meta(ge=-1)]
ThinkingLevel = Literal[
    "MINIMAL",
    "LOW",
    "MEDIUM",
    "HIGH",
    "XHIGH",
    "minimal",
    "low",
    "medium",
    "high",
    "xhigh",
    "THINKING_LEVEL_UNSPECIFIED",
]


class ThinkingConfig(Wire):
    """Google's own."""

    thinking_budget: ThinkingBudget | None = None
    thinking_level: ThinkingLevel | None = None
    include_thoughts: bool | None = None
    camel_budget: ThinkingBudget | None = field(default=None, name="thinkingBudget")
    camel_level: ThinkingLevel | None = field(default=None, name="thinkingLevel")
    camel_include: bool | None = field(default=None, name="includeThoughts")

    @property
    def budget(self) -> int | None:
        return self.camel_budget if self.thinking_budget is None else self.thinking_budget

    @property
    def level(self) -> str | None:
        """In capitals; None for Google's word for none."""
        level = (self.thinking_level or self.camel_level or "").upper()
        return None if level in ("", "THINKING_LEVEL_UNSPECIFIED") else level

    @property
    def include(self) -> bool | None:
        return self.camel_include if self.include_thoughts is None else self.include_thoughts


MediaResolution = Literal[
    "LOW",
    "MEDIUM",
    "HIGH",
    "ULTRA_HIGH",
    "low",
    "medium",
    "high",
    "ultra_high",
    "MEDIA_RESOLUTION_LOW",
    "MEDIA_RESOLUTION_MEDIUM",
    "MEDIA_RESOLUTION_HIGH",
    "MEDIA_RESOLUTION_ULTRA_HIGH",
    "MEDIA_RESOLUTION_UNSPECIFIED",
]


class VideoMetadata(Wire, omit_defaults=True, rename="camel"):
    """Which piece of a video to look at, and how many frames of a second."""

    start_offset: str | None = None
    end_offset: str | None = None
    fps: float | None = None


class SafetySetting(Wire, omit_defaults=True):
    category: str
    threshold: str
    method: str | None = None


#: Google takes 512 functions; what is no function is looked at, too, before anybody counts those.
MOST_TOOLS = Meta(max_length=2048)


class GoogleExtensions(Wire):
    thinking_config: ThinkingConfig | None = None
    camel_thinking: ThinkingConfig | None = field(default=None, name="thinkingConfig")
    safety_settings: list[SafetySetting] | None = None
    camel_safety: list[SafetySetting] | None = field(default=None, name="safetySettings")
    cached_content: str | None = None
    camel_cached: str | None = field(default=None, name="cachedContent")
    media_resolution: MediaResolution | None = None
    camel_media: MediaResolution | None = field(default=None, name="mediaResolution")
    labels: dict[str, str] | None = None
    thought_tag_marker: Any = None
    thinking_budget: ThinkingBudget | None = None
    include_reasoning: bool | None = None
    tools: Annotated[list[dict[str, Any]], MOST_TOOLS] | None = None


class Thinking(Wire):
    """Anthropic's."""

    type: str | None = None
    budget_tokens: Annotated[int, Meta(ge=0)] | None = None


class Reasoning(Wire):
    """OpenRouter's; `effort` is also what OpenAI's Responses call it."""

    effort: Effort | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    exclude: bool | None = None
    enabled: bool | None = None


class ImageOptions(Wire):
    """Google's `imageConfig`, as OpenRouter passes it on."""

    aspect_ratio: str | None = None
    image_size: str | None = None
    camel_ratio: str | None = field(default=None, name="aspectRatio")
    camel_size: str | None = field(default=None, name="imageSize")


class Extensions(Wire, kw_only=True):
    google: GoogleExtensions | None = None
    safety_settings: list[SafetySetting] | None = None
    camel_safety: list[SafetySetting] | None = field(default=None, name="safetySettings")
    thinking: Thinking | None = None
    thinking_budget: ThinkingBudget | None = None
    reasoning: Reasoning | None = None
    include_reasoning: bool | None = None
    # The original's, for native tools.
    enable_native_tools: bool | None = None
    enable_search: bool | None = None
    enable_url_context: bool | None = None
    native_tools_priority: Literal["custom_first", "native_first"] | None = None


class Extended(Extensions, kw_only=True):
    """A request that may hold them at its root and in a literal `extra_body`."""

    extra_body: Extensions | None = None
    reasoning_effort: Effort | None = None
