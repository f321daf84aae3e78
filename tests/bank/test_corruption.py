"""Corruption changes the configured number of records and marks them; drift measures each kind of shift."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from skillshot.bank.corruption import corrupt, opening
from skillshot.bank.drift import accept, drift, profile, reading
from skillshot.common.params import CorruptionParams
from skillshot.common.record import Record

BANK = [
    Record(
        f"r{i}", f"question {i}", "\n".join(f"{'ABCD'[i % 4].lower()}{i % 4} step {k} of {i}" for k in range(4)), "1"
    )
    for i in range(200)
]


def test_default_settings_change_nothing() -> None:
    damaged, counts = corrupt(BANK, CorruptionParams(), 7)
    assert damaged == BANK
    assert counts == {"thinned": 0, "wrong_rationales": 0, "missing_steps": 0, "rows": 200}


def test_wrong_rationales_come_from_other_records() -> None:
    damaged, counts = corrupt(BANK, CorruptionParams(wrong_rationales=0.3), 7)
    changed = [(a, b) for a, b in zip(BANK, damaged, strict=True) if a.rationale != b.rationale]
    assert len(changed) == counts["wrong_rationales"] == 60
    assert all(b.metadata["corruption"] == ["wrong_rationale"] for _, b in changed)
    assert all(a.id == b.id and a.question == b.question and a.answer == b.answer for a, b in changed)
    assert sorted(r.rationale for r in damaged) == sorted(r.rationale for r in BANK)


def test_missing_steps_keep_the_order_of_the_other_steps() -> None:
    damaged, counts = corrupt(BANK, CorruptionParams(missing_steps=0.5), 7)
    cut = [(a, b) for a, b in zip(BANK, damaged, strict=True) if a.rationale != b.rationale]
    assert len(cut) == counts["missing_steps"] == 100
    for a, b in cut:
        steps, left = a.rationale.split("\n"), b.rationale.split("\n")
        assert len(left) == 2
        assert [step for step in steps if step in left] == left


def test_keep_and_skew_thin_the_bank() -> None:
    kept, counts = corrupt(BANK, CorruptionParams(keep=30), 7)
    assert len(kept) == 30 and counts["thinned"] == 170
    assert [r.id for r in kept] == [r.id for r in BANK if r in kept]
    skewed, _ = corrupt(BANK, CorruptionParams(skew=1.0), 7)
    openings = [opening(r.rationale) for r in skewed]
    sizes = sorted((openings.count(name) for name in set(openings)), reverse=True)
    assert sizes == [50, 25, 17, 12]  # 50 of each opening, divided by its rank


def test_result_depends_on_the_seed() -> None:
    settings = CorruptionParams(wrong_rationales=0.3, missing_steps=0.3, keep=100)
    assert corrupt(BANK, settings, 7) == corrupt(BANK, settings, 7)
    assert corrupt(BANK, settings, 7)[0] != corrupt(BANK, settings, 8)[0]


def test_drift_is_zero_against_itself_and_detects_each_kind_of_shift() -> None:
    base = profile(BANK)
    assert set(drift(base, base).values()) == {0.0}
    longer = profile([replace(r, rationale=r.rationale + "\nand more") for r in BANK])
    shift = drift(base, longer)
    assert shift["steps"] > 0.25 and shift["rationale_words"] > 0.25 and shift["answer_types"] == 0
    assert drift(base, profile([replace(r, answer_type="number") for r in BANK]))["answer_types"] == 1
    other = profile([replace(r, question="wholly other words here", rationale="none shared") for r in BANK])
    assert drift(base, other)["vocabulary"] == pytest.approx(1.0)
    assert [reading(x) for x in (0.0, 0.2, 3.0)] == ["none", "notable", "large"]


def test_last_accepted_bank_is_stored(tmp_path: Path) -> None:
    state = tmp_path / "state" / "accepted.json"
    one, two = profile(BANK), profile(BANK[:50])
    assert accept(one, state) is None
    assert accept(one, state) is None
    assert accept(two, state) == drift(one, two)
    assert accept(two, state) == drift(one, two)
    three = profile(BANK[:20])
    assert accept(three, state) == drift(two, three) != drift(one, three)
    state.write_text("half a fi")
    assert accept(two, state) is None
