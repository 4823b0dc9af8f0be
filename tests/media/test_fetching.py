"""What a URL leads to, from a real server on loopback, which the operator has allowed."""

import asyncio
import threading

import pytest

from service import media as media_module
from service.errors import InvalidRequestError
from service.media import AT_ONCE, MOST_URLS, MediaFetcher
from service.schemas.openai_media import Fetched
from tests.media.file_server import FileServer, Page, redirect
from tests.media.quick import quick_fetcher
from tests.media.samples import PNG, base64_of


def fetcher(max_bytes: int = 1000) -> MediaFetcher:
    return quick_fetcher(max_bytes=max_bytes, allow_hosts=["127.0.0.1"])


async def fetch(files: FileServer, *paths: str, max_bytes: int = 1000) -> dict[str, Fetched]:
    media = fetcher(max_bytes)
    try:
        found = await media.fetch({f"{files.url}{path}": f"param of {path}" for path in paths})
    finally:
        await media.aclose()
    return {url.removeprefix(files.url): each for url, each in found.items()}


async def refusal(files: FileServer, *paths: str, max_bytes: int = 1000) -> str:
    with pytest.raises(InvalidRequestError) as raised:
        await fetch(files, *paths, max_bytes=max_bytes)
    assert raised.value.code == "media_unavailable"
    assert raised.value.param in [f"param of {path}" for path in paths]
    return raised.value.message.partition("names: ")[2].removesuffix(".")


async def test_a_url_leads_to_its_bytes(files: FileServer) -> None:
    files.pages["/a.png?size=1"] = Page(PNG, {"content-type": "image/jpeg"})
    found = await fetch(files, "/a.png?size=1")
    assert found == {"/a.png?size=1": Fetched(base64_of(PNG), "image/jpeg")}


async def test_nothing_of_ours_goes_along(files: FileServer) -> None:
    files.pages["/first"] = redirect("/a.png")._replace(
        headers={"location": "/a.png", "set-cookie": "a=b"}
    )
    files.pages["/a.png"] = Page(PNG)
    await fetch(files, "/first")
    for _, headers in files.requests:
        assert headers.pop("user-agent").startswith("gemini-openai-gateway/")
        headers.pop("connection", None)
        assert headers == {"host": files.host, "accept": "*/*", "accept-encoding": "identity"}


