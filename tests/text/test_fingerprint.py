"""Anchors, body hashes and similarity."""

import random

from hypothesis import given
from hypothesis import strategies as st

from kb.text.fingerprint import Fingerprints, anchor, anchors, body_hash, simhash

CHARS = "党建业务融合学习支部书记群众服务制度落实青年理论检察法治乡村振兴志愿档案保密"


def invented_text(seed: int, length: int = 600) -> str:
    return "".join(random.Random(seed).choices(CHARS, k=length))


def bits_apart(left: int, right: int) -> int:
    return ((left ^ right) & (2**64 - 1)).bit_count()


def test_an_anchor_is_b_and_eight_hex_digits_and_blind_to_width():
    plain = anchor("一、抓好学习,落实制度")

    assert plain == anchor("一、抓好学习，落实制度 ")
    assert len(plain) == 9
    assert plain[0] == "b"
    assert int(plain[1:], 16) >= 0


def test_a_repeated_block_gets_a_numbered_anchor():
    result = anchors(["同一段", "别的段", "同一段", "同一段"])

    assert result == [anchor("同一段"), anchor("别的段"), anchor("同一段") + "-2", anchor("同一段") + "-3"]


def test_the_body_hash_ignores_marks_and_how_blocks_are_cut():
    whole = body_hash(["抓好学习，落实制度。"])

    assert whole == body_hash(["抓好学习,", "落实制度"])
    assert whole != body_hash(["落实制度", "抓好学习"])


def test_similar_texts_have_near_hashes_and_others_do_not():
    text = invented_text(1)
    changed = text[:300] + "某县" + text[302:-6]

    assert bits_apart(simhash(text), simhash(changed)) <= 8
    assert bits_apart(simhash(text), simhash(invented_text(2))) > 12


@given(st.text(max_size=30))
def test_any_text_has_a_hash_that_a_signed_64_bit_column_holds(text):
    result = simhash(text)

    assert -(2**63) <= result < 2**63


def test_long_texts_hash_in_pieces_as_in_one():
    text = invented_text(3, 70_000)

    assert simhash(text * 2) != 0


def test_near_finds_hashes_within_the_bits_and_keeps_the_newest_of_an_article():
    known = Fingerprints([(1, 0), (2, 0b111), (3, 0b1111111), (4, -1)])
    known.add(1, 2**63)

    assert known.near(0) == [1, 2]
    assert known.near(-1, bits=0) == [4]
    assert len(known) == 4


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 64),
)
def test_near_equals_counting_bits_one_by_one(hashes, value, bits):
    known = Fingerprints(enumerate(hashes))

    assert known.near(value, bits) == [i for i, one in enumerate(hashes) if bits_apart(one, value) <= bits]


def test_it_grows_past_its_first_room():
    known = Fingerprints((i, i) for i in range(3000))

    assert len(known) == 3000
    assert known.near(2999, bits=0) == [2999]
