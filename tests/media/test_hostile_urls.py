"""URLs that must lead nowhere: each is refused before a byte is sent, so a listener sees nobody.

Names are resolved by the system, but for the ones that only someone's own name server would know.
"""

from collections.abc import Sequence

import pytest

from service.errors import InvalidRequestError
from service.media import MediaFetcher
from tests.media.file_server import FileServer, redirect
from tests.media.quick import quick_fetcher

NOT_PUBLIC = "its address is not a public one"
NO_URL = "it is no proper URL"
WRONG_SCHEME = "only http and https can be fetched"
CREDENTIALS = "a URL with a user name or password in it is not fetched"

#: `PORT` is the listener's. What a test would reach without the guard is loopback, all of it.
HOSTILE = {
    "loopback": ("http://127.0.0.1:PORT/", NOT_PUBLIC),
    "loopback, decimal": ("http://2130706433:PORT/", NOT_PUBLIC),
    "loopback, hexadecimal": ("http://0x7f000001:PORT/", NOT_PUBLIC),
    "loopback, octal": ("http://0177.0.0.1:PORT/", NO_URL),
    "loopback, octal in one number": ("http://017700000001:PORT/", NOT_PUBLIC),
    "loopback, short": ("http://127.1:PORT/", NOT_PUBLIC),
    "loopback, mixed": ("http://0x7f.1:PORT/", NOT_PUBLIC),
    "loopback, another": ("http://127.8.8.8:PORT/", NOT_PUBLIC),
    "loopback, full stop": ("http://127.0.0.1.:PORT/", NOT_PUBLIC),
    "loopback, wide dots": ("http://127。0。0。1:PORT/", NOT_PUBLIC),
    "loopback, circled": ("http://①②⑦.⓪.⓪.①:PORT/", NO_URL),
    "no address": ("http://0.0.0.0:PORT/", NOT_PUBLIC),
    "zero": ("http://0:PORT/", NOT_PUBLIC),
    "localhost": ("http://localhost:PORT/", NOT_PUBLIC),
    "LOCALHOST": ("HTTP://LOCALHOST:PORT/", NOT_PUBLIC),
    "https": ("https://127.0.0.1:PORT/", NOT_PUBLIC),
    "IPv6 loopback": ("http://[::1]:PORT/", NOT_PUBLIC),
    "IPv6 no address": ("http://[::]:PORT/", NOT_PUBLIC),
    "IPv4 mapped": ("http://[::ffff:127.0.0.1]:PORT/", NOT_PUBLIC),
    "IPv4 mapped, hexadecimal": ("http://[::ffff:7f00:1]:PORT/", NOT_PUBLIC),
    "IPv4 compatible": ("http://[::127.0.0.1]:PORT/", NOT_PUBLIC),
    "IPv4 translated": ("http://[::ffff:0:127.0.0.1]:PORT/", NOT_PUBLIC),
    "NAT64": ("http://[64:ff9b::127.0.0.1]:PORT/", NOT_PUBLIC),
    "NAT64, local": ("http://[64:ff9b:1::127.0.0.1]:PORT/", NOT_PUBLIC),
    "6to4": ("http://[2002:7f00:1::]:PORT/", NOT_PUBLIC),
    "Teredo": ("http://[2001:0:7f00:1::1]:PORT/", NOT_PUBLIC),
    "metadata": ("http://169.254.169.254/computeMetadata/v1/", NOT_PUBLIC),
    "metadata, decimal": ("http://2852039166/", NOT_PUBLIC),
    "metadata, hexadecimal": ("http://0xa9fea9fe/", NOT_PUBLIC),
    "metadata, hexadecimal parts": ("http://0xa9.0xfe.0xa9.0xfe/", NOT_PUBLIC),
    "metadata, octal": ("http://0251.0376.0251.0376/", NO_URL),
    "metadata, octal in one number": ("http://025177524776/", NOT_PUBLIC),
    "metadata, short": ("http://169.254.43518/", NOT_PUBLIC),
    "metadata, IPv4 mapped": ("http://[::ffff:169.254.169.254]/", NOT_PUBLIC),
    "metadata, IPv4 mapped, hexadecimal": ("http://[::ffff:a9fe:a9fe]/", NOT_PUBLIC),
    "metadata, NAT64": ("http://[64:ff9b::a9fe:a9fe]/", NOT_PUBLIC),
    "metadata, 6to4": ("http://[2002:a9fe:a9fe::]/", NOT_PUBLIC),
    "metadata by name": ("http://metadata.google.internal/computeMetadata/v1/", NOT_PUBLIC),
    "metadata by name, full stop": ("http://METADATA.google.internal./", NOT_PUBLIC),
    "metadata by short name": ("http://metadata/computeMetadata/v1/", NOT_PUBLIC),
    "metadata, AWS, IPv6": ("http://[fd00:ec2::254]/", NOT_PUBLIC),
    "private 10": ("http://10.0.0.1/", NOT_PUBLIC),
    "private 172": ("http://172.31.255.255/", NOT_PUBLIC),
    "private 192": ("http://192.168.1.1/", NOT_PUBLIC),
    "private, IPv6": ("http://[fc00::1]/", NOT_PUBLIC),
    "link-local, IPv6": ("http://[fe80::1]/", NOT_PUBLIC),
    "shared by a carrier": ("http://100.64.0.1/", NOT_PUBLIC),
    "multicast": ("http://224.0.0.1/", NOT_PUBLIC),
    "multicast, IPv6": ("http://[ff02::1]/", NOT_PUBLIC),
    "reserved": ("http://240.0.0.1/", NOT_PUBLIC),
    "broadcast": ("http://255.255.255.255/", NOT_PUBLIC),
    "documentation": ("http://[2001:db8::1]/", NOT_PUBLIC),
    # pragma: allowlist nextline secret
    "credentials": ("http://someone:secret@127.0.0.1:PORT/", CREDENTIALS),
    "user name": ("http://someone@127.0.0.1:PORT/", CREDENTIALS),
    "backslash": ("http://example.com\\@127.0.0.1:PORT/", CREDENTIALS),
    "file": ("file:///etc/passwd", WRONG_SCHEME),
    "gopher": ("gopher://127.0.0.1:PORT/_GET%20/", WRONG_SCHEME),
    "ftp": ("ftp://127.0.0.1:PORT/a.png", WRONG_SCHEME),
    "no host": ("http:///a.png", NOT_PUBLIC),
    "port out of range": ("http://127.0.0.1:99999/", NO_URL),
}