async def test_proxies_of_the_environment_are_not_used(
    files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FileServer() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        files.pages["/a.png"] = Page(PNG)
        await fetch(files, "/a.png")
        assert proxy.connections == 0


async def test_a_name_is_resolved_once_and_its_address_used(files: FileServer) -> None:
    asked: list[tuple[str, int]] = []

    async def lookup(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    files.pages["/a.png"] = Page(PNG)
    media = quick_fetcher(max_bytes=1000, allow_hosts=["Pictures.example"], lookup=lookup)
    url = f"http://pictures.example:{files.port}/a.png"
    assert await media.fetch({url: "it"}) == {url: Fetched(base64_of(PNG))}
    await media.aclose()
    assert asked == [("pictures.example", files.port)]
    assert files.requests[0][1]["host"] == f"pictures.example:{files.port}"


async def test_the_next_address_is_tried_where_the_first_is_dead(files: FileServer) -> None:
    async def lookup(*_: object) -> list[str]:
        return ["::1", "127.0.0.1"]

    files.pages["/a.png"] = Page(PNG)
    media = quick_fetcher(max_bytes=1000, allow_hosts=["pictures.example"], lookup=lookup)
    url = f"http://pictures.example:{files.port}/a.png"
    assert await media.fetch({url: "it"}) == {url: Fetched(base64_of(PNG))}
    await media.aclose()


@pytest.mark.parametrize(
    ("allowed", "reached"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:PORT", True),
        ("127.0.0.1:1", False),
        ("localhost", False),
        ("", False),
    ],
)
async def test_a_host_is_allowed_by_its_name(
    allowed: str, *, reached: bool, files: FileServer
) -> None:
    files.pages["/a.png"] = Page(PNG)
    media = quick_fetcher(max_bytes=1000, allow_hosts=[allowed.replace("PORT", str(files.port))])
    if reached:
        await media.fetch({f"{files.url}/a.png": "it"})
    else:
        with pytest.raises(InvalidRequestError, match="not a public one"):
            await media.fetch({f"{files.url}/a.png": "it"})
    await media.aclose()
    assert (files.connections > 0) == reached


async def test_three_redirects_are_followed_and_no_fourth(files: FileServer) -> None:
    files.pages |= {f"/{n}": redirect(f"/{n - 1}") for n in range(1, 5)}
    files.pages["/0"] = Page(PNG)
    assert (await fetch(files, "/3"))["/3"].data == base64_of(PNG)
    files.requests.clear()
    assert await refusal(files, "/4") == "it redirects more than 3 times"
    assert [path for path, _ in files.requests] == ["/4", "/3", "/2", "/1"]


@pytest.mark.parametrize("headers", [{}, {"content-length": ""}], ids=["announced", "not"])
async def test_what_is_larger_than_the_limit_is_not_read_to_its_end(
    headers: dict[str, str], files: FileServer
) -> None:
    files.pages["/a"] = Page(bytes(1001), headers)
    assert "1000 bytes together" in await refusal(files, "/a")
    files.pages["/a"] = Page(bytes(1000), headers)
    await fetch(files, "/a")


async def test_the_limit_is_for_all_of_a_request(files: FileServer) -> None:
    files.pages |= {"/a": Page(bytes(600)), "/b": Page(bytes(600))}
    assert "1000 bytes together" in await refusal(files, "/a", "/b")


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (Page(status=404), "its server answered with status 404"),
        (Page(status=500), "its server answered with status 500"),
        (Page(status=304), "its server answered with status 304"),
        (Page(status=302), "its server answered with status 302"),
        (
            Page(b"x", {"content-encoding": "gzip"}),
            "its server compressed it, which it was asked not to",
        ),
        (
            Page(b"x", {"content-length": "10"}),
            "its server could not be reached, or broke off",
        ),
    ],
    ids=["404", "500", "304", "no location", "compressed", "cut"],
)
async def test_what_cannot_be_had_is_named_with_the_reason(
    page: Page, why: str, files: FileServer
) -> None:
    files.pages["/a"] = page
    assert await refusal(files, "/a?key=k-123") == "its server answered with status 404"
    assert await refusal(files, "/a") == why


async def test_a_server_that_is_not_there_is_named_without_the_url() -> None:
    with FileServer() as gone:
        pass
    assert await refusal(gone, "/?key=k-123") == "its server could not be reached, or broke off"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 999999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://\xff\xfe/\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[-20:]),
)
async def test_a_server_that_speaks_nonsense_is_a_refusal(raw: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        media = fetcher()
        with pytest.raises(InvalidRequestError):
            await media.fetch({url: "it"})
        await media.aclose()


async def test_a_slow_one_is_given_up(files: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert media_module.SECONDS == 10
    monkeypatch.setattr(media_module, "SECONDS", 0.05)
    end = threading.Event()
    files.pages["/a"] = Page(PNG, wait=end.wait)
    try:
        assert await refusal(files, "/a") == "it took longer than 0.05 seconds"
    finally:
        end.set()


async def test_several_are_fetched_at_once(files: FileServer) -> None:
    together = threading.Barrier(AT_ONCE, timeout=20)
    paths = [f"/{n}" for n in range(AT_ONCE)]
    files.pages |= {path: Page(PNG, wait=together.wait) for path in paths}
    assert list(await fetch(files, *paths)) == paths


async def test_one_that_fails_ends_the_others(files: FileServer) -> None:
    end = threading.Event()
    files.pages["/slow"] = Page(PNG, wait=end.wait)
    try:
        assert await refusal(files, "/slow", "/missing") == "its server answered with status 404"
    finally:
        end.set()


async def test_a_request_may_not_name_any_number_of_them(files: FileServer) -> None:
    urls = {f"{files.url}/{n}": f"messages[{n}]" for n in range(MOST_URLS + 1)}
    with pytest.raises(InvalidRequestError) as raised:
        await fetcher().fetch(urls)
    assert raised.value.param == f"messages[{MOST_URLS}]"
    assert files.connections == 0


async def test_a_fetch_can_be_cancelled(files: FileServer) -> None:
    end, begun = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        end.wait()

    files.pages["/a"] = Page(PNG, wait=wait)
    fetching = asyncio.create_task(fetch(files, "/a"))
    await asyncio.to_thread(begun.wait, 20)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    end.set()
