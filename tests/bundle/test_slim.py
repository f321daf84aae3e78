"""A slim bundle: an ordinary bundle, small, with exact scores and the choices of lite but for near ties."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

import skillshot
from helpers.story import Story
from skillshot import Selector
from skillshot.bundle import edit
from skillshot.common import packed
from skillshot.common.errors import BundleError, InputError
from skillshot.export.lite import lite_constants
from skillshot.runtime.grid import QUERY, ROW, whole_rows
from skillshot.runtime.layout import MODEL, POLICY, is_slim
from skillshot.runtime.manifest import check_files, read_manifest, write_manifest
from skillshot.runtime.onnx import Session
from skillshot.runtime.scoring import Scoring
from skillshot.selectors.choose import choose_from
from skillshot.selectors.pool import Pool
from skillshot.selectors.registry import DEFAULT


@pytest.fixture(scope="module")
def slim(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slim") / "bundle"
    made = skillshot.slim(bundle, folder)
    assert made.report["bytes"] < made.report["bytes_before"] / 5
    assert made.report["overlap"] > 0.8
    return folder


def test_it_is_an_ordinary_bundle(slim: Path, bundle: Path, story: Story) -> None:
    manifest = read_manifest(slim)
    check_files(slim, manifest)
    assert is_slim(manifest) and not is_slim(read_manifest(bundle))
    made, full = Selector.load(slim), Selector.load(bundle, "lite")
    assert (made.mode, len(made)) == ("lite", len(full))
    assert [made.record(row) for row in range(len(made))] == [full.record(row) for row in range(len(full))]
    assert "Made by `skillshot slim`" in (slim / "README.md").read_text()
    questions = [query.question for query in story[1]]
    pairs = list(zip(made.select_batch(questions), full.select_batch(questions), strict=True))
    assert np.mean([len({d.id for d in one} & {d.id for d in two}) for one, two in pairs]) > 3.2
    differences = [abs(one[0].score - two[0].score) for one, two in pairs]
    assert max(differences) < 0.02
    why = made.explain(questions[0])
    assert sum(part.value for part in why.reasons[0].contributions) == pytest.approx(
        why.reasons[0].demonstration.score, abs=1e-5
    )


def test_its_scores_are_exact(slim: Path, story: Story) -> None:
    made = Selector.load(slim)
    rows = made.vectors[:, :-1].astype(np.float64) / ROW
    assert (rows == np.rint(rows)).all() and np.abs(rows).max() <= 127
    for query in story[1][:5]:
        for found in made._find([query.question], 4, {})[0]:
            vector = found.query.astype(np.float64) / QUERY
            assert (vector == np.rint(vector)).all()
            whole = int(vector[:-1].astype(int) @ rows[found.row].astype(int))
            assert found.score == whole * ROW * QUERY


def test_its_policy_is_that_of_the_full_bundle(slim: Path, bundle: Path, story: Story) -> None:
    manifest = read_manifest(bundle)
    scoring = Scoring.of(manifest["score"], "lite")
    full, made = Selector.load(bundle, "lite")._bundle.policy, Selector.load(slim)._bundle.policy
    texts = [query.text for query in story[1]]
    small = Scoring.of(read_manifest(slim)["score"], "lite")
    for one, two in zip(scoring.blocks, small.blocks, strict=True):
        if two.stop > two.start:
            assert np.abs(full(texts)[:, one] - made(texts)[:, two]).max() < 0.02
    lite = lite_constants(bundle / MODEL / "lite.onnx", scoring.widths)
    assert lite.latent is not None and [weight.shape[1] for weight, _ in lite.latent.layers][-1] == scoring.widths[1]


def test_it_is_measured_as_it_selects(slim: Path, story: Story) -> None:
    pool, made = Pool(slim), Selector.load(slim)
    chosen = choose_from(pool, story[1], "lite", 4)
    assert [[r.id for r in row] for row in chosen] == [[d.id for d in made.select(q.question)] for q in story[1]]
    left_out = pool.without(DEFAULT)
    assert left_out.keys() == set(DEFAULT) - {"random", "bm25", "lite"}
    assert "slim bundle" in left_out["oracle_features"]


def test_rows_can_be_removed_and_it_stays_slim(slim: Path, tmp_path: Path, story: Story) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(slim, folder)
    before = Selector.load(folder)
    gone = before.select(story[1][0].question)[0].id
    after = before.remove(gone)
    assert len(after) == len(before) - 1 and gone not in [d.id for d in after.select(story[1][0].question)]
    assert is_slim(read_manifest(folder))
    assert all(path.suffix == ".gz" for path in (folder / read_manifest(folder)["bank"]).iterdir())


@pytest.mark.parametrize("what", ["add", "mark", "again", "full", "database", "in place", "no bundle"])
def test_what_it_cannot_do_is_refused(what: str, slim: Path, bundle: Path, tmp_path: Path, story: Story) -> None:
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "mine").touch()
    calls = {
        "add": (lambda: edit.add(slim, story[1][:1]), "adding needs what a slim bundle leaves out"),
        "mark": (lambda: edit.mark(slim, ["x"], correct=False), "marking needs"),
        "again": (lambda: skillshot.slim(slim, tmp_path / "out"), "is a slim bundle already"),
        "full": (lambda: Selector.load(slim, "full"), "load the bundle that it was made from"),
        "database": (lambda: Selector.load(slim, bank="postgresql://x@localhost/y"), "a bank in a database needs"),
        "in place": (lambda: skillshot.slim(bundle, bundle), "cannot replace the one that it is made from"),
        "no bundle": (lambda: skillshot.slim(bundle, tmp_path / "file"), "exists and is not a bundle"),
    }
    call, message = calls[what]
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (f"{MODEL}/{POLICY}.gz", b'{"words": [], "structure": [0.5], "sentence": []}', "does not fit the widths"),
        (f"{MODEL}/{POLICY}.gz", b'{"words": [NaN]}', "structure|finite"),
        ("bank/skillshot.npy.gz", b"no array", "magic"),
        ("bank/bank.jsonl.gz", b"{}\n", "bytes; copy the bundle again"),
    ],
)
def test_a_damaged_file_is_named(name: str, content: bytes, message: str, slim: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(slim, folder)
    manifest = read_manifest(folder)
    path = folder / name.replace("bank/", f"{manifest['bank']}/", 1)
    path.write_bytes(gzip.compress(content))
    with pytest.raises(BundleError, match="bytes instead of"):
        Selector.load(folder)
    write_manifest(folder, {key: value for key, value in manifest.items() if key not in ("format", "files")})
    with pytest.raises(BundleError, match=message):
        Selector.load(folder)


def test_a_file_that_the_manifest_does_not_list_is_not_read(slim: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(slim, folder)
    other = folder / MODEL / POLICY
    other.write_bytes(packed.unpacked(other.with_name(f"{POLICY}.gz")))
    with pytest.raises(BundleError, match=r"lite.json.gz is there too"):
        Selector.load(folder)


def test_a_cut_or_swollen_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"x" * 1000)[:-4])
    with pytest.raises(ValueError, match="cut"):
        packed.unpacked(path)
    path.write_bytes(gzip.compress(b"x" * 1000))
    assert packed.unpacked(path) == b"x" * 1000
    with pytest.raises(ValueError, match="more than 999"):
        packed.unpacked(path, 999)


def test_signs_of_step_columns_are_kept() -> None:
    rows = np.array([[-0.0001, -0.0001, 0.6, -0.6]], np.float32)
    assert whole_rows(rows, slice(0, 1)).tolist() == [[-1, 0, 127, -127]]


@pytest.mark.slow
def test_the_same_bundle_gives_the_same_bytes(slim: Path, bundle: Path, tmp_path: Path) -> None:
    skillshot.slim(bundle, tmp_path / "again")
    assert read_manifest(tmp_path / "again") == read_manifest(slim)


def test_lite_constants_refuse_another_graph(bundle: Path) -> None:
    assert Session(bundle / MODEL / "skillshot_posterior.onnx").width
    with pytest.raises(BundleError, match="skillshot_posterior"):
        lite_constants(bundle / MODEL / "skillshot_posterior.onnx", (1, 1, 1, 1))
