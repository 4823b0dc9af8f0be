"""A connection goes to an address; the certificate must still be the name's."""

from pathlib import Path

import pytest

from service.errors import InvalidRequestError
from tests.certificate import make_certificate
from tests.media.file_server import FileServer, Page
from tests.media.quick import quick_fetcher
from tests.media.samples import PNG, base64_of


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path / "pictures.pem", "pictures.example")


@pytest.mark.parametrize(
    ("host", "trusted", "fetched"),
    [
        ("pictures.example", True, True),
        ("Pictures.Example.", True, True),
        ("other.example", True, False),
        ("pictures.example", False, False),
        ("127.0.0.1", True, False),
    ],
)
async def test_the_certificate_must_be_of_the_name(
    host: str, *, trusted: bool, fetched: bool, certificate: Path
) -> None:
    async def lookup(*_: object) -> list[str]:
        return ["127.0.0.1"]

    with FileServer(certificate) as files:
        files.pages["/a.png"] = Page(PNG)
        media = quick_fetcher(
            allow_hosts=["pictures.example", "other.example", "127.0.0.1"],
            lookup=lookup,
            trusted=str(certificate) if trusted else None,
        )
        url = f"https://{host}:{files.port}/a.png"
        if fetched:
            assert (await media.fetch({url: "it"}))[url].data == base64_of(PNG)
            assert files.names == ["pictures.example"]
        else:
            with pytest.raises(InvalidRequestError, match="could not be reached"):
                await media.fetch({url: "it"})
            assert files.requests == []
        await media.aclose()
