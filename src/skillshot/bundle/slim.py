"""A bundle for a small device or a browser: what lite selection reads, in 8 bits and compressed.

It is a bundle like any other: `Selector.load` opens it. Blocks of the score without a share, the text encoder and what
makes rows of new demonstrations are left out. Rows, projection and the weights of the policy become 8-bit whole
numbers, so that its scores are exact (`skillshot.runtime.grid`).
"""

from __future__ import annotations

import base64
import dataclasses
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.bundle.card import write_card
from skillshot.bundle.changing import NEW, changing, put
from skillshot.common import packed
from skillshot.common.arrays import Doubles, Floats
from skillshot.common.errors import BundleError, InputError
from skillshot.common.io import atomic_write, write_json
from skillshot.common.space import bytes_under, need
from skillshot.export.lite import lite_constants
from skillshot.features.lexical import LexicalView
from skillshot.features.steps import StepNames
from skillshot.runtime.grid import MOST, whole_rows
from skillshot.runtime.layout import (
    BANK_FILES,
    MODEL,
    POLICY,
    QUESTION_VIEW,
    STEPS,
    files_for,
    is_slim,
    steps_of,
)
from skillshot.runtime.manifest import check_files, read_manifest, write_manifest
from skillshot.runtime.scoring import Scoring
from skillshot.runtime.selector import Selector

QUESTIONS = 100  # of the bank, whose choices are compared with those of the full bundle


def slim(bundle: str | os.PathLike[str], out: str | os.PathLike[str]) -> Selector:
    """Write a slim copy of a bundle and load it; an old bundle at `out` is replaced at the end.

    Its `report` holds `bytes` and `bytes_before` (of the lite files), `records`, and of up to 100 questions of the bank
    (`questions`) the share for which both bundles choose the same k (`same`) and the mean share of common choices
    (`overlap`).

    Raises:
        InputError: the bundle is slim already, has an index for a large bank, or `out` exists and is no bundle.
        BundleError: the bundle is damaged, or another process is changing the one at `out`.
        DiskError: there is no space for it.
    """
    folder, target = Path(bundle), Path(out)
    manifest = read_manifest(folder)
    _refuse(folder, target, manifest)
    names = files_for("lite", "fp32", manifest) | ({STEPS} & manifest["files"].keys())
    check_files(folder, manifest, names)
    before = sum(manifest["files"][name]["bytes"] for name in names)
    need(target, before, "the slim bundle")
    with changing(target) as (place, around):
        work = around / NEW
        score = _write(folder, manifest, work)
        packed.pack(work)
        facts = {key: value for key, value in manifest.items() if key not in ("format", "files")}
        facts |= {"score": score, "select": {**manifest["select"], "mode": "lite"}}
        write_manifest(work, facts)
        found = _compared(folder, work)
        write_card(work, facts | {"slim": found})
        write_manifest(work, facts | {"slim": found})
        put(around, place)
    made = Selector.load(target)
    made.report = {"records": len(made), "bytes": bytes_under(target), "bytes_before": before, **found}
    return made


def _refuse(folder: Path, target: Path, manifest: Mapping[str, Any]) -> None:
    if is_slim(manifest):
        raise InputError(f"{folder}: is a slim bundle already")
    if target.exists() and not (target / "manifest.json").exists():
        raise InputError(f"{target}: exists and is not a bundle; choose another folder")
    if folder.resolve() == target.resolve():
        raise InputError(f"{target}: a slim bundle cannot replace the one that it is made from; choose another folder")
    most, rows = manifest["index"]["exact_below"], manifest["data"]["records"]
    if rows > most:
        raise InputError(
            f"{folder}: {rows:,} demonstrations; a slim bundle is held in memory and takes at most {most:,} "
            "(index.exact_below)"
        )


