"""`Selector` on a real small bundle."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.story import Story
from skillshot import Selector
from skillshot.bundle.edit import add, remove
from skillshot.common.errors import BundleError, InputError
from skillshot.common.evidence import AGREEMENT
from skillshot.common.record import Record, normalise_question
from skillshot.runtime.layout import AUTO, files_for, resolve_mode
from skillshot.runtime.manifest import FORMAT
from skillshot.runtime.prompt import render
from skillshot.selectors.pool import Pool

FOREIGN = (
    "Who wrote the third symphony of Brahms?",
    "Translate 'good morning' into Finnish.",
    "SELECT name FROM singers WHERE age > 30",
    "Which protein folds slowest at low temperature?",
)
QUESTION = "A train covers 60 miles in 3 hours. How many miles does it cover in one hour?"


@pytest.fixture(scope="module", params=["full", "lite"])
def selector(request: pytest.FixtureRequest, bundle: Path) -> Selector:
    return Selector.load(bundle, mode=request.param)


def test_the_best_come_first_and_none_twice(selector: Selector) -> None:
    chosen = selector.select(QUESTION, k=8)
    scores = [demonstration.score for demonstration in chosen]
    assert len({demonstration.id for demonstration in chosen}) == 8
    assert scores == sorted(scores, reverse=True)
    assert all(-1.001 <= score <= 1.001 for score in scores)


def test_a_batch_chooses_what_single_calls_choose(selector: Selector, story: Story) -> None:
    questions = [query.question for query in story[1][:8]]
    batch = selector.select_batch(questions)
    singles = [selector.select(question) for question in questions]
    assert [[d.id for d in row] for row in batch] == [[d.id for d in row] for row in singles]
    assert selector.select_batch([]) == []


def test_the_question_itself_is_never_its_demonstration(selector: Selector, story: Story) -> None:
    for record in story[0][:10]:
        shouted = f"  {record.question.upper()}\n"
        found = selector.select(shouted, k=len(selector))
        assert len(found) == len(selector) - 1
        assert normalise_question(record.question) not in {normalise_question(d.question) for d in found}


def test_exclude_and_where(selector: Selector) -> None:
    first = selector.select(QUESTION)[0]
    assert first.id not in {d.id for d in selector.select(QUESTION, exclude=[first.id])}
    skill = first.metadata["skill"]
    only = selector.select(QUESTION, k=3, where={"skill": skill})
    assert only and {d.metadata["skill"] for d in only} == {skill}
    assert selector.select(QUESTION, where={"skill": "no such skill"}) == []
    with pytest.raises(InputError, match="has the id 'nobody'"):
        selector.select(QUESTION, exclude=["nobody"])
    with pytest.raises(InputError, match="has a field 'colour'"):
        selector.select(QUESTION, where={"colour": 1})


@pytest.mark.parametrize("k", [0, -3, 1.5, True])
def test_a_k_that_is_no_count_is_refused(selector: Selector, k: int) -> None:
    with pytest.raises(InputError, match="k="):
        selector.select(QUESTION, k=k)


@given(st.text(max_size=300).filter(normalise_question), st.integers(1, 500))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gets_distinct_demonstrations(selector: Selector, text: str, k: int) -> None:
    chosen = selector.select(text, k)
    assert len(chosen) == min(k, len(selector))
    assert len({demonstration.id for demonstration in chosen}) == len(chosen)


@pytest.mark.parametrize("text", ["word " * 10_000, "\ud800", "한국어 질문", "?"])
def test_odd_questions(selector: Selector, text: str) -> None:
    assert len(selector.select(text)) == 4


@pytest.mark.parametrize("text", ["", " \n", "\x00", "\u200b\u00ad"])
def test_a_blank_question_is_refused(selector: Selector, text: str) -> None:
    with pytest.raises(InputError, match="is blank: expected a text"):
        selector.select({"question": text, "context": "a table"})


def test_a_question_may_be_a_mapping(selector: Selector) -> None:
    with_context = {"question": QUESTION, "context": "a table", "options": ["1", "2"]}
    assert "a table" in selector.prompt(with_context)
    for wrong in ({"text": "x"}, 7):
        with pytest.raises(InputError, match="expected a text"):
            selector.select(wrong)  # type: ignore[arg-type]


def test_prompt_and_messages_end_with_the_question_and_have_the_best_last(selector: Selector) -> None:
    best = selector.select(QUESTION)[0]
    prompt = selector.prompt(QUESTION)
    assert prompt.endswith(f"Question: {QUESTION}\nAnswer:")
    assert best.rationale in prompt.split("\n\n")[-2]
    messages = selector.messages(QUESTION, k=2)
    assert [m["role"] for m in messages] == ["user", "assistant", "user", "assistant", "user"]
    assert render([], QUESTION) == f"Question: {QUESTION}\nAnswer:"


def test_a_demonstration_below_the_least_score_is_left_out(selector: Selector) -> None:
    all_found = selector.select(QUESTION, k=len(selector))
    low = all_found[10].score
    assert [d.id for d in selector.select(QUESTION, k=len(selector), min_score=low)] == [d.id for d in all_found[:11]]
    assert len(selector.select(QUESTION, k=4, min_score=low)) == 4
    assert selector.select(QUESTION, min_score=1.1) == []
    assert selector.explain(QUESTION, min_score=1.1).reasons == ()
    for wrong in (float("nan"), "0.5", True):
        with pytest.raises(InputError, match="min_score="):
            selector.select(QUESTION, min_score=wrong)  # type: ignore[arg-type]


def test_a_set_is_hedged_among_those_of_the_least_score(selector: Selector) -> None:
    """Variety may prefer a lower score; the ones below the least are out before that."""
    low = selector.select(QUESTION, k=len(selector))[4].score
    assert len(selector.select(QUESTION, k=4, min_score=low)) == 4


def test_a_demonstration_below_the_least_confidence_is_left_out(selector: Selector) -> None:
    chosen = selector.select(QUESTION, k=12)
    assert all(0 <= d.confidence <= 1 for d in chosen)
    for sure in (0.0, *(d.confidence for d in chosen)):
        kept = selector.select(QUESTION, k=12, min_confidence=sure)
        assert kept == [d for d in chosen if d.confidence >= sure], "a part of the same set, perhaps none"
    above = min(1.0, max(d.confidence for d in chosen) + 1e-6)
    assert selector.select(QUESTION, min_confidence=above) == []
    assert selector.explain(QUESTION, min_confidence=above).reasons == ()
    assert selector.prompt(QUESTION, min_confidence=above) == render([], QUESTION)


def test_confidence_is_the_mean_of_what_is_chosen(selector: Selector) -> None:
    for filters in (
        {},
        {"where": {"skill": selector.record(0).metadata["skill"]}},
        {"exclude": [selector.record(0).id]},
    ):
        chosen = selector.select(QUESTION, 5, **filters)  # type: ignore[arg-type]
        expected = np.mean([d.confidence for d in chosen])
        assert selector.confidence(QUESTION, 5, **filters) == pytest.approx(expected)  # type: ignore[arg-type]
    assert selector.confidence(QUESTION, where={"skill": "no such skill"}) == 0
    assert selector.confidence(QUESTION, min_score=1.1) == 0
    with pytest.raises(InputError, match="min_confidence="):
        selector.confidence(QUESTION, min_confidence=2.0)


def test_confidence_is_lower_for_a_question_that_is_foreign_to_the_bank(selector: Selector, story: Story) -> None:
    known = np.mean([selector.confidence(query.question) for query in story[1][:20]])
    foreign = np.mean([selector.confidence(question) for question in FOREIGN])
    assert foreign < known


def test_confidence_rises_with_the_evidence(selector: Selector, story: Story) -> None:
    """A demonstration may have more confidence than one before it only by what the latent or agreement adds."""
    question = story[1][0].question
    chosen = selector.select(question, k=30)
    bundle = selector._bundle
    asked = bundle.policy([question])[0].copy()
    start, shares = bundle.scoring.widths[0], bundle.scoring.shares
    asked[start : start + bundle.scoring.widths[1]] = 0
    asked[:start] *= 1 + shares[1] / shares[0]
    rows = {selector.record(row).id: row for row in range(len(selector))}
    known = np.array([bundle.vectors[rows[d.id]] @ asked for d in chosen])
    sure = np.array([d.confidence for d in chosen])
    first, second = np.argwhere(known[:, None] > known[None, :] + 2 * AGREEMENT).T
    assert (sure[first] >= sure[second]).all()
    assert np.corrcoef(known, sure)[0, 1] > 0.5


def test_the_k_of_the_manifest_is_used_unless_another_is_given(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "copy", copy_function=_link)
    manifest = json.loads((bundle / "manifest.json").read_text())
    (tmp_path / "copy/manifest.json").unlink()
    manifest["select"]["k"] = 2
    (tmp_path / "copy/manifest.json").write_text(json.dumps(manifest))
    selector = Selector.load(tmp_path / "copy", "lite")
    assert selector.k == len(selector.select(QUESTION)) == len(selector.select_batch([QUESTION])[0]) == 2
    assert len(selector.messages(QUESTION)) == 5 and len(selector.select(QUESTION, 3)) == 3


def test_async_and_threads_give_the_same(selector: Selector, story: Story) -> None:
    questions = [query.question for query in story[1][:6]] * 2
    expected = [[d.id for d in selector.select(question)] for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert [[d.id for d in row] for row in pool.map(selector.select, questions)] == expected
    assert [d.id for d in asyncio.run(selector.aselect(questions[0]))] == expected[0]


def test_the_order_of_the_bank_does_not_matter(bundle: Path, tmp_path: Path, story: Story) -> None:
    shutil.copytree(bundle, tmp_path / "copy")
    before = Selector.load(tmp_path / "copy")
    record = before.record(0)
    remove(tmp_path / "copy", [record.id])
    assert len(Selector.load(tmp_path / "copy")) == len(before) - 1
    add(tmp_path / "copy", [record])  # the same demonstration, now in the last row
    after = Selector.load(tmp_path / "copy")
    # what fills a row is the root of a rounding error; no score reads it
    np.testing.assert_allclose(after.vectors[-1, :-1], before.vectors[0, :-1], atol=1e-5)
    for query in story[1][:10]:
        one, two = before.select(query.question, 6), after.select(query.question, 6)
        assert [d.id for d in one] == [d.id for d in two]


def test_a_loaded_selector_outlives_a_change_of_its_bundle(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "copy")
    selector = Selector.load(tmp_path / "copy")
    before = selector.select(QUESTION)
    remove(tmp_path / "copy", [before[0].id])
    assert selector.select(QUESTION) == before
    assert before[0].id not in {d.id for d in Selector.load(tmp_path / "copy").select(QUESTION)}
    assert not list(tmp_path.glob(".*"))


def test_edits_that_make_no_sense_are_refused_and_change_nothing(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "copy")
    manifest = (tmp_path / "copy/manifest.json").read_bytes()
    selector = Selector.load(bundle)
    with pytest.raises(InputError, match="already in"):
        add(tmp_path / "copy", [selector.record(0)])
    with pytest.raises(InputError, match="no demonstration 'nobody'"):
        remove(tmp_path / "copy", ["nobody"])
    with pytest.raises(InputError, match="nothing would be left"):
        remove(tmp_path / "copy", [selector.record(row).id for row in range(len(selector))])
    assert (tmp_path / "copy/manifest.json").read_bytes() == manifest


def test_duplicates_in_the_bank_are_chosen_once(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "copy")
    best = Selector.load(bundle).select(QUESTION)[0]
    duplicate = Record("duplicate", best.question, best.rationale, best.answer, answer_type="number")
    add(tmp_path / "copy", [duplicate])
    chosen = Selector.load(tmp_path / "copy").select(QUESTION, k=6)
    assert [d.question for d in chosen].count(best.question) == 1


@pytest.mark.parametrize(("mode", "precision"), [("full", "fp32"), ("full", "int8"), ("lite", "int8")])
def test_each_damaged_file_is_named(bundle: Path, tmp_path: Path, mode: str, precision: str) -> None:
    names = files_for(mode, precision, json.loads((bundle / "manifest.json").read_text()))
    assert len(names) >= 13
    for name in names:
        for damaged in _damages(bundle, tmp_path / "copy", name):
            with pytest.raises(BundleError, match=Path(name).name):
                Selector.load(damaged, mode, precision=precision)


@pytest.mark.slow
def test_each_damaged_file_that_only_evaluation_reads_is_named(bundle: Path, tmp_path: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    selected = {name for mode in ("full", "lite") for name in files_for(mode, "int8", manifest)}
    others = set(manifest["files"]) - selected - {"README.md"}  # the card is made from the manifest
    assert "model/lars.onnx" in others
    for name in others:
        for damaged in _damages(bundle, tmp_path / "copy", name):
            with pytest.raises(BundleError, match=Path(name).name):
                Pool(damaged)


def _damages(bundle: Path, copy: Path, name: str) -> Iterator[Path]:
    """Copies of a bundle with one file cut, empty, changed by a bit, exchanged for another model's, or missing."""
    data = (bundle / name).read_bytes()
    middle = len(data) // 2
    changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    for damage in (data[:-2], b"", changed, _of_another_model(bundle, name), None):
        shutil.copytree(bundle, copy, copy_function=_link)
        (copy / name).unlink()
        if damage is not None:
            (copy / name).write_bytes(damage)
        yield copy
        shutil.rmtree(copy)


