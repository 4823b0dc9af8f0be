import ssl
from pathlib import Path

import pytest

from tests.certificate import make_certificate, server_context
from tests.transport.server import Server


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1, and its key."""
    return make_certificate(tmp_path_factory.mktemp("certificates") / "server.pem")


@pytest.fixture
def tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Let servers speak TLS, and clients trust them; return what the servers speak."""
    context = server_context(certificate)
    monkeypatch.setattr(Server, "context", context)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return context
