from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from kb.text.difference import parts

TEXTS = st.text(st.sampled_from("党建业务融合,。、\n a(1"), max_size=60)


@given(TEXTS, TEXTS)
def test_the_runs_make_both_texts_again(old: str, new: str) -> None:
    found = parts(old, new)

    assert "".join(part.text for part in found if part.kind != "new") == old
    assert "".join(part.text for part in found if part.kind != "gone") == new
    assert all(part.text for part in found)


def test_a_word_that_was_replaced_is_told_and_the_rest_stays() -> None:
    found = parts("坚持党建引领,推动业务发展。", "坚持党建引领,推动检察业务高质量发展。")

    assert [(part.kind, part.text) for part in found] == [
        ("same", "坚持党建引领,推动"), ("new", "检察"), ("same", "业务"), ("new", "高质量"), ("same", "发展。"),
    ]  # fmt: skip


def test_texts_of_nothing_but_repetition_are_compared_in_no_time() -> None:
    started = time.perf_counter()
    parts("党,建。" * 5000, "建。党," * 5000)

    assert time.perf_counter() - started < 2