def _of_another_model(bundle: Path, name: str) -> bytes:
    """A sound file of the same kind that belongs elsewhere."""
    others = sorted(bundle.rglob(f"*{Path(name).suffix}"))
    other = next((path for path in others if path.read_bytes() != (bundle / name).read_bytes()), None)
    return other.read_bytes() if other else b"another"


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def test_auto_is_lite_where_that_is_as_good_or_all_there_is(bundle: Path, tmp_path: Path) -> None:
    share = json.loads((bundle / "manifest.json").read_text())["metrics"]["lite_share"]
    assert Selector.load(bundle, "auto").mode == ("lite" if share >= AUTO else "full")
    facts = {"files": {"model/encoder.onnx": {}}, "metrics": {"lite_share": AUTO - 0.01}}
    assert resolve_mode("auto", facts) == "full" and resolve_mode("lite", facts) == "lite"
    assert resolve_mode("auto", facts | {"metrics": {"lite_share": AUTO}}) == "lite"
    shutil.copytree(bundle, tmp_path / "copy", copy_function=_link)
    manifest = json.loads((tmp_path / "copy/manifest.json").read_text())
    for name in ("encoder.onnx", "encoder.int8.onnx"):
        (tmp_path / "copy/model" / name).unlink()
        del manifest["files"][f"model/{name}"]
    (tmp_path / "copy/manifest.json").unlink()
    (tmp_path / "copy/manifest.json").write_text(json.dumps(manifest))
    assert Selector.load(tmp_path / "copy", "auto").mode == "lite"
    with pytest.raises(BundleError, match=r"does not list model/encoder\.int8\.onnx"):
        Selector.load(tmp_path / "copy", "full")


