from collections.abc import Iterator

import pytest

from tests.media.file_server import FileServer


@pytest.fixture
def files() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server
