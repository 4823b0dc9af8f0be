"""What kind of sound or film some bytes are."""

import re

#: What Gemini takes, by how such files begin.
_BEGINNINGS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), mime_type)
    for pattern, mime_type in (
        (rb"RIFF....WAVE", "audio/wav"),
        (rb"RIFF....AVI ", "video/avi"),
        (rb"ID3", "audio/mpeg"),
        (rb"\xff[\xf0\xf1\xf8\xf9]", "audio/aac"),
        (rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd]", "audio/mpeg"),
        (rb"fLaC", "audio/flac"),
        (rb"OggS", "audio/ogg"),
        (rb"FORM....AIF[FC]", "audio/aiff"),
        (rb"....ftyp(M4A|M4B)", "audio/mp4"),
        (rb"....ftypqt", "video/quicktime"),
        (rb"....ftyp3g", "video/3gpp"),
        (rb"FLV", "video/x-flv"),
        (rb"\x00\x00\x01\xba", "video/mpeg"),
        (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/wmv"),
    )
)
#: These hold sound or film, which only the name can tell.
_CONTAINERS = (
    (re.compile(rb"....ftyp", re.DOTALL), "mp4"),
    (re.compile(rb"\x1aE\xdf\xa3"), "webm"),
)
_ENDINGS = {
    **dict.fromkeys(("mp3", "mpga"), "audio/mpeg"),
    **dict.fromkeys(("aif", "aiff"), "audio/aiff"),
    **dict.fromkeys(("ogg", "oga"), "audio/ogg"),
    **{name: f"audio/{name}" for name in ("wav", "aac", "flac", "opus", "m4a")},
    **dict.fromkeys(("mpeg", "mpg"), "video/mpeg"),
    **{name: f"video/{name}" for name in ("mp4", "avi", "webm", "wmv")},
    "mov": "video/quicktime",
    "flv": "video/x-flv",
    "3gp": "video/3gpp",
}


def recording_type(content: bytes, name: str, declared: str) -> str | None:
    """Return the MIME type by the bytes, else by the file's name, else as the client declares it.

    None is no recording that Gemini takes. What is declared also decides between sound and film
    where a file may hold either.
    """
    declared = declared.lower().partition(";")[0].strip()
    head = content[:16]
    for beginning, mime_type in _BEGINNINGS:
        if beginning.match(head):
            return mime_type
    for beginning, container in _CONTAINERS:
        if beginning.match(head):
            return f"{'audio' if declared.startswith('audio/') else 'video'}/{container}"
    _, dot, ending = name.lower().rpartition(".")
    if dot and ending in _ENDINGS:
        return _ENDINGS[ending]
    return declared if declared in _ENDINGS.values() else None