def test_newer_and_foreign_folders_are_refused(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "copy", copy_function=_link)
    manifest = tmp_path / "copy/manifest.json"
    text = manifest.read_text()
    manifest.unlink()
    manifest.write_text(text.replace(f'"format": {FORMAT}', f'"format": {FORMAT + 1}'))
    with pytest.raises(BundleError, match=f"bundle format {FORMAT + 1}"):
        Selector.load(tmp_path / "copy")
    with pytest.raises(BundleError, match="not a bundle"):
        Selector.load(tmp_path)
    with pytest.raises(BundleError, match="nowhere: no such folder"):
        Selector.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="mode 'fast'"):
        Selector.load(bundle, mode="fast")
    with pytest.raises(InputError, match="precision 'int4'"):
        Selector.load(bundle, precision="int4")


def test_reload_shares_an_unchanged_model(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "copy", copy_function=_link)
    selector = Selector.load(tmp_path / "copy", "lite")
    assert selector.reload() is selector
    gone = selector.select(QUESTION)[0].id
    remove(tmp_path / "copy", [gone])
    after = selector.reload()
    assert after._bundle.policy is selector._bundle.policy and len(after) == len(selector) - 1
    assert gone in {d.id for d in selector.select(QUESTION)} and gone not in {d.id for d in after.select(QUESTION)}
    with pytest.raises(BundleError, match="not loaded from a folder"):
        Selector(after._bundle).reload()


