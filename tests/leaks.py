"""A search of everything that the service says during a test run, for secrets.

What arrives is searched at once and not kept; only offences are, with the test that they came from.
"""

import gc
import logging
import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from msgspec import structs

from service.logs import JsonFormatter, TextFormatter
from service.settings import Secret, Settings

#: What secrets look like, whoever made them: also the simulated Google's, and the tests' own.
_SHAPES = r"ya29\.\w|(?<![\w/])1(?://|%2F%2F)\w|AIza\w|GOCSPX-\w"
# The simulated Google's own: not even redaction may have to hide these.
_OURS = r"ya29\.(?:c\.)?sim|1//sim"
_SHORTEST = 6  # of a secret that can be told from any other word
_AROUND = 40
_SECRET_FIELDS = {"access_token", "token", "refresh_token", "client_secret", "private_key"}

# Their output is the document that was asked for; what they say besides goes to standard error.
_PRINTS_A_DOCUMENT = {"import", "login"}


class Leaks(logging.Handler):
    """The search. As a handler it sees every log record that is given to it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.test = "the start of the run"
        self.searched: Counter[str] = Counter()
        self.offences: list[str] = []
        self._secrets: set[str] = set()
        self._pattern = re.compile(_SHAPES)
        self._ours = re.compile(_OURS)
        self._busy = threading.Lock()
        self._formatters = (JsonFormatter(), TextFormatter())

    def learn(self, *secrets: str) -> None:
        """Look for these, too, as they are and as they stand in a form."""
        new = {
            form
            for secret in secrets
            if len(secret) >= _SHORTEST
            for form in (secret, quote(secret, safe=""))
        }
        with self._busy:
            if not new <= self._secrets:
                self._secrets |= new
                words = sorted(map(re.escape, self._secrets))
                self._pattern = re.compile("|".join([*words, _SHAPES]))
                self._ours = re.compile("|".join([*words, _OURS]))

    def learn_document(self, content: bytes) -> None:
        """Look for the secrets of a credential document; what is none is a secret itself."""
        try:
            document = msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            document = None
        if isinstance(document, dict):
            values = [document.get(name) for name in _SECRET_FIELDS]
            self.learn(*(value for value in values if isinstance(value, str)))
        else:
            self.learn(*(key.strip() for key in content.decode("utf-8", "ignore").split(",")))

    def learn_settings(self, settings: Settings) -> None:
        for value in structs.astuple(settings):
            if isinstance(value, Secret) and value.reference is None:
                self.learn_document(value.reveal().encode())

    def search(self, kind: str, text: str, where: str = "") -> None:
        self._search(self._pattern, kind, text, where)

    def _search(self, pattern: re.Pattern[str], kind: str, text: str, where: str) -> None:
        self.searched[kind] += 1
        if found := pattern.search(text):
            near = text[max(0, found.start() - _AROUND) : found.end() + _AROUND]
            self.offences.append(f"{kind} {where} in {self.test}: …{near}…")

    def emit(self, record: logging.LogRecord) -> None:
        given = record.getMessage()
        if record.exc_info:
            given += self._formatters[0].formatException(record.exc_info)
        self._search(self._ours, "record", given, record.name)
        for formatter in self._formatters:
            self.search("log", formatter.format(record), record.name)

    def watched(self, app: ASGIApp) -> ASGIApp:
        """Return the application, with every response searched once it has ended."""

        async def watch(scope: Scope, receive: Receive, send: Send) -> None:
            said = bytearray()

            async def listen(message: Message) -> None:
                if message["type"] == "http.response.start":
                    lines = (b"%s: %s\n" % header for header in message["headers"])
                    said.extend(b"".join(lines))
                elif message["type"] == "http.response.body":
                    said.extend(message.get("body", b""))
                await send(message)

            try:
                await app(scope, receive, listen)
            finally:
                if scope["type"] == ScopeType.HTTP:
                    text = said.decode("utf-8", "replace")
                    self.search("response", text, scope["path"])

        return watch

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Search all logs of this process, and what the processes print that tests start."""
        root = logging.getLogger()
        level = root.level
        communicate = subprocess.Popen.communicate

        def heard(process: Any, *arguments: Any, **options: Any) -> Any:
            outputs = communicate(process, *arguments, **options)
            self.output(process, *outputs)
            return outputs

        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        try:
            with patch.object(subprocess.Popen, "communicate", heard):
                yield
        finally:
            root.setLevel(level)
            root.removeHandler(self)

    def output(self, process: Any, printed: str | bytes | None, said: str | bytes | None) -> None:
        """Search what a process printed, if it ran the service."""
        arguments = process.args if isinstance(process.args, list) else [process.args]
        if "service" not in arguments:
            return
        if _PRINTS_A_DOCUMENT & set(arguments):
            printed = None
        for text in (printed, said):
            if text:
                decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
                self.search("output", decoded, " ".join(arguments[1:]))

    def search_reprs(self) -> Counter[str]:
        """Search what every object of the service that lives now shows; count them by class."""
        found: Counter[str] = Counter()
        for thing in _living_objects():
            kind = type(thing)
            name = f"{kind.__module__}.{kind.__qualname__}"
            found[name] += 1
            for text in (repr(thing), str(thing)):
                self.search("repr", text, name)
        return found


def _living_objects() -> list[Any]:
    """Return the service's own objects, also those that the collector does not track by itself."""
    seen: dict[int, Any] = {}

    def take(things: Iterable[Any]) -> list[Any]:
        new = [thing for thing in things if _is_ours(thing) and id(thing) not in seen]
        seen.update((id(thing), thing) for thing in new)
        return new

    new = take(gc.get_objects())
    # Structs and tuples of mere strings are only seen from what holds them.
    new += take(gc.get_referents(*gc.get_objects()))
    while new:
        new = take(gc.get_referents(*new))
    return list(seen.values())


def _is_ours(thing: Any) -> bool:
    module: object = type(thing).__module__  # in some classes that is no text
    return isinstance(module, str) and module.partition(".")[0] == "service"


LEAKS = Leaks()
