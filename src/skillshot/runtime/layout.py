"""Layout of a bundle: a trained `model/`, which changes only as a whole, and a `bank-*/`, which changes alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skillshot.common.errors import BundleError, InputError
from skillshot.common.packed import SUFFIX

MODEL = "model"
QUESTION_VIEW, RATIONALE_VIEW, PRIOR_VIEW = "question_view", "rationale_view", "prior_view"
STEPS = f"{MODEL}/{RATIONALE_VIEW}/steps.json"  # only where the kinds of steps count; read for explanations
ENCODERS = {"fp32": "encoder.onnx", "int8": "encoder.int8.onnx"}  # by precision
ENCODER_FILES = ("encoder.json", "tokenizer.json")
VIEW_FILES = ("lexical.json", "keys.npy", "weights.npy", "slots.npy", "projection.npy")
BANK_FILES = (
    "bank.jsonl",
    "bank_offsets.npy",
    "bank_keys.npy",
    "bank_ids.npy",
    "bank_fields.json",
    "bank_fields.npy",
)
POLICY = "lite.json"  # the query policy of a slim bundle, in place of lite.onnx
NO_MODEL = "none"  # embed.model of a bundle that was fitted without a text encoder
QUESTIONS = "question.npy"
LARGE = "skillshot.faiss"  # only in a bank of more than index.exact_below demonstrations
MODES = ("full", "lite", "auto")
AUTO = 0.98  # share of full's quality, estimated on the bank, from which the transformer is not worth its time
CARD = "README.md"  # made from the manifest after a commit, so it is written again and never checked
BANK_NAME = r"bank-[0-9]{1,9}"
_FILE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
NAMES = rf"{re.escape(CARD)}|{MODEL}/(?:{_FILE}/)?{_FILE}|{BANK_NAME}/{_FILE}"
_NAMES = re.compile(NAMES)


def resolve(folder: Path, name: str) -> Path:
    """Path of a file that a manifest names, inside its bundle; every name goes through here before it is opened.

    Only README.md, model/FILE, model/VIEW/FILE and bank-N/FILE are names: nothing absolute, no `..`. No part of it
    below the bundle's folder may be a link, which could lead outside.

    Raises:
        BundleError: the name has another form, or a part of it is a link.
    """
    if not _NAMES.fullmatch(name):
        raise BundleError(f"{folder}: {name[:100]!r} is no name of a file in a bundle; get the bundle from its source")
    path = folder
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            raise BundleError(f"{path}: is a link; copy the bundle with its files (cp -rL, or local_dir of a download)")
    return path


def resolve_mode(mode: str, manifest: Mapping[str, Any]) -> str:
    """`auto` is lite where that keeps `AUTO` of full's quality on the bank, or where there is no encoder.

    Raises:
        InputError: mode full of a bundle that was fitted without a text encoder.
    """
    if mode == "full" and "full" not in manifest["score"]:
        fix = "load the bundle that it was made from" if is_slim(manifest) else "fit without --lite"
        raise InputError(f"mode 'full': the bundle has no text encoder; take 'lite' or 'auto', or {fix}")
    if mode != "auto":
        return mode
    has_encoder = any(f"{MODEL}/{name}" in manifest["files"] for name in ENCODERS.values())
    return "full" if has_encoder and manifest["metrics"].get("lite_share", 0.0) < AUTO else "lite"


def files_of_rows(manifest: Mapping[str, Any]) -> set[str]:
    """The files that make a record's row of `skillshot.npy`: bundles that share them have equal rows."""
    views = (f"{view}/{name}" for view in (QUESTION_VIEW, RATIONALE_VIEW) for name in VIEW_FILES)
    needed = {f"{MODEL}/{name}" for name in (*views, "skillshot_posterior.onnx")}
    if "full" in manifest["score"]:
        needed |= {f"{MODEL}/{name}" for name in (*ENCODER_FILES, ENCODERS["fp32"])}
    views_of_rows = f"{MODEL}/{RATIONALE_VIEW}/", f"{MODEL}/{PRIOR_VIEW}"  # there may be several priors
    return needed | {name for name in manifest["files"] if name.startswith(views_of_rows)}


def is_slim(manifest: Mapping[str, Any]) -> bool:
    """Whether `skillshot slim` made the bundle: it holds what lite selection reads, in 8 bits and compressed."""
    return f"{MODEL}/{POLICY}{SUFFIX}" in manifest["files"]


def refuse_slim(folder: object, manifest: Mapping[str, Any], what: str) -> None:
    """Refuse what a slim bundle cannot do.

    Raises:
        InputError: the bundle is slim.
    """
    if is_slim(manifest):
        raise InputError(
            f"{folder}: {what} needs what a slim bundle leaves out\n"
            "change the bundle that it was made from, and run skillshot slim again"
        )


def steps_of(manifest: Mapping[str, Any]) -> str | None:
    """The file that names the kinds of steps; None where none count."""
    return next((name for name in (STEPS, STEPS + SUFFIX) if name in manifest["files"]), None)


def files_for(mode: str, precision: str, manifest: Mapping[str, Any]) -> set[str]:
    """The files that selection in `mode` (full or lite) opens, with an encoder of `precision` (int8 or fp32)."""
    bank = manifest["bank"]
    view = {f"{MODEL}/{QUESTION_VIEW}/{name}" for name in VIEW_FILES}
    if is_slim(manifest):
        held = {f"{bank}/{name}" for name in (*BANK_FILES, "skillshot.npy")}
        return {f"{name}{SUFFIX}" for name in view | held | {f"{MODEL}/{POLICY}"}}
    policy = {f"{MODEL}/{'lite' if mode == 'lite' else 'skillshot'}.onnx"}
    encoder = set() if mode == "lite" else {f"{MODEL}/{name}" for name in (*ENCODER_FILES, ENCODERS[precision])}
    stored = {f"{bank}/{name}" for name in (*BANK_FILES, "skillshot.npy")}
    large = {f"{bank}/{LARGE}"} & set(manifest["files"])
    return view | policy | encoder | stored | large
