"""Signatures that instances share: what is asked for, and what becomes of failures."""

import asyncio
from collections.abc import Iterable, Mapping

import pytest

from service import background
from service.signatures import shared
from service.signatures.memory import MemorySignatures
from service.signatures.shared import SharedSignatures


class Shelf:
    """A `Shelf` in memory, which may be away."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.calls: list[list[str]] = []
        self.failure: Exception | None = None
        self.silent = False

    async def read(self, keys: Iterable[str]) -> dict[str, str]:
        wanted = list(keys)
        await self._called(wanted)
        return {key: self.held[key] for key in wanted if key in self.held}

    async def write(self, signatures: Mapping[str, str]) -> None:
        await self._called(list(signatures))
        self.held |= signatures

    async def _called(self, keys: list[str]) -> None:
        self.calls.append(keys)
        if self.silent:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def instance(shelf: Shelf) -> SharedSignatures:
    return SharedSignatures(MemorySignatures(), shelf)


async def test_what_one_keeps_another_finds(shelf: Shelf) -> None:
    instance(shelf).keep({"a": "one", "b": "two"})
    await background.finished()
    assert shelf.calls == [["a", "b"]]

    other = instance(shelf)
    assert await other.find([["a"], ["b", "x"], ["y"]]) == {"a": "one", "b": "two"}
    assert shelf.calls[1:] == [["a", "b", "x", "y"]], "one call for all"
    assert await other.find([["a"], ["b", "x"]]) == {"a": "one", "b": "two"}
    assert len(shelf.calls) == 2, "what was found is kept here, too"


async def test_what_is_at_hand_is_not_asked_for(shelf: Shelf) -> None:
    store = instance(shelf)
    store.keep({"a": "one"})
    assert await store.find([["a", "its neighbour, which has none"]]) == {"a": "one"}
    await background.finished()
    assert shelf.calls == [["a"]]


async def test_an_outage_is_no_failure_and_is_logged_once(
    shelf: Shelf, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.failure = ConnectionError("It is away.")
    store = instance(shelf)
    store.keep({"a": "one"})
    await background.finished()
    assert await store.find([["a"], ["b"]]) == {"a": "one"}
    store.keep({"c": "three"})
    await background.finished()
    assert len(shelf.calls) == 1, "it is left alone for a while"

    monkeypatch.setattr(store, "_down_until", 0.0)
    assert await store.find([["b"]]) == {}
    said = [message for message in caplog.messages if "signatures" in message]
    assert said == ["thought signatures cannot be shared: It is away."]

    shelf.failure = None
    monkeypatch.setattr(store, "_down_until", 0.0)
    shelf.held["b"] = "two"
    assert await store.find([["b"]]) == {"b": "two"}


async def test_silence_is_not_waited_for(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "READ_SECONDS", 0.01)
    shelf.silent = True
    store = instance(shelf)
    assert await store.find([["a"]]) == {}
    assert await store.find([["a"]]) == {}
    assert len(shelf.calls) == 1
