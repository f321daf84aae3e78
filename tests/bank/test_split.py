"""Near-duplicate groups and splits: planted leaks are found, and no group is on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.bank.dedup import PERMUTATIONS, Grouper, gram_hashes, mask, rows_per_band
from skillshot.bank.split import group_stats, hold_out, spanning, split
from skillshot.common.errors import InputError
from skillshot.common.record import Record

WORDS = [
    head + tail for head in ("riv", "mark", "lad", "poc", "gard", "sil") for tail in ("er", "et", "en", "ow", "il")
]


def story(seed: int, words: int = 40) -> str:
    rng = np.random.default_rng(seed)
    return " ".join(rng.choice(WORDS, words)) + f" {rng.integers(1000)} ?"


def record(i: int, question: str, group: str = "") -> Record:
    return Record(id=str(i), question=question, rationale="r", answer="a", group=group)


def labels(questions: list[str], threshold: float = 0.8, groups: list[str] | None = None) -> list[int]:
    grouper = Grouper(threshold)
    for question, group in zip(questions, groups or [""] * len(questions), strict=True):
        grouper.add(question, group)
    return [int(label) for label in grouper.labels()]


@pytest.mark.parametrize(
    "duplicate",
    [
        "Natalia sold 48 clips in April, and half as many in May.  How many?",  # spaces
        "NATALIA sold 48 clips in April, and half as many in May. How many?",  # case
        "Natalia sold ４８ clips in April, and half as many in May. How many?",  # full-width digits
        "Natalia sold 960 clips in April, and half as many in May. How many?",  # number
        "Weng sold 48 clips in June, and half as many in October. How many?",  # names
        "Weng sold 1,250.50 clips in June, and half as many in May. How many?",  # both
    ],
)
def test_planted_duplicates_are_one_group(duplicate: str) -> None:
    original = "Natalia sold 48 clips in April, and half as many in May. How many?"
    assert labels([story(1), original, story(2), duplicate, story(3)]) == [0, 1, 2, 1, 3]


def test_near_duplicates_are_grouped_and_others_are_not() -> None:
    questions = [story(i) for i in range(50)]
    near = [" ".join([*question.split()[:-3], "copper", *question.split()[-2:]]) for question in questions]
    assert labels(questions + near, 0.8) == [*range(50), *range(50)]
    assert labels(questions + near, 0.0) == list(range(100))


def test_declared_groups_are_transitive() -> None:
    """a and b share a database, b and c share a question: all three are one group."""
    found = labels([story(1), story(2), story(2), story(3), story(4)], groups=["db", "db", "", "x", "y"])
    assert found == [0, 0, 0, 1, 2]


def test_signatures_equal_datasketch() -> None:
    """The block-wise MinHash equals datasketch's for each text; short and empty texts also have a gram."""
    texts = [story(i, words=3 + i) for i in range(20)] + ["one", "한국어 문제 열두 개", "", "two words"]
    grouper = Grouper(0.8)
    for text in texts:
        grouper.add(text)
    grouper.labels()
    ours = np.frombuffer(grouper._signatures, np.uint32).reshape(-1, PERMUTATIONS)
    for i, (text, signature) in enumerate(zip(texts, ours, strict=True)):
        hashes, starts = gram_hashes([mask(text)])
        assert list(starts) == [0]
        assert list(hashes) == list(grouper._hashes[grouper._starts[i] : grouper._starts[i + 1]])
        theirs = MinHash(num_perm=PERMUTATIONS, hashfunc=unmixed, scheme="affine32")
        theirs.update_batch(hashes)
        assert (theirs.hashvalues == signature).all()


def unmixed(value: np.uint32) -> int:
    """Inverse of the finaliser that datasketch applies to the value of a hash function."""
    h = int(value)
    h ^= h >> 16
    h = h * pow(0xC2B2AE35, -1, 1 << 32) & 0xFFFFFFFF
    h ^= (h >> 13) ^ (h >> 26)
    h = h * pow(0x85EBCA6B, -1, 1 << 32) & 0xFFFFFFFF
    return h ^ (h >> 16)


def test_bands_find_pairs_at_the_threshold() -> None:
    for threshold in (0.5, 0.7, 0.8, 0.9, 0.95, 1.0):
        rows = rows_per_band(threshold)
        assert PERMUTATIONS % rows == 0
        assert 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= 0.98


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["", "", "a", "b"])), min_size=2, max_size=40),
    st.integers(0, 5),
    st.floats(0.1, 0.6),
)
def test_no_row_is_lost_and_no_group_is_on_both_sides(drawn: list[tuple[int, str]], seed: int, holdout: float) -> None:
    records = [record(i, f"{story(kind)} case {i % 3}", group) for i, (kind, group) in enumerate(drawn)]
    try:
        bank, queries, stats = split(records, holdout, seed, 0.8)
    except InputError:
        return
    assert sorted(r.id for r in bank + queries) == sorted(r.id for r in records)
    assert [r.id for r in bank] == sorted((r.id for r in bank), key=int)
    assert len(queries) <= round(holdout * len(records))
    assert stats["bank"] == len(bank) and stats["queries"] == len(queries)
    grouper = Grouper(0.8)
    for r in bank + queries:
        grouper.add(r.question, r.group)
    held = np.arange(len(records)) >= len(bank)
    assert not len(spanning(grouper.labels(), held))
    assert not {r.group for r in bank if r.group} & {r.group for r in queries if r.group}


def test_split_depends_on_the_seed_and_hardly_on_new_rows() -> None:
    records = [record(i, story(i)) for i in range(200)]
    first = {r.id for r in split(records, 0.2, 7, 0.9)[1]}
    assert {r.id for r in split(records[::-1], 0.2, 7, 0.9)[1]} == first
    assert {r.id for r in split(records, 0.2, 8, 0.9)[1]} != first
    more = records + [record(i, story(i)) for i in range(200, 205)]
    assert len({r.id for r in split(more, 0.2, 7, 0.9)[1]} & first) >= 35
    assert len(first) == 40


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(InputError, match=r"cannot hold out 2 of 10 records.*\n.*near_duplicates"):
        split([record(i, "the same question?") for i in range(10)], 0.2, 7, 0.9)


def test_statistics() -> None:
    grouper = Grouper(0.9)
    for question in ("Ann has 3 cats", "Bob has 4 cats", "a wholly other one", "Ann has 3 cats"):
        grouper.add(question)
    assert group_stats(grouper, grouper.labels()) == {
        "rows": 4,
        "distinct_questions": 3,
        "groups": 2,
        "groups_of_several": 1,
        "rows_in_groups_of_several": 3,
        "largest_group": 3,
    }


def test_no_rows_and_no_holdout() -> None:
    assert split([], 0.2, 7, 0.9)[:2] == ([], [])
    records = [record(i, story(i)) for i in range(3)]
    assert split(records, 0.0, 7, 0.9)[:2] == (records, [])
    held, _ = hold_out(Grouper(0.9), 0.5, 1)
    assert len(held) == 0
