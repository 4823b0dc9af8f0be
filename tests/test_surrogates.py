import msgspec
import pytest

from service.surrogates import replace_encoded_surrogates, replace_lone_surrogates


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\ude00"', "\ufffd"),
        (rb'"a\uD83Db"', "a\ufffdb"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\\ud83d"', "\\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (rb'"\u00e9\n"', "é\n"),
        (rb'"\\ud83d\ude00"', "\\ud83d\ufffd"),
        (rb'"\ud83d\u0041"', "\ufffdA"),
    ],
)
def test_only_half_characters_are_replaced(text: bytes, repaired: str) -> None:
    assert msgspec.json.decode(replace_lone_surrogates(text)) == repaired


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (b'"\xed\xa0\xbd"', "\ufffd"),
        (b'"a\xed\xbf\xbfb"', "a\ufffdb"),
        ('"\ud7ff\ue000é😀"'.encode(), "\ud7ff\ue000é😀"),
    ],
)
def test_a_surrogate_in_utf_8_is_replaced_and_its_neighbours_are_not(
    text: bytes, repaired: str
) -> None:
    assert msgspec.json.decode(replace_encoded_surrogates(text)) == repaired


def test_a_flood_of_them_is_left_to_the_decoder() -> None:
    flood = rb"\ud83d" * 100_001
    assert replace_lone_surrogates(flood) == flood
