"""What some bytes are: by what they begin with, else by what is said about them.

Names and declared types are wrong often enough (a phone's HEIC as `image/jpeg`), so the bytes win.
"""

import re

#: How many bytes are looked at.
HEAD = 96

#: https://ai.google.dev/gemini-api/docs and Vertex AI's pages; neither takes GIF, BMP, TIFF, SVG.
_TAKEN = re.compile(
    r"image/(png|jpeg|webp|heic|heif)|application/pdf|text/[\w.+-]+"
    r"|audio/(wav|mpeg|aiff|aac|ogg|flac|mp4|opus|webm)"
    r"|video/(mp4|mpeg|quicktime|avi|x-flv|webm|wmv|3gpp)"
)

_SAME = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/mp3": "audio/mpeg",
    "audio/mpga": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/x-mpeg": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/aif": "audio/aiff",
    "audio/x-aiff": "audio/aiff",
    "audio/x-aac": "audio/aac",
    "audio/aacp": "audio/aac",
    "audio/x-flac": "audio/flac",
    "audio/oga": "audio/ogg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "video/mov": "video/quicktime",
    "video/mpg": "video/mpeg",
    "video/mpegps": "video/mpeg",
    "video/x-msvideo": "video/avi",
    "video/msvideo": "video/avi",
    "video/flv": "video/x-flv",
    "video/x-ms-wmv": "video/wmv",
    "video/3gp": "video/3gpp",
    "application/x-pdf": "application/pdf",
    "application/xml": "text/xml",
    "application/xhtml+xml": "text/html",
    "application/javascript": "text/javascript",
    "application/csv": "text/csv",
    # Texts for which Gemini has no name.
    "application/json": "text/plain",
    "application/x-ndjson": "text/plain",
    "application/yaml": "text/plain",
    "application/x-yaml": "text/plain",
    "application/toml": "text/plain",
    "application/sql": "text/plain",
    "application/x-sh": "text/plain",
    "application/x-python": "text/plain",
    "application/typescript": "text/plain",
}
#: Types that say nothing.
_EMPTY = {"application/octet-stream", "binary/octet-stream", "application/unknown"}

_BY_ENDING = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "svg": "image/svg+xml",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "aiff": "audio/aiff",
    "aif": "audio/aiff",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "opus": "audio/opus",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "mov": "video/quicktime",
    "avi": "video/avi",
    "flv": "video/x-flv",
    "webm": "video/webm",
    "wmv": "video/wmv",
    "3gp": "video/3gpp",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "xml": "text/xml",
    "js": "text/javascript",
    "rtf": "text/rtf",
    **dict.fromkeys(
        ("txt", "text", "log", "json", "jsonl", "yaml", "yml", "toml", "ini", "cfg", "conf", "py",
         "ts", "tsx", "jsx", "java", "kt", "c", "h", "cc", "cpp", "hpp", "cs", "go", "rs", "rb",
         "php", "swift", "sh", "sql", "tex", "rst", "diff", "patch", "srt", "vtt"),
        "text/plain",
    ),
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "zip": "application/zip",
}  # fmt: skip

_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_HEIF = {b"mif1", b"msf1"}
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\0\0\x01\xb3", "video/mpeg"),
    (b"PK\x03\x04", "application/zip"),
)
_FORMS = {
    (b"RIFF", b"WEBP"): "image/webp",
    (b"RIFF", b"WAVE"): "audio/wav",
    (b"RIFF", b"AVI "): "video/avi",
    (b"FORM", b"AIFF"): "audio/aiff",
    (b"FORM", b"AIFC"): "audio/aiff",
}
_AAC, _LAYER_I = 0, 3


def is_taken(mime_type: str) -> bool:
    return _TAKEN.fullmatch(mime_type) is not None


def named(declared: str | None, kind: str = "") -> str | None:
    """Return a declared type as Google spells it; None if it says nothing.

    Args:
        declared: a MIME type, or a bare format such as `wav`.
        kind: what a bare format is one of, as in `audio`.

    """
    name = (declared or "").partition(";")[0].strip().lower()
    if name and "/" not in name:
        # `pdf` and `mp4` are endings; others can only be what the part says.
        guess = _BY_ENDING.get(name)
        fits = guess and (not kind or guess.startswith(f"{kind}/"))
        name = guess if guess and fits else f"{kind or 'application'}/{name}"
    if not name or name in _EMPTY or name.endswith("/*"):
        return None
    return _SAME.get(name, name)


def of_name(filename: str | None) -> str | None:
    """Return the type that a file's name, or a URL's path, ends in."""
    _, dot, ending = (filename or "").rpartition(".")
    return _BY_ENDING.get(ending.lower()) if dot else None


def of_bytes(head: bytes, declared: str | None) -> str | None:
    """Return what the first bytes show; None if they show nothing.

    A container may hold sound or pictures: there the declared type decides.
    """
    for beginning, mime_type in _BEGINNINGS:
        if head.startswith(beginning):
            return mime_type
    if form := _FORMS.get((head[:4], head[8:12])):
        return form
    if container := _container(head):
        sounds = declared is not None and declared.startswith("audio/")
        return container.replace("video/", "audio/", 1) if sounds else container
    if head.startswith(b"OggS"):
        return "audio/ogg"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image/bmp"
    return _frames(head) or _text(head)


def looks_like_text(head: bytes) -> bool:
    """Whether bytes without any other sign can be read as UTF-8 text."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not just a character that the head cuts
            return False
        text = head[: error.start].decode()
    return all(character >= " " or character in "\t\n\r\f" for character in text)


def _container(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIC:
            return "image/heic"
        if brand in _HEIF:
            others = {head[at : at + 4] for at in range(16, len(head), 4)}
            return "image/heic" if others & _HEIC else "image/heif"
        if brand in (b"avif", b"avis"):
            return "image/avif"
        if brand in (b"M4A ", b"M4B "):
            return "audio/mp4"
        if brand == b"qt  ":
            return "video/quicktime"
        return "video/3gpp" if brand[:2] == b"3g" else "video/mp4"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in head else "video/x-matroska"
    return "video/wmv" if head.startswith(b"0&\xb2u\x8ef\xcf\x11") else None


def _frames(head: bytes) -> str | None:
    """Recognise MPEG audio without a header: eleven bits that are set, then the layer."""
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004
        return None
    layer = head[1] >> 1 & 3
    if layer == _AAC:
        return "audio/aac" if head[1] & 0xF0 == 0xF0 else None  # noqa: PLR2004
    return None if layer == _LAYER_I else "audio/mpeg"  # that would be UTF-16, too


def _text(head: bytes) -> str | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"%pdf-"):
        return "application/pdf"
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "image/svg+xml"
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return None
