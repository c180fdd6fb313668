from __future__ import annotations

import pytest

from kb.text.order import natural


@pytest.mark.parametrize(
    "labels",
    [["2", "10", "A1", "A02", "A10"], ["02", "05", "05-08", "10", "A01"], ["", "1"], ["9", "1" * 5000, "版"]],
)
def test_numbers_in_labels_are_sorted_by_their_value(labels: list[str]) -> None:
    backwards = labels[::-1]

    assert sorted(backwards, key=natural) == labels


def test_digits_of_other_scripts_are_letters() -> None:
    assert sorted(["٣", "²", "10"], key=natural) == ["10", "²", "٣"]
