"""A connection goes to an address; the certificate must still be the name's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.errors import InvalidRequestError
from tests.media.file_server import FileServer, Page
from tests.media.quick import quick_fetcher
from tests.media.samples import PNG, base64_of


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of pictures.example, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pictures.example")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("pictures.example")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "pictures.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


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