def test_where_by_any_field(selector: Selector) -> None:
    assert selector.select(QUESTION, where={"answer_type": "number", "question": 7}) == []
    fields = selector._bundle.store.fields
    assert fields.mask("question", selector.record(3).question).nonzero()[0].tolist() == [3]


def test_exclude_more_than_are_wanted(selector: Selector) -> None:
    best = [d.id for d in selector.select(QUESTION, k=80)]
    left = selector.select(QUESTION, k=4, exclude=best[:76])
    assert len(left) == 4 and not {d.id for d in left} & set(best[:76])
    assert {d.id for d in selector.select(QUESTION, k=len(selector), exclude=best)}.isdisjoint(best)


def test_excluded_demonstrations_are_as_if_they_were_removed(bundle: Path, tmp_path: Path, story: Story) -> None:
    """A set is hedged among what may be chosen, not among what nobody sees."""
    shutil.copytree(bundle, tmp_path / "copy", copy_function=_link)
    whole = Selector.load(bundle, "lite")
    gone = [d.id for d in whole.select(QUESTION, k=9)]
    remove(tmp_path / "copy", gone)
    smaller = Selector.load(tmp_path / "copy", "lite")
    for question in (QUESTION, *(query.question for query in story[1][:20])):
        without = whole.select(question, 4, exclude=gone)
        assert [d.id for d in without] == [d.id for d in smaller.select(question, 4)]
