"""Layout of a bundle: a trained `model/` that never changes, and a `bank-*/` that may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODEL = "model"
QUESTION_VIEW, RATIONALE_VIEW = "question_view", "rationale_view"
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
LARGE = "skillshot.faiss"  # only in a bank of more than index.exact_below demonstrations
MODES = ("full", "lite", "auto")


def resolve_mode(mode: str, manifest: Mapping[str, Any]) -> str:
    """`auto` is full where the bundle has a text encoder, and lite where it was left out to save its size."""
    if mode != "auto":
        return mode
    has_encoder = any(f"{MODEL}/{name}" in manifest["files"] for name in ENCODERS.values())
    return "full" if has_encoder else "lite"


def files_for(mode: str, precision: str, manifest: Mapping[str, Any]) -> set[str]:
    """The files that selection in `mode` (full or lite) opens, with an encoder of `precision` (int8 or fp32)."""
    bank = manifest["bank"]
    view = {f"{MODEL}/{QUESTION_VIEW}/{name}" for name in VIEW_FILES}
    policy = {f"{MODEL}/{'lite' if mode == 'lite' else 'skillshot'}.onnx"}
    encoder = set() if mode == "lite" else {f"{MODEL}/{name}" for name in (*ENCODER_FILES, ENCODERS[precision])}
    stored = {f"{bank}/{name}" for name in (*BANK_FILES, "skillshot.npy")}
    large = {f"{bank}/{LARGE}"} & set(manifest["files"])
    return view | policy | encoder | stored | large
