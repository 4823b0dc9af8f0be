"""The operator's settings, as the defaults that the translation takes."""

import functools

from service.file_uris import READ_BY
from service.settings import Settings
from service.translation.defaults import Defaults, NativeTools

_CATEGORIES = ("harassment", "hate_speech", "sexually_explicit", "dangerous_content")
#: Names that the original gave to Google's thresholds.
_THRESHOLDS = {"block_few": "BLOCK_ONLY_HIGH", "block_some": "BLOCK_MEDIUM_AND_ABOVE"}


@functools.lru_cache(maxsize=8)
def defaults_of(settings: Settings) -> Defaults:
    tags = settings.stream_thinking_as_content and settings.reasoning_field != "none"
    return Defaults(
        reasoning="tags" if tags else settings.reasoning_field,
        think=settings.enable_real_thinking,
        media_max_bytes=settings.media_max_bytes,
        safety=tuple(
            (f"HARM_CATEGORY_{name.upper()}", _THRESHOLDS.get(threshold, threshold.upper()))
            for name in _CATEGORIES
            if (threshold := getattr(settings, f"gemini_moderation_{name}_threshold"))
        ),
        google_reads=tuple(READ_BY[name] for name in settings.ways),
        native=NativeTools(
            on=settings.enable_gemini_native_tools,
            search=settings.enable_google_search,
            url_context=settings.enable_url_context,
            first=settings.gemini_tools_priority == "native_first",
            by_request=settings.allow_request_tool_control,
        ),
    )