def fetcher(*allowed: str, **names: Sequence[Sequence[str]]) -> tuple[MediaFetcher, list[str]]:
    """Return a fetcher, and the list of its look-ups; each look-up of a name has an answer."""
    asked: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        del port
        name = host.partition(".")[0]
        asked.append(host)
        return names[name][asked.count(host) - 1]

    return quick_fetcher(max_bytes=1000, allow_hosts=allowed, lookup=lookup), asked


async def refusal(media: MediaFetcher, url: str) -> str:
    try:
        with pytest.raises(InvalidRequestError) as raised:
            await media.fetch({url: "messages[0].content[1].image_url"})
    finally:
        await media.aclose()
    assert raised.value.param == "messages[0].content[1].image_url"
    start = "Could not fetch what 'messages[0].content[1].image_url' names: "
    assert raised.value.message.startswith(start)
    return raised.value.message.removeprefix(start).removesuffix(".")


@pytest.mark.parametrize(("url", "why"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_url_reaches_nobody(url: str, why: str, files: FileServer) -> None:
    media = quick_fetcher(max_bytes=1000)
    assert await refusal(media, url.replace("PORT", str(files.port))) == why
    assert files.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["fe80::1%1"],
        ["8.8.8.8", "127.0.0.1"],
        ["2606:2800:21f::1", "::1"],
        ["nonsense"],
        [],
    ],
    ids=",".join,
)
async def test_a_public_name_of_a_private_address_reaches_nobody(
    addresses: list[str], files: FileServer
) -> None:
    media, asked = fetcher(public=[addresses])
    assert await refusal(media, f"http://public.example.com:{files.port}/") == NOT_PUBLIC
    assert asked == ["public.example.com"]
    assert files.connections == 0


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://localhost:PORT/secret", NOT_PUBLIC),
        ("http://2130706433:PORT/secret", NOT_PUBLIC),
        ("http://[::ffff:127.0.0.1]:PORT/secret", NOT_PUBLIC),
        ("//localhost:PORT/secret", NOT_PUBLIC),
        ("http://169.254.169.254/", NOT_PUBLIC),
        ("http://metadata.google.internal/", NOT_PUBLIC),
        ("http://a:b@127.0.0.1:PORT/secret", CREDENTIALS),
        ("file:///etc/passwd", WRONG_SCHEME),
        ("gopher://127.0.0.1:PORT/_x", WRONG_SCHEME),
        ("http://[::1", NO_URL),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_one_is_not_followed(
    location: str, why: str, status: int, files: FileServer
) -> None:
    with FileServer() as first:
        first.pages["/"] = redirect(location.replace("PORT", str(files.port)), status)
        media = quick_fetcher(max_bytes=1000, allow_hosts=[first.host])
        assert await refusal(media, f"{first.url}/") == why
        assert len(first.requests) == 1
    assert files.connections == 0


async def test_a_name_that_changes_its_answer_is_asked_once(files: FileServer) -> None:
    """The connection goes to the address that was looked at, which no test may reach."""
    media, asked = fetcher(rebinding=[["8.8.8.8"], ["127.0.0.1"]])
    with pytest.raises(ExceptionGroup) as raised:
        await media.fetch({f"http://rebinding.example.com:{files.port}/": "it"})
    await media.aclose()
    assert 'connect() with host "8.8.8.8"' in repr(raised.value), "pytest-socket's words"
    assert asked == ["rebinding.example.com"]
    assert files.connections == 0


async def test_a_name_that_changes_its_answer_is_looked_at_on_every_hop(files: FileServer) -> None:
    """An allowed host redirects to the name, which was public a moment ago."""
    media, asked = fetcher(files.host, rebinding=[["127.0.0.1"]])
    files.pages["/"] = redirect(f"http://rebinding.example.com:{files.port}/secret")
    assert await refusal(media, f"{files.url}/") == NOT_PUBLIC
    assert asked == ["rebinding.example.com"]
    assert [path for path, _ in files.requests] == ["/"]


@pytest.mark.parametrize("allowed", ["169.254.169.254", "[::ffff:169.254.169.254]", "0.0.0.0"])  # noqa: S104
async def test_an_operator_cannot_allow_the_metadata_server(allowed: str) -> None:
    media = quick_fetcher(max_bytes=1000, allow_hosts=[allowed])
    assert await refusal(media, f"http://{allowed}/") == NOT_PUBLIC
