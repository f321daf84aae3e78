"""A bundle with any content and fitting digests: a BundleError, or a Selector that answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from acceptance.mutations.draft import Draft
from acceptance.mutations.handmade import HARMLESS, MADE
from acceptance.mutations.judge import ANSWERS, REFUSED, judge, judged, outcome_kind
from conftest import Shared
from helpers import tiny_bundle
from skillshot import Selector
from skillshot.common.errors import BundleError
from skillshot.runtime.graph import check_graph
from skillshot.runtime.manifest import FORMAT, read_manifest

SAMPLE = [name for i, name in enumerate(MADE) if i % 12 == 0]
SEEDS = range(20)


@pytest.fixture(scope="module")
def tiny(shared: Shared) -> Path:
    return shared("tiny", tiny_bundle.make)


def check(name: str | int, outcomes: dict[str, str]) -> None:
    kinds = {outcome_kind(outcome) for outcome in outcomes.values()}
    assert kinds <= {ANSWERS, REFUSED}, outcomes
    loads = {outcome_kind(outcome) for way, outcome in outcomes.items() if way.endswith("check=True")}
    if isinstance(name, str):
        assert (loads == {ANSWERS}) if name in HARMLESS else (REFUSED in loads), outcomes


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutation_by_hand_is_refused(name: str, tiny: Path, tmp_path: Path) -> None:
    check(name, judge(tiny, tmp_path / "work", name)[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_mutation_is_refused_or_answers(seed: int, tiny: Path, tmp_path: Path) -> None:
    check(seed, judge(tiny, tmp_path / "work", seed)[1])


@pytest.mark.slow
def test_all_mutations(tiny: Path, tmp_path: Path) -> None:
    mutations: list[str | int] = [*MADE, *range(1000, 1500)]
    assert len(MADE) >= 77
    for mutation, (_, outcomes) in zip(mutations, judged(tiny, mutations, tmp_path / "work"), strict=True):
        check(mutation, outcomes)


def test_the_intact_bundle_answers_in_every_way(tiny: Path, tmp_path: Path) -> None:
    _, outcomes = judge(tiny, tmp_path / "work", "manifest: unknown key")
    assert {outcome_kind(outcome) for outcome in outcomes.values()} == {ANSWERS}


@pytest.mark.parametrize("version", [1, 2, FORMAT + 1, 99])
def test_another_format_is_named_with_its_writer_and_the_line_that_fits_again(
    version: int, tiny: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    shutil.copytree(tiny, folder)
    # a manifest of another format need not have the keys of this one
    (folder / "manifest.json").write_text(json.dumps({"format": version, "skillshot": "0.0.7"}))
    with pytest.raises(BundleError) as caught:
        Selector.load(folder)
    text = str(caught.value)
    assert f"bundle format {version}, written by skillshot 0.0.7, which reads it" in text and f"format {FORMAT}" in text
    assert f"skillshot fit BANK --out {folder}" in text
    assert ("install skillshot 0.0.7 or later" in text) == (version > FORMAT)


def test_unchecked_vectors_give_no_empty_selection(tiny: Path, tmp_path: Path) -> None:
    """NaN compares false, so nothing would be chosen and the prompt would have no example."""
    draft = Draft(tiny, tmp_path / "nan")
    draft.put_array("bank/skillshot.npy", draft.array("bank/skillshot.npy") * np.nan)
    draft.finish()
    with pytest.raises(BundleError, match=r"skillshot\.npy: a row is not of length 1"):
        Selector.load(draft.folder)
    selector = Selector.load(draft.folder, check=False)
    with pytest.raises(BundleError, match=r"skillshot\.npy: gives \[nan"):
        selector.select("How many pens?")


def test_a_damaged_row_is_named(tiny: Path, tmp_path: Path) -> None:
    draft = Draft(tiny, tmp_path / "row")
    lines = [json.dumps(row) for row in draft.rows()]
    lines[7] = lines[7].replace('"question":', '"quest":')
    draft.put_rows(lines)
    draft.finish()
    selector = Selector.load(draft.folder)
    with pytest.raises(BundleError, match=r"bank\.jsonl: row 7: question is missing"):
        selector.select("How many pens?", k=len(selector))


def test_a_damaged_graph_prints_nothing(tiny: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    draft = Draft(tiny, tmp_path / "graph")
    # onnxruntime's wrapper prints a ValueError on stdout and tries again; not UTF-8 in its own message is one
    draft.put("model/lite.onnx", draft.data("model/lite.onnx").replace(b"LpNormalization", b"LpNormalizati\xf4n"))
    draft.finish()
    with pytest.raises(BundleError, match=r"lite\.onnx"):
        Selector.load(draft.folder, "lite")
    assert capfd.readouterr() == ("", "")


def test_real_graphs_pass_and_an_onnx_file_names_no_other(bundle: Path, tiny: Path) -> None:
    for path in (*bundle.glob("model/*.onnx"), *tiny.glob("model/*.onnx")):
        check_graph(path)
    read_manifest(bundle)


def test_a_network_that_reads_less_is_not_taken_for_another(bundle: Path, tmp_path: Path) -> None:
    draft = Draft(bundle, tmp_path / "swapped")
    draft.put("model/skillshot.onnx", draft.data("model/lite.onnx"))
    draft.finish()
    with pytest.raises(
        BundleError, match=r"skillshot\.onnx: its inputs are lexical, expected lexical, sentence_embedding"
    ):
        Selector.load(draft.folder, "full")
