import pytest

from service.errors import ModelNotFoundError
from service.models import MODELS, find_model


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("gemini-2.5-flash", "gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("google/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gemini/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gemini-3-flash", "gemini-3.5-flash"),
        ("gemini-3-pro-preview", "gemini-3-pro-preview"),
        ("models/gemini-5-neon", "gemini-5-neon"),
        ("models/gemma-4-31b-it", "gemma-4-31b-it"),
        ("text-embedding-005", "text-embedding-005"),
        ("gemini-" + "9" * 5000, "gemini-" + "9" * 5000),
    ],
)
def test_names_find_their_model(name: str, id_: str) -> None:
    assert find_model(name).id == id_


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4o",
        "",
        "gemini",
        "models/models/gemini-2.5-flash",
        "gemini-5/../x",
        "gemini-5?x",
        "nope",
        "gemma-",
        "text-embedding-3-small",
        "gemini-" + "a" * 10_000,
        "models/gemma-" + "a" * 10_000,
    ],
)
def test_other_names_are_not_found(name: str) -> None:
    with pytest.raises(ModelNotFoundError):
        find_model(name)


@pytest.mark.parametrize(
    ("name", "thinking", "sampling"),
    [
        ("gemini-1.5-pro", None, True),
        ("gemini-2.0-flash-001", None, True),
        ("gemini-2.5-pro-preview-06-05", "budget", True),
        ("gemini-3-ultra", "level", True),
        ("gemini-3.5-pro", "level", True),
        ("gemini-3.6-pro", "level", False),
        ("gemini-3.10-pro", "level", False),
        ("gemini-4-xenon", "level", False),
        ("gemini-flash-latest", "level", False),
    ],
)
def test_an_unknown_id_gets_the_dialect_of_its_generation(
    name: str, thinking: str | None, *, sampling: bool
) -> None:
    model = find_model(name)
    assert (model.id, model.thinking, model.sampling) == (name, thinking, sampling)


def test_rows_have_names_of_their_own() -> None:
    names = [name for model in MODELS for name in (model.id, *model.aliases)]
    assert len(names) == len(set(names))
