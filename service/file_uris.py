"""Which files Google reads by itself, and by which of the ways to it."""

import re

FILES_API = "https://generativelanguage.googleapis.com/v1beta/"
_FILES = ("files/", f"{FILES_API}files/", FILES_API.replace("v1beta", "v1") + "files/")
_YOUTUBE = re.compile(
    r"https?://(?:(?:www\.|m\.|music\.)?youtube(?:-nocookie)?\.com/"
    r"(?:watch\?|shorts/|live/|embed/|v/)|youtu\.be/)",
    re.IGNORECASE,
)

#: What each upstream reads: Cloud Storage, the Developer API's own files, YouTube's videos.
READ_BY = {
    "code_assist": frozenset({"gs", "youtube"}),
    "vertex": frozenset({"gs", "youtube"}),
    "gemini_api": frozenset({"files", "youtube"}),
}
#: What to say where one of them cannot be read.
NOT_HERE = {
    "gs": "files in Cloud Storage can be read by way of Vertex AI and Code Assist only",
    "files": "files of the Gemini API can be read by way of it only",
    "youtube": "YouTube's videos cannot be read here",
}


def kind_of(uri: str) -> str | None:
    """Say what kind of thing a URI names that only Google can read; None for any other."""
    if uri[:5].lower() == "gs://":
        return "gs"
    if uri.startswith(_FILES):
        return "files"
    return "youtube" if _YOUTUBE.match(uri) else None