def _write(folder: Path, manifest: Mapping[str, Any], work: Path) -> dict[str, Any]:
    """Write all files of the slim bundle but manifest and card, not yet compressed; returns its `score`."""
    scoring = Scoring.of(manifest["score"], "lite")
    counts = [bool(share) or block == 0 for block, share in enumerate(scoring.shares)]
    # confidence is measured by the sentence where there is one: without a share it says nothing, as in the full bundle
    counts[2] = counts[2] or counts[3]
    blocks = [block if kept else slice(0, 0) for block, kept in zip(scoring.blocks, counts, strict=True)]
    widths = [block.stop - block.start for block in blocks]
    score = {"widths": widths, "lite": manifest["score"]["lite"], "rows": "int8"}

    bank = work / manifest["bank"]
    bank.mkdir(parents=True)
    for name in BANK_FILES:
        shutil.copyfile(folder / manifest["bank"] / name, bank / name)
    steps = steps_of(manifest)
    names = StepNames.load((folder / steps).parent) if steps is not None else None
    if steps is not None:
        (work / steps).parent.mkdir(parents=True)
        shutil.copyfile(folder / steps, work / steps)
    vectors = np.load(folder / manifest["bank"] / "skillshot.npy", allow_pickle=False).astype(np.float32)
    coordinates = np.concatenate([np.arange(block.start, block.stop) for block in blocks])
    signs = slice(widths[0] - len(names.columns) if names is not None else widths[0], widths[0])
    with atomic_write(bank / "skillshot.npy", "wb") as handle:
        np.save(handle, whole_rows(vectors[:, coordinates], signs), allow_pickle=False)

    t, _, e, w = widths
    first, starts = scoring.lexical_part("lite").start, np.cumsum([0, scoring.widths[3], scoring.widths[0]])
    parts = [slice(first + start, first + start + size) for start, size in zip(starts, (w, t, e), strict=True)]
    view = LexicalView.load(folder / MODEL / QUESTION_VIEW)
    _in_8_bits(view, parts).save(work / MODEL / QUESTION_VIEW)
    network = folder / MODEL / "lite.onnx"
    lite = lite_constants(network, scoring.widths)
    policy: dict[str, Any] = {
        "words": lite.words[:w].tolist(),
        "structure": lite.structure.tolist(),
        "sentence": lite.sentence[:e].tolist(),
    }
    if widths[1]:
        if lite.latent is None:
            raise BundleError(f"{network}: has no latent, which counts in the score; fit the bank again")
        inner = lite.latent
        layers = [_layer(weight, bias) for weight, bias in inner.layers]
        shape = {"centre": inner.centre.tolist(), "scale": inner.scale.tolist(), "leak": inner.leak}
        policy["latent"] = {**shape, "layers": layers}
    write_json(work / MODEL / POLICY, policy)
    return score


def _in_8_bits(view: LexicalView, parts: Sequence[slice]) -> LexicalView:
    """A view onto these columns of its projection; the columns of a part have one scale."""
    if view.projection is None or not np.array_equal(view.slots % view.buckets, view.keys % np.uint64(view.buckets)):
        raise BundleError("the question view has buckets of its own; fit the bank again")
    whole, scales = [], []
    for part in parts:
        values = np.asarray(view.projection[:, part], np.float64)
        scale = float(np.abs(values).max(initial=0)) / MOST or 1.0
        whole.append(np.rint(values / scale).astype(np.int8))
        scales += [scale] * values.shape[1]
    return dataclasses.replace(view, projection=np.hstack(whole), scale=np.array(scales))


def _layer(weight: Floats, bias: Floats) -> dict[str, Any]:
    """Weights of a layer as whole numbers, with one scale for each column."""
    scale: Doubles = np.maximum(np.abs(weight.astype(np.float64)).max(0), 1e-12) / MOST
    whole = base64.b64encode(np.rint(weight / scale).astype(np.int8).tobytes()).decode()
    return {"weight": whole, "scale": scale.tolist(), "bias": bias.tolist()}


def _compared(folder: Path, work: Path) -> dict[str, Any]:
    """How far the choices agree for questions of the bank, each of which is left out for itself."""
    full, small = Selector.load(folder, "lite"), Selector.load(work)
    rows = range(0, len(full), -(-len(full) // QUESTIONS))
    asked = [{"question": r.question, "context": r.context, "options": r.options} for r in map(full.record, rows)]
    pairs = zip(full.select_batch(asked), small.select_batch(asked), strict=True)
    shares = [len({d.id for d in one} & {d.id for d in two}) / max(1, len(one)) for one, two in pairs]
    return {"questions": len(shares), "same": float(np.mean(np.array(shares) == 1)), "overlap": float(np.mean(shares))}
