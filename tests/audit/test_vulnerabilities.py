"""The audit of dependencies, against a database of vulnerabilities on this machine."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.audit.vulnerabilities import audit
from tests.processes import free_port

HASH = "--hash=sha256:" + "0a" * 32
VULNERABLE = {
    "vulns": [
        {
            "id": "PYSEC-2026-1",
            "summary": "It falls over.",
            "affected": [
                {
                    "package": {"name": "leaky", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "1.1"}]}],
                }
            ],
        }
    ]
}


class Osv(http.server.BaseHTTPRequestHandler):
    """Knows of one vulnerable package, and of one that it fails at."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        name = msgspec.json.decode(body)["package"]["name"]
        answer = msgspec.json.encode(VULNERABLE if name == "leaky" else {})
        self.send_response(503 if name == "unlucky" else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def osv() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def lock_of(folder: Path, *names: str) -> Path:
    lock = folder / "requirements.txt"
    lock.write_text("".join(f"{name}==1.0 \\\n    {HASH}\n" for name in names))
    return lock


def test_a_vulnerability_that_is_known_fails_the_audit(
    osv: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(lock_of(tmp_path, "sound", "leaky"), url=osv, strict=False) == 1
    told = capsys.readouterr().out
    assert "leaky 1.0: PYSEC-2026-1, fixed in 1.1\n" in told
    assert "2 audited, 1 vulnerable" in told
    assert audit(lock_of(tmp_path, "sound", "solid"), url=osv, strict=True) == 0


@pytest.mark.parametrize(
    ("reachable", "strict"), [(True, False), (False, True)], ids=["out of order", "offline, strict"]
)
def test_an_audit_that_cannot_be_done_says_so_and_fails_only_if_it_must(
    osv: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, reachable: bool, strict: bool
) -> None:
    url = osv if reachable else f"http://127.0.0.1:{free_port()}/"
    assert audit(lock_of(tmp_path, "unlucky"), url=url, strict=strict) == strict
    assert capsys.readouterr().out.startswith("NOT AUDITED: the database")


def test_a_lock_file_that_cannot_be_read_is_no_matter_of_the_network(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("sound>=1\n")
    assert audit(lock, url="http://127.0.0.1:1/", strict=False) == 1
