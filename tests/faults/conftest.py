"""Google speaks TLS, so here its simulation does."""

from collections.abc import Iterator

import pytest

from tests.certificate import make_certificate
from tests.gateway import Gateway, settings_for
from tests.simulators.google import Google


@pytest.fixture(scope="package")
def one_google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    certificate = make_certificate(tmp_path_factory.mktemp("certificates") / "google.pem")
    with pytest.MonkeyPatch.context() as patch, Google(certificate=certificate) as google:
        patch.setenv("SSL_CERT_FILE", str(certificate))
        yield google


@pytest.fixture(scope="package")
def one_gateway(one_google: Google) -> Iterator[Gateway]:
    with Gateway(settings_for(one_google)) as gateway:
        yield gateway
