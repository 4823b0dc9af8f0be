import pytest

from service.translation.media_types import (
    HEAD,
    is_taken,
    looks_like_text,
    named,
    of_bytes,
    of_name,
)


def box(brand: bytes, *others: bytes) -> bytes:
    return b"\0\0\0\x20ftyp" + brand + bytes(4) + b"".join(others)


@pytest.mark.parametrize(
    ("head", "declared", "mime_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/jpeg", "image/png"),
        (b"\xff\xd8\xff\xe1", None, "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", None, "image/webp"),
        (box(b"heic"), "image/jpeg", "image/heic"),
        (box(b"mif1", b"mif1", b"heic"), None, "image/heic"),
        (box(b"mif1", b"mif1"), None, "image/heif"),
        (box(b"avif"), None, "image/avif"),
        (b"GIF89a", "image/png", "image/gif"),
        (b"BM\x9a\0\0\0\0\0\0\0", None, "image/bmp"),
        (b"BMW is a car", None, None),
        (b"II*\0", None, "image/tiff"),
        (b"MM\0*", None, "image/tiff"),
        (b"<?xml version='1.0'?>\n<svg>", None, "image/svg+xml"),
        (b"\xef\xbb\xbf <SVG>", None, "image/svg+xml"),
        (b"\n<!DOCTYPE html>", "image/png", "text/html"),
        (b"\n%PDF-1.7", None, "application/pdf"),
        (b"RIFF\0\0\0\0WAVEfmt ", None, "audio/wav"),
        (b"FORM\0\0\0\0AIFF", None, "audio/aiff"),
        (b"FORM\0\0\0\0AIFC", None, "audio/aiff"),
        (b"ID3\x04", None, "audio/mpeg"),
        (b"\xff\xfb\x90\0", None, "audio/mpeg"),
        (b"\xff\xf1\x50\x80", None, "audio/aac"),
        (b"\xff\xfeG\0r\0", None, None),
        (b"fLaC\0", None, "audio/flac"),
        (b"OggS\0", None, "audio/ogg"),
        (box(b"M4A "), None, "audio/mp4"),
        (box(b"isom"), None, "video/mp4"),
        (box(b"isom"), "audio/mp4", "audio/mp4"),
        (box(b"qt  "), None, "video/quicktime"),
        (box(b"3gp5"), None, "video/3gpp"),
        (b"\x1aE\xdf\xa3\x9fB\x82\x84webm", None, "video/webm"),
        (b"\x1aE\xdf\xa3\x9fB\x82\x84webm", "audio/webm", "audio/webm"),
        (b"\x1aE\xdf\xa3\x9fB\x82\x88matroska", None, "video/x-matroska"),
        (b"RIFF\0\0\0\0AVI LIST", None, "video/avi"),
        (b"FLV\x01", None, "video/x-flv"),
        (b"\0\0\x01\xba", None, "video/mpeg"),
        (b"0&\xb2u\x8ef\xcf\x11", None, "video/wmv"),
        (b"PK\x03\x04", None, "application/zip"),
        (b"a,b\n", None, None),
        (b"\xff", None, None),
        (b"", None, None),
    ],
)
def test_bytes_say_what_they_are(head: bytes, declared: str | None, mime_type: str | None) -> None:
    assert of_bytes(head, declared) == mime_type


@pytest.mark.parametrize(
    ("declared", "kind", "mime_type"),
    [
        ("image/JPG", "", "image/jpeg"),
        ("audio/mp3", "", "audio/mpeg"),
        ("mp3", "audio", "audio/mpeg"),
        ("wav", "audio", "audio/wav"),
        ("mp4", "audio", "audio/mp4"),
        ("mp4", "video", "video/mp4"),
        ("webm", "audio", "audio/webm"),
        ("pcm16", "audio", "audio/pcm16"),
        ("pdf", "", "application/pdf"),
        (" text/csv ; charset=utf-8", "", "text/csv"),
        ("application/json", "", "text/plain"),
        ("application/octet-stream", "", None),
        ("image/*", "", None),
        ("", "audio", None),
        (None, "", None),
    ],
)
def test_declared_types_are_spelled_as_google_does(
    declared: str | None, kind: str, mime_type: str | None
) -> None:
    assert named(declared, kind) == mime_type


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.PDF", "application/pdf"),
        ("gs://b/c.d/e.tar.md", "text/markdown"),
        ("notes.py", "text/plain"),
        ("png", None),
        ("a.unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_names_end_in_a_type(name: str | None, mime_type: str | None) -> None:
    assert of_name(name) == mime_type


@pytest.mark.parametrize(
    ("head", "is_text"),
    [
        (b"a,b\r\n\t", True),
        ("é".encode() * HEAD, True),
        ("é".encode()[:1], True),
        (b"a\0b", False),
        (b"\xff\xfea\0", False),
        (b"\xe9" + b"a" * 10, False),
    ],
)
def test_text_is_recognised(head: bytes, *, is_text: bool) -> None:
    assert looks_like_text(head[:HEAD]) == is_text


@pytest.mark.parametrize("mime_type", ["image/gif", "image/svg+xml", "audio/pcm", "text/", "x"])
def test_what_gemini_does_not_take(mime_type: str) -> None:
    assert not is_taken(mime_type)
