"""Kinds of steps are learned, and count only where a bank shows that they help."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from skillshot.common.params import TrainParams
from skillshot.export.networks import export_networks
from skillshot.model.combined import SkillPolicy, SkillPosterior
from skillshot.model.fitted import run
from skillshot.runtime.onnx import Session
from skillshot.training import steps as module
from skillshot.training.axes import unit
from skillshot.training.skillshot import SkillParts, fit_skillshot
from skillshot.training.steps import SHARE, joined, learn_steps, share_of_steps, union_f1

NAMES = ["Ann", "Bob", "Cem", "Dan", "Eve", "Fay", "Gus", "Hal"]
ASKED = {"total": "sums", "change": "is paid back", "each": "shares", "double": "gets twice", "left": "loses some"}
MEANS = {
    "total": "We sum up: {} + {}",
    "change": "We subtract what is paid: {} - {}",
    "each": "We divide evenly: {} / {}",
    "double": "We multiply twice: {} * {}",
    "left": "We take away: {} - {}",
}


def composite(count: int, seed: int = 0) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    """Questions that need two or three operations each, in any order."""
    rng = np.random.default_rng(seed)
    questions, rationales, needs = [], [], []
    for i in range(count):
        need = tuple(str(x) for x in rng.permutation(list(MEANS))[: rng.integers(2, 4)])
        name = NAMES[i % len(NAMES)]
        questions.append(f"{name} has {i} coins, " + ", then ".join(ASKED[one] for one in need) + "?")
        lines = [MEANS[one].format(*rng.integers(1, 99, 2)) for one in need]
        rationales.append("\n".join(lines))
        needs.append(need)
    return questions, rationales, needs


@pytest.fixture(scope="module")
def parts() -> SkillParts:
    questions, rationales, _ = composite(120)
    embedding = unit(np.random.default_rng(5).standard_normal((120, 8)))
    settings = TrainParams().changed(min_gap=-1.0)
    return fit_skillshot(questions, rationales, embedding, settings, 0, doubtful=False)


def test_kinds_are_the_operations() -> None:
    questions, rationales, needs = composite(120)
    view, _ = learn_steps(rationales, questions, 0)
    assert view is not None
    of: dict[str, set[int]] = {}
    for rationale, need in zip(rationales, needs, strict=True):
        kinds = view.kinds(rationale)
        assert len(kinds) == len(need)
        for kind, one in zip(kinds, need, strict=True):
            of.setdefault(one, set()).add(kind)
    assert all(len(kinds) == 1 for kinds in of.values()) and len(set.union(*of.values())) == len(MEANS)


def test_kinds_are_named_by_their_most_frequent_step() -> None:
    questions, rationales, _ = composite(120)
    view, _ = learn_steps(rationales, questions, 0)
    assert view is not None and view.names is not None
    for pattern in MEANS.values():
        (kind,) = view.kinds(pattern.format(7, 8))
        name = view.names.names[kind]
        assert name.startswith("we ") and name.endswith(pattern[-7:].format(0, 0))
        assert set(name.split()) <= {*pattern.format(0, 0).lower().replace(":", " :").split(), "…"}
    assert len(set(view.names.names)) == len(view.names.names)


def test_a_step_of_one_rationale_names_no_kind() -> None:
    """So that a removed row does not live on in a name."""
    questions, rationales, _ = composite(60)
    own = [f"We sum up secret{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(60)]
    texts = [f"{text}\n{line}\n{line}\n{line}" for text, line in zip(rationales, own, strict=True)]
    view, _ = learn_steps(texts, questions, 0)
    assert view is not None and view.names is not None
    assert not any("secret" in name for name in view.names.names)


def test_kinds_are_the_same_each_time() -> None:
    questions, rationales, _ = composite(60)
    first, second = (learn_steps(rationales, questions, 3)[0] for _ in range(2))
    assert first is not None and second is not None and first.columns == second.columns
    np.testing.assert_array_equal(first.centres, second.centres)


@pytest.mark.parametrize("texts", [["same"] * 30, [f"word{i}" for i in range(30)], ["x"], ["", "", ""]])
def test_steps_with_nothing_in_common_have_no_kinds(texts: list[str]) -> None:
    assert learn_steps(texts, [f"question {i}" for i in range(len(texts))], 0)[0] is None


def test_f1_of_the_union() -> None:
    counts = np.array([[1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]], np.float32)
    chosen = np.array([[0, 1], [2, 2], [3, 3], [3, 3]])
    wanted = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]], np.float32)
    np.testing.assert_allclose(union_f1(counts, chosen, wanted), [1, 2 / 3, 0, 0])


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_products_of_joined_parts_are_weighted_sums(share: float) -> None:
    a, b, c, d = (unit(np.random.default_rng(i).standard_normal((5, 4 + i % 2))) for i in (0, 1, 2, 3))
    found = joined(a, b, share) @ joined(c, d, share).T
    np.testing.assert_allclose(found, (1 - share) * (a @ c.T) + share * (b @ d.T), atol=1e-6)


def bank_of(kinds: int, seed: int = 0) -> tuple[list[str], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    counts = (rng.random((90, kinds)) < 0.4).astype(np.float32)
    return [f"question {i}" for i in range(90)], counts, unit(counts - counts.mean(0))


def test_steps_that_are_predicted_count() -> None:
    texts, counts, kinds = bank_of(6)
    skeleton = unit(np.random.default_rng(1).standard_normal((90, 5)))
    share, gain = share_of_steps(texts, (skeleton, skeleton[::-1]), (kinds, 0.8 * kinds), counts, 0)
    assert share == SHARE and gain > 0.1


def test_steps_that_nothing_predicts_do_not_count() -> None:
    texts, counts, kinds = bank_of(6)
    skeleton = unit(np.random.default_rng(1).standard_normal((90, 5)))
    noise = 0.3 * unit(np.random.default_rng(2).standard_normal(kinds.shape))
    assert share_of_steps(texts, (skeleton, skeleton), (kinds, noise), counts, 0)[0] == 0
    average = np.repeat(kinds.mean(0)[None], len(kinds), 0)
    assert share_of_steps(texts, (skeleton, skeleton[::-1]), (kinds, average), counts, 0)[0] == 0


def test_steps_that_questions_hardly_explain_do_not_count_however_large_the_gain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts, counts, kinds = bank_of(6)
    skeleton = unit(np.random.default_rng(1).standard_normal((90, 5)))
    parts = (skeleton, 1e-3 * skeleton[::-1]), (kinds, 0.04 * kinds)  # 8 % of the variance
    share, gain = share_of_steps(texts, *parts, counts, 0)
    assert share == 0 and gain > 0.1
    monkeypatch.setattr(module, "EXPLAINED", 0.05)
    assert share_of_steps(texts, *parts, counts, 0)[0] == SHARE


def test_a_skeleton_that_says_it_all_is_left_alone() -> None:
    texts, counts, kinds = bank_of(6)
    assert share_of_steps(texts, (kinds, kinds), (kinds, kinds), counts, 0)[0] == 0


def test_a_composite_bank_has_steps_in_its_rows(parts: SkillParts) -> None:
    assert parts.diagnostics["step_share"] == SHARE and parts.diagnostics["step_gain"] > 0
    steps = parts.rationale_view.steps
    assert steps is not None and parts.model.widths.steps == steps.width > 0
    t = parts.model.widths.structure
    assert parts.rationale_lexical.shape[1] == parts.rationale_view.width == t


def test_a_row_of_the_bank_is_made_again_from_its_texts(parts: SkillParts, tmp_path: Path) -> None:
    questions, rationales, _ = composite(120)
    embedding = unit(np.random.default_rng(5).standard_normal((120, 8)))
    known = run(SkillPosterior(parts.model), embedding, parts.question_lexical, parts.rationale_lexical)
    lexical = parts.question_view.transform(questions), parts.rationale_view.transform(rationales)
    # the last coordinate is a square root of rounding
    np.testing.assert_allclose(run(SkillPosterior(parts.model), embedding, *lexical)[:, :-1], known[:, :-1], atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(known, axis=1), 1, atol=1e-5)
    widths = {
        "question_embedding": 8,
        "question_lexical": lexical[0].shape[1],
        "rationale_lexical": lexical[1].shape[1],
    }
    with torch.no_grad():
        export_networks({"skillshot_posterior": SkillPosterior(parts.model).eval()}, widths, tmp_path)
    feeds = dict(zip(widths, (embedding, *lexical), strict=True))
    np.testing.assert_allclose(
        Session(tmp_path / "skillshot_posterior.onnx").run(feeds)[:, :-1], known[:, :-1], atol=2e-5
    )


def test_similarity_of_rows_is_that_of_their_steps_and_skeletons(parts: SkillParts) -> None:
    t, u = parts.model.widths.structure, parts.model.widths.steps
    embedding = unit(np.random.default_rng(5).standard_normal((120, 8)))
    rows = 2 * run(SkillPosterior(parts.model), embedding, parts.question_lexical, parts.rationale_lexical)[:, :t]
    np.testing.assert_allclose(np.square(rows[:, : t - u]).sum(1), 1 - SHARE, atol=1e-5)
    np.testing.assert_allclose(np.square(rows[:, t - u :]).sum(1), SHARE, atol=1e-5)


def test_counts_are_read_from_rows_and_expected_from_queries(parts: SkillParts) -> None:
    _, rationales, _ = composite(120)
    steps, t = parts.rationale_view.steps, parts.model.widths.structure
    assert steps is not None and steps.names is not None and steps.names.scale > 0
    embedding = unit(np.random.default_rng(5).standard_normal((120, 8)))
    rows = run(SkillPosterior(parts.model), embedding, parts.question_lexical, parts.rationale_lexical)
    true = steps.names.by_kind(steps.transform(rationales))
    for kind in (np.float32, np.float16):
        np.testing.assert_array_equal(steps.names.counts(rows[:, t - steps.width : t].astype(kind)), true)
    questions, rationales, _ = composite(60, seed=9)
    asked = run(SkillPolicy(parts.model), np.tile(embedding[:1], (60, 1)), parts.question_view.transform(questions))
    part = asked[:, t - steps.width : t] / (2 * parts.crossfit.modes["full"].shares.numbers[0])
    found = np.array([steps.names.expected(row) for row in part])
    wanted = steps.names.by_kind(steps.transform(rationales))
    average = steps.names.by_kind(np.array(steps.names.rates)[None])
    assert np.abs(found - wanted).mean() < 0.5 * np.abs(average - wanted).mean()
    assert (np.floor(found + 0.5) == wanted).mean() > 0.9


def test_without_steps_the_structure_is_the_skeleton(monkeypatch: pytest.MonkeyPatch) -> None:
    questions, rationales, _ = composite(60)
    embedding = unit(np.random.default_rng(5).standard_normal((60, 8)))
    settings = TrainParams().changed(min_gap=-1.0)
    without = fit_skillshot(questions, rationales, embedding, settings, 0, doubtful=False, without=("steps",))
    monkeypatch.setattr(module, "EXPLAINED", 2.0)
    refused = fit_skillshot(questions, rationales, embedding, settings, 0, doubtful=False)
    assert refused.rationale_view.steps is None and refused.model.widths == without.model.widths
    np.testing.assert_allclose(refused.rationale_lexical, without.rationale_lexical)
