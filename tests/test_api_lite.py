"""`fit(lite=True)`: a bundle by words alone, made without torch, and everything that is done with one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skillshot
from skillshot.api import fit_bundle
from skillshot.bundle.card import card
from skillshot.bundle.edit import mark
from skillshot.cli.main import main
from skillshot.common.errors import BundleError, InputError
from skillshot.common.io import write_jsonl
from skillshot.common.params import default_params
from skillshot.common.verdict import SIMILAR
from skillshot.evaluation.alignment import score
from skillshot.runtime.bench import bench
from skillshot.runtime.manifest import read_manifest
from skillshot.selectors.choose import choose
from skillshot.selectors.pool import Pool
from skillshot.sources.storyskills import generate
from skillshot.tune.questions import bank_questions

ROWS, QUERIES = 60, 20
Capture = pytest.CaptureFixture[str]
# what only the extras bring; the test environment has them, so they are made impossible to import
ABSENT = ("torch", "sentence_transformers", "transformers", "safetensors", "pandas", "datasketch", "sqlglot", "jinja2")
BLOCKED = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from skillshot.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def story() -> tuple[list[Any], list[Any]]:
    """Solved examples of the bank, and queries."""
    records = generate(ROWS + QUERIES, 5)
    return records[:ROWS], records[ROWS:]


@pytest.fixture(scope="module")
def report(story: tuple[list[Any], list[Any]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `fit --lite --json` prints in a process that has no torch."""
    folder = tmp_path_factory.mktemp("lite")
    write_jsonl(folder / "bank.jsonl", [record.to_dict() for record in story[0]])
    words = ["fit", str(folder / "bank.jsonl"), "--out", str(folder / "bundle"), "--lite", "--json"]
    done = subprocess.run([sys.executable, "-c", BLOCKED, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def bundle(report: dict[str, Any], tmp_path: Path) -> Path:
    """A copy of the bundle, which a test may change."""
    folder = tmp_path / "bundle"
    skillshot.Selector.load(report["bundle"]).save_pretrained(folder)
    return folder


def test_a_fit_without_torch_reports_what_a_fit_reports(report: dict[str, Any]) -> None:
    assert (report["accepted"], report["quarantined"], report["structure"]) == (ROWS, 0, "rationale")
    assert report["verdict"]["mode"] == "lite" and report["verdict"]["rows"] == ROWS
    assert report["truncated"] == report["parity"] == {} and report["encoder_knowledge"] is None
    assert {"suspicious", "diagnostics", "reasons", "bundle"} < report.keys()


def test_a_fit_that_needs_torch_names_the_extra_and_the_other_way(report: dict[str, Any], tmp_path: Path) -> None:
    words = ["fit", str(Path(report["bundle"]).parent / "bank.jsonl"), "--out", str(tmp_path / "bundle")]
    done = subprocess.run([sys.executable, "-c", BLOCKED, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert re.search(r"is not installed: pip install 'skillshot\[train\]'\n.*--lite", done.stderr), done.stderr
    assert not (tmp_path / "bundle").exists()


def test_the_bundle_declares_that_it_has_only_lite(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    assert manifest["select"]["mode"] == "lite" and "full" not in manifest["score"]
    assert manifest["score"]["widths"][1:3] == [0, 0] == manifest["score"]["lite"]["shares"][1:3]
    files = sorted(name.removeprefix("model/") for name in manifest["files"] if name.endswith(".onnx"))
    assert files == ["lite.onnx", "skillshot_posterior.onnx"]
    assert [skillshot.Selector.load(bundle, mode).mode for mode in (None, "auto", "lite")] == ["lite"] * 3
    with pytest.raises(InputError, match=r"mode 'full': the bundle has no text encoder; .*fit without --lite"):
        skillshot.Selector.load(bundle, "full")
    text = card(manifest)
    assert "| mode by default | lite |" in text and "question n-grams" in text and "int8" not in text


def test_the_fit_of_python_makes_the_same_bundle(report: dict[str, Any], story: tuple[list[Any], list[Any]]) -> None:
    selector = skillshot.fit([record.to_dict() for record in story[0]], lite=True)
    other = skillshot.Selector.load(report["bundle"])
    np.testing.assert_allclose(selector.vectors, other.vectors, atol=1e-6)
    for query in story[1]:
        assert [d.id for d in selector.select(query.question)] == [d.id for d in other.select(query.question)]


def test_an_explanation_sums_to_the_score_in_two_parts(bundle: Path, story: tuple[list[Any], list[Any]]) -> None:
    why = skillshot.Selector.load(bundle).explain(story[1][0].question)
    for reason in why.reasons:
        wanted = pytest.approx(reason.demonstration.score, abs=1e-5)
        assert sum(part.value for part in reason.contributions) == wanted == sum(reason.parts.values())
        assert reason.parts["latent"] == reason.parts["sentence"] == 0
        assert reason.parts["structure"] != 0 != reason.parts["words"] and reason.rank is not None


def test_a_foreign_question_has_less_confidence(bundle: Path, story: tuple[list[Any], list[Any]]) -> None:
    selector = skillshot.Selector.load(bundle)
    own = np.mean([selector.confidence(query.question) for query in story[1]])
    assert selector.confidence("Who wrote Hamlet?") < own


def test_a_lite_bundle_is_edited_without_an_encoder(bundle: Path, story: tuple[list[Any], list[Any]]) -> None:
    first, again = story[0][:2]
    selector = skillshot.Selector.load(bundle)
    rows = {selector.record(row).id: selector.vectors[row].copy() for row in range(len(selector))}
    changed = selector.remove(first.id).add([first.to_dict()])
    assert len(changed) == ROWS and changed.record(ROWS - 1).id == first.id
    np.testing.assert_allclose(changed.vectors[ROWS - 1], rows[first.id], atol=1e-6)
    mark(bundle, [again.id], correct=False)
    assert changed.reload().vectors[ROWS - 1, :-1].max() == 0


def test_score_leaves_out_what_reads_sentences(bundle: Path, story: tuple[list[Any], list[Any]]) -> None:
    found = score(bundle, story[1], "skill")
    assert set(found.rows) == {"random", "bm25", "lite", "oracle_features"}
    assert set(found.left_out) == {"question", "ridge", "lars", "skillshot", "oracle"}
    assert all("fit again without --lite" in reason for reason in found.left_out.values())
    assert set(found.to_dict()["pairs"]) == {"lite-random", "lite-bm25", "lite-oracle_features"}
    with pytest.raises(InputError, match=r"selector question on .*no text encoder; fit again without --lite, or leave"):
        choose(bundle, story[1], ["question"])
    assert Pool(bundle).ours == "lite"


def test_what_weighs_the_sentence_is_refused(bundle: Path) -> None:
    with pytest.raises(InputError, match=r"no text encoder; fit again without --lite"):
        bank_questions(bundle, 0)


def test_bench_times_the_mode_that_is_there(bundle: Path, capsys: Capture) -> None:
    found = bench(bundle, queries=5)
    assert list(found["modes"]) == ["lite"] and list(found["floor"]) == ["search_ms"]
    assert main(["bench", str(bundle), "--queries", "5"]) == 0
    assert "floor: search " in capsys.readouterr().out


def test_baselines_need_an_encoder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ridge and lars read sentence embeddings; leave out baselines, or lite"):
        fit_bundle(tmp_path / "bank.jsonl", tmp_path / "out", default_params(), baselines=True, lite=True)


def test_what_is_marked_as_wrong_scores_nothing(story: tuple[list[Any], list[Any]]) -> None:
    rows = [record.to_dict() | {"correct": place > 2} for place, record in enumerate(story[0])]
    vectors = skillshot.fit(rows, lite=True).vectors
    assert not vectors[:3, :-1].any() and vectors[3:, :-1].any(1).all()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_smallest_banks_are_fitted(count: int, story: tuple[list[Any], list[Any]]) -> None:
    """Nothing is learned from so few rows: the words are the whole score."""
    selector = skillshot.fit([record.to_dict() for record in story[0][:count]], lite=True)
    assert selector.facts["score"]["lite"]["shares"] == [0, 0, 0, 1]
    assert len(selector.select(story[1][0].question)) == min(count, 4)


def test_a_bundle_that_lost_a_width_is_refused(bundle: Path) -> None:
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["score"]["widths"][2] = 3
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="widths"):
        skillshot.Selector.load(bundle)


def test_a_bank_without_rationales_leans_on_a_prior(
    story: tuple[list[Any], list[Any]], tmp_path: Path, capsys: Capture
) -> None:
    rows = [{"id": record.id, "question": record.question, "answer": 7 * i} for i, record in enumerate(story[0])]
    write_jsonl(tmp_path / "bank.jsonl", rows)
    words = ["fit", str(tmp_path / "bank.jsonl"), "--lite", "--json", "--out"]
    assert main([*words, str(tmp_path / "own"), "--prior", "none"]) == 0
    own = json.loads(capsys.readouterr().out)
    assert "prior_share" not in own["diagnostics"] and "prior" not in read_manifest(tmp_path / "own")

    assert main([*words, str(tmp_path / "bundle")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["structure"] == "question" and report["diagnostics"]["prior_share"] == 0.5
    assert report["verdict"]["verdict"] == SIMILAR
    assert "half of the skill is a prior of other banks" in report["verdict"]["advice"]
    manifest = read_manifest(tmp_path / "bundle")
    assert {"name": "gsm8k", "origin": "openai/gsm8k", "licence": "MIT"} in manifest["prior"]
    assert "Half of the skill is a prior, learned from other banks: storyskills" in card(manifest)

    selector = skillshot.Selector.load(tmp_path / "bundle")
    assert len(selector.select(story[1][0].question, k=4)) == 4
    selector.add([rows[3] | {"id": "new", "question": rows[3]["question"] + " Explain."}])
    vectors = np.load(tmp_path / "bundle" / read_manifest(tmp_path / "bundle")["bank"] / "skillshot.npy")
    assert len(vectors) == ROWS + 1
    assert vectors[-1] @ vectors[3] > 0.9  # a row that is added later has both parts of the structure too


def test_a_prior_that_is_not_there_is_refused(tmp_path: Path, capsys: Capture) -> None:
    write_jsonl(tmp_path / "bank.jsonl", [{"question": f"How many are {i}?", "answer": i} for i in range(12)])
    words = ["fit", str(tmp_path / "bank.jsonl"), "--lite", "--out", str(tmp_path / "out"), "--prior", "nowhere"]
    assert main(words) == 2
    assert "prior nowhere: no prior.json there; give none, packaged, or a folder" in capsys.readouterr().err


def test_a_bank_larger_than_what_is_learned_from_is_kept_in_a_file(
    story: tuple[list[Any], list[Any]], report: dict[str, Any], tmp_path: Path
) -> None:
    made = fit_bundle(story[0], tmp_path / "bundle", default_params({"train.rows": ROWS - 5}), lite=True)
    assert made["accepted"] == ROWS and made["diagnostics"]["learned_rows"] == ROWS - 5
    whole, sampled = (read_manifest(folder) for folder in (report["bundle"], tmp_path / "bundle"))
    assert whole["data"] == sampled["data"]
    texts = [(Path(folder) / "bank-1/bank.jsonl").read_text() for folder in (report["bundle"], tmp_path / "bundle")]
    assert texts[0] == texts[1]
