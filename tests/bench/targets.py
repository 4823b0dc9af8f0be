"""What is measured: the gateway as it ships, what it is held against, and what they all ask."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.asking import GEMINI_KEY, KEY, MODEL
from tests.bench.servers import LOAD_CPU, Server, running
from tests.certificate import make_certificate
from tests.processes import ROOT, command, free_port

#: Names of targets.
OURS, BARE_ASGI, BARE_LITESTAR = "gateway", "bare_asgi", "bare_litestar"
_HERE = Path(__file__).parent
#: Where peers are installed; see the Makefile.
PEERS = ROOT / ".venv-bench"


class MissingError(Exception):
    """A program that is to be measured is not there. The message says how to get it."""


@dataclass(frozen=True)
class Upstreams:
    """Where the cheap upstream listens, over plain HTTP and TLS, and what makes it trusted."""

    plain: Server
    tls: Server
    certificate: Path


@dataclass
class Bench:
    """Starts targets by their names.

    Args:
        folder: for configurations and logs.
        way: the upstream that the gateway asks.

    """

    folder: Path
    way: str = "gemini_api"

    @contextmanager
    def upstreams(self) -> Iterator[None]:
        """Let both upstreams serve for the block, in which targets can be started."""
        certificate = make_certificate(self.folder / "upstream.pem")
        with (
            self._upstream("upstream") as plain,
            self._upstream("upstream-tls", "--tls", str(certificate)) as tls,
        ):
            self._ups = Upstreams(plain, tls, certificate)
            yield

    @property
    def direct(self) -> Server:
        """The upstream itself, asked in OpenAI's form."""
        return replace(self._ups.plain, name="direct")

    @contextmanager
    def start(self, name: str) -> Iterator[Server]:
        """Start a target for the block; raise `MissingError` or `RuntimeError`."""
        if name == "direct":
            yield self.direct
            return
        starts = {"gateway": self._gateway, "nginx": self._nginx, "litellm": self._litellm}
        kind, _, over = name.partition("-")
        with starts.get(kind, self._bare)(name, tls=over == "tls") as server:
            yield server

    @contextmanager
    def _upstream(self, name: str, *options: str) -> Iterator[Server]:
        port = free_port()
        module = [sys.executable, "-m", "tests.bench.upstream", str(port), *options]
        ready = "" if options else "/"
        log = self.folder / f"{name}.log"
        with running(name, module, port, log, ready=ready, cpu=LOAD_CPU) as server:
            yield server

    @contextmanager
    def _gateway(self, name: str, *, tls: bool) -> Iterator[Server]:
        port = free_port()
        environ = self.environ(tls=tls) | {"PORT": str(port)}
        log = self.folder / f"{name}.log"
        with running(name, command(), port, log, environ=environ) as server:
            yield server

    def environ(self, *, tls: bool, way: str | None = None) -> dict[str, str]:
        """Return what the gateway needs: auth, retries and logging are on, as they are."""
        scheme, upstream = ("https", self._ups.tls) if tls else ("http", self._ups.plain)
        url = f"{scheme}://127.0.0.1:{upstream.port}"
        return {
            "OPENAI_API_KEY": KEY,
            "UPSTREAMS": way or self.way,
            "GEMINI_API_KEY": GEMINI_KEY,
            "GEMINI_API_ENDPOINT": url,
            "CODE_ASSIST_ENDPOINT": url,
            "OAUTH_TOKEN_URL": f"{url}/token",
            "GCP_SERVICE_ACCOUNT": '{"refresh_token": "bench"}',
            "OAUTH_CLIENT_ID": "bench",
            "OAUTH_CLIENT_SECRET": "bench",
            "TOKEN_CACHE": "memory",
            "LOG_FORMAT": "json",
            "SSL_CERT_FILE": str(self._ups.certificate),
        }

    @contextmanager
    def _nginx(self, name: str, *, tls: bool) -> Iterator[Server]:
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            raise MissingError("nginx is missing: on Debian, apt-get install nginx-light.")
        port, folder = free_port(), self.folder / name
        folder.mkdir(exist_ok=True)
        upstream = self._ups.tls if tls else self._ups.plain
        words = {
            "@PORT@": port,
            "@UPSTREAM@": upstream.port,
            "@SCHEME@": "https" if tls else "http",
        }
        text = (_HERE / "nginx.conf").read_text()
        for word, value in words.items():
            text = text.replace(word, str(value))
        (folder / "nginx.conf").write_text(text)
        options = ["-p", f"{folder}/", "-e", "error.log", "-c", "nginx.conf"]
        with running(name, [program, *options], port, folder / "log", ready="/") as server:
            yield server

    @contextmanager
    def _litellm(self, name: str, *, tls: bool) -> Iterator[Server]:
        assert not tls
        program = PEERS / "litellm/bin/litellm"
        if not program.exists():
            raise MissingError("LiteLLM is missing: make bench PEERS=litellm installs it.")
        port = free_port()
        text = (_HERE / "litellm.yaml").read_text()
        words = {"@MODEL@": MODEL, "@KEY@": KEY, "@UPSTREAM@": str(self._ups.plain.port)}
        for word, value in words.items():
            text = text.replace(word, value)
        config = self.folder / "litellm.yaml"
        config.write_text(text)
        environ = {
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "DISABLE_ADMIN_UI": "True",
            "NO_DOCS": "True",
            "HOME": str(self.folder),
        }
        options = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        with running(
            name,
            [str(program), *options, "--telemetry", "False"],
            port,
            self.folder / f"{name}.log",
            environ=environ,
            ready="/health/liveliness",
            patience=180,
        ) as server:
            yield server

    @contextmanager
    def _bare(self, name: str, *, tls: bool) -> Iterator[Server]:
        assert not tls
        port = free_port()
        module = [sys.executable, "-m", f"tests.bench.{name}", str(port)]
        with running(name, module, port, self.folder / f"{name}.log") as server:
            yield server
