"""Where a message says its images are, and what it says they are."""

import asyncio
import binascii
from collections.abc import Sequence

import hypothesis.strategies as st
import msgspec
from hypothesis import event, given

from service.addresses import is_public
from service.api.forms import parse_form
from service.errors import GatewayError
from service.file_uris import READ_BY, kind_of
from service.media import MediaError, MediaFetcher, _parsed
from service.models import find_model
from service.schemas.openai_chat import ChatCompletionRequest
from service.schemas.openai_media import Fetched
from service.translation.defaults import Defaults
from service.translation.media_parts import to_fetch
from service.translation.request import to_gemini
from tests.fuzz.attempts import UNHURRIED, attempt

LIMIT = 60
MODELS = st.sampled_from(["gemini-2.5-flash", "gemini-3-flash-preview", "gemini-2.5-flash-image"])
TEXTS = st.text(max_size=8)
TYPES = st.one_of(
    st.sampled_from(
        ["", "image/png", "IMAGE/JPEG", "image/png;x=1", "text/plain; charset=utf-8", "audio/wav"]
    ),
    TEXTS,
)
PAYLOADS = st.one_of(
    st.binary(max_size=70).map(lambda data: binascii.b2a_base64(data, newline=False).decode()),
    st.lists(
        st.sampled_from(
            ["AAAA", "iVBORw0KGgo=", "%2B", "%3d", "%0A", "-_", "=", "==", " ", "\n", "\u00e9", "%"]
        ),
        max_size=8,
    ).map("".join),
    TEXTS,
)
SCHEMES = st.sampled_from(["data:", "DATA:", "http://", "https://", "gs://", "files/", "ftp:", ""])
URLS = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        SCHEMES,
        TYPES,
        st.sampled_from([";base64,", ",", ";BASE64,", ""]),
        PAYLOADS,
    ),
    st.builds("{}{}".format, SCHEMES, st.text(max_size=20)),
)
HOSTS = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.integers(0, 2**33).map(str),
    st.integers(0, 2**33).map(hex),
    st.sampled_from(
        [
            *(
                "localhost",
                "127.1",
                "0",
                "[::1]",
                "[::ffff:7f00:1]",
                "[::127.0.0.1]",
                "[fe80::1%25e]",
            ),
            *(
                "metadata.google.internal",
                "METADATA.",
                "127.0.0.1.",
                "169.254.169.254",
                "127。0。0。1",
            ),
            *(
                "[64:ff9b::7f00:1]",
                "a@127.0.0.1",
                "127.0.0.1\\@8.8.8.8",
                "ⓛocalhost",
                "%31%32%37.1",
            ),
        ]
    ),
    st.text(max_size=10),
)
PARTS = st.one_of(
    st.builds(lambda url: {"type": "image_url", "image_url": {"url": url}}, URLS),
    st.builds(lambda url: {"type": "image_url", "image_url": url}, URLS),
    st.builds(lambda url: {"type": "video_url", "video_url": {"url": url}}, URLS),
    st.builds(
        lambda data, name: {"type": "file", "file": {"file_data": data, "filename": name}},
        st.one_of(URLS, PAYLOADS),
        TEXTS,
    ),
    st.builds(lambda id_: {"type": "file", "file": {"file_id": id_}}, URLS),
    st.builds(
        lambda data, kind: {"type": "input_audio", "input_audio": {"data": data, "format": kind}},
        PAYLOADS,
        st.sampled_from(["wav", "mp3"]),
    ),
)


@UNHURRIED
@given(
    parts=st.lists(PARTS, min_size=1, max_size=3),
    model=MODELS,
    found=st.builds(
        Fetched,
        st.binary(max_size=40).map(lambda data: binascii.b2a_base64(data, newline=False).decode()),
        st.one_of(st.none(), TYPES),
    ),
)
def test_what_is_passed_on_is_base64_within_the_limit(
    parts: list[dict[str, object]], model: str, found: Fetched
) -> None:
    body = msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": parts}]})
    try:
        request = msgspec.json.decode(body, type=ChatCompletionRequest)
    except msgspec.ValidationError:
        return
    fetched = dict.fromkeys(to_fetch(request.messages), found)
    for url in fetched:
        assert url[:4].lower() == "http"
        assert kind_of(url) is None
    defaults = Defaults(media_max_bytes=LIMIT, google_reads=(READ_BY["code_assist"],))
    asked = attempt(
        lambda: to_gemini(request, find_model(model), defaults=defaults, fetched=fetched)
    )
    if isinstance(asked, GatewayError):
        assert asked.status == 400
        return
    size = 0
    for content in asked.contents:
        for part in content.parts or []:
            if part.inline_data:
                data = part.inline_data.data
                size += len(binascii.a2b_base64(data, strict_mode=True))
                assert part.inline_data.mime_type.isascii()
    assert size <= LIMIT


async def _nowhere(host: str, port: int) -> Sequence[str]:
    """Resolve everything to this machine."""
    del host, port
    return ["127.0.0.1"]


@UNHURRIED
@given(
    scheme=st.sampled_from(["http", "https", "HTTP", "http:", "ftp", "file", "gopher", ""]),
    host=HOSTS,
    rest=st.sampled_from(
        ["", "/", ":80/", ":0", ":99999", ":-1", "/a?b#c", "#@8.8.8.8", "\\x", "\t"]
    ),
    base=st.sampled_from([None, "http://8.8.8.8/a"]),
)
def test_a_url_leads_to_public_addresses_or_nowhere(
    scheme: str, host: str, rest: str, base: str | None
) -> None:
    fetcher = MediaFetcher(max_bytes=1, lookup=_nowhere)
    try:
        url = _parsed(f"{scheme}://{host}{rest}", _parsed(base) if base else None)
        hop = asyncio.run(fetcher._checked(url))
    except MediaError as error:
        event(str(error))
        return
    event("would be fetched")
    assert all(map(is_public, hop.addresses))
    assert 0 < hop.port <= 65_535


@UNHURRIED
@given(
    body=st.one_of(
        st.binary(max_size=80),
        st.lists(
            st.one_of(
                st.sampled_from(
                    [
                        *(b"--b\r\n", b"--b--\r\n", b"--b", b"\r\n", b"\r\n\r\n", b"--", b"\n"),
                        b'Content-Disposition: form-data; name="file"; filename="a.wav"',
                        b'Content-Disposition: form-data; name="model"',
                        *(b"Content-Disposition: form-data", b"Content-Type: audio/wav", b"gemini"),
                        *(
                            b"content-length: 99",
                            b"; name*=utf-8''x\"",
                            b"charset=nonsense",
                            b"\xff",
                        ),
                    ]
                ),
                st.binary(max_size=4),
            ),
            max_size=14,
        ).map(b"".join),
    ),
    boundary=st.one_of(st.just("b"), st.just("b"), st.text(max_size=5)),
)
def test_a_form(body: bytes, boundary: str) -> None:
    form = attempt(lambda: parse_form(body, boundary, frozenset({"file"})))
    assert not isinstance(form, GatewayError) or form.status == 400
