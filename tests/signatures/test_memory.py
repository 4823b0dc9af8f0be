"""Signatures in memory: never too many, never too old."""

from service.signatures.memory import KEPT_SECONDS, MemorySignatures


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


async def test_what_is_kept_is_found_and_nothing_else() -> None:
    store = MemorySignatures()
    store.keep({"a": "one", "b": "two"})
    assert await store.find([["a", "x"], ["b"], []]) == {"a": "one", "b": "two"}
    assert await store.find([["x"]]) == {}


def test_what_was_not_used_for_longest_goes_first() -> None:
    store = MemorySignatures(most=2)
    store.keep({"a": "one", "b": "two"})
    store.known(["a"])
    store.keep({"c": "three"})
    assert store.known("abc") == {"a": "one", "c": "three"}


def test_there_is_a_limit_to_the_bytes_of_all() -> None:
    store = MemorySignatures(most_bytes=20)
    store.keep({"a": "x" * 9})
    store.keep({"b": "y" * 9})
    assert store.known("ab") == {"a": "x" * 9, "b": "y" * 9}
    store.keep({"c": "z"})
    assert store.known("abc") == {"b": "y" * 9, "c": "z"}
    store.keep({"d": "w" * 20})
    assert store.known("abcd") == {}, "one that is too long is not kept"


def test_to_keep_one_again_does_not_count_twice() -> None:
    store = MemorySignatures(most=2, most_bytes=20)
    for _ in range(5):
        store.keep({"a": "x" * 9})
    store.keep({"b": "y" * 9})
    assert set(store.known("ab")) == {"a", "b"}


def test_it_ends_after_a_day() -> None:
    clock = Clock()
    store = MemorySignatures(now=clock)
    store.keep({"a": "one"})
    clock.time = KEPT_SECONDS - 1
    store.keep({"b": "two"})
    assert store.known("ab") == {"a": "one", "b": "two"}
    clock.time = KEPT_SECONDS
    assert store.known("ab") == {"b": "two"}


def test_it_shows_no_signature() -> None:
    store = MemorySignatures()
    store.keep({"a": "one"})
    assert "one" not in repr(vars(store))
