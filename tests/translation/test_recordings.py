import pytest

from service.translation.transcriptions import recording_type


@pytest.mark.parametrize(
    ("content", "name", "declared", "expected"),
    [
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a.mp3", "audio/mpeg", "audio/wav"),
        (b"RIFF\x00\x0a\x00\x00WAVEfmt ", "", "", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "a", "", "video/avi"),
        (b"ID3\x04rest", "a.wav", "", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "a", "", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "a", "", "audio/aac"),
        (b"fLaC\x00", "a.ogg", "", "audio/flac"),
        (b"OggS\x00", "a", "", "audio/ogg"),
        (b"FORM\x00\x00\x00\x00AIFF", "a", "", "audio/aiff"),
        (b"\x00\x00\x00\x20ftypM4A ", "a", "video/mp4", "audio/mp4"),
        (b"\x00\x00\x00\x20ftypisom", "a.m4a", "", "video/mp4"),
        (b"\x00\x00\x00\x20ftypisom", "a", "audio/mp4", "audio/mp4"),
        (b"\x00\x00\x00\x20ftypqt  ", "a", "", "video/quicktime"),
        (b"\x00\x00\x00\x20ftyp3gp4", "a", "", "video/3gpp"),
        (b"\x1aE\xdf\xa3\x01webm", "a.webm", "", "video/webm"),
        (b"\x1aE\xdf\xa3\x01webm", "a.webm", "Audio/WebM", "audio/webm"),
        (b"\x1aE\xdf\xa3\x01", "a.webm", "", None),
        (b"FLV\x01", "a", "", "video/x-flv"),
        (b"\x00\x00\x01\xba", "a", "", "video/mpeg"),
        (b"%PDF-1.7", "a.mp3", "audio/mpeg", None),
        (b"who knows", "a.MP3", "application/octet-stream", "audio/mpeg"),
        (b"who knows", "a.m4a", "", "audio/mp4"),
        (b"who knows", "b", "audio/x-wav", "audio/wav"),
        (b"who knows", "clip.mov", "", "video/quicktime"),
        (b"\xff\xfeh\x00i\x00", "note.txt", "text/plain", None),
        (b"\xff\xd8\xff\xe0", "a.jpg", "image/jpeg", None),
        (b"who knows", "mp3", "audio/wav; rate=1", "audio/wav"),
        (b"who knows", "a.txt", "audio/strange", None),
        (b"who knows", "", "", None),
    ],
)
def test_the_bytes_tell_before_the_name_does(
    content: bytes, name: str, declared: str, expected: str | None
) -> None:
    assert recording_type(content, name, declared) == expected
