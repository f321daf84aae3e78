"""`skillshot fit` as a function: bank file in, bundle folder out."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skillshot.bank.load import load_bank
from skillshot.common.errors import InputError
from skillshot.common.io import write_jsonl
from skillshot.common.params import Params


def fit_bundle(
    bank: str | os.PathLike[str], out: Path, params: Params, say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Check, embed, train, export and index a bank; rows that were refused go to `<out>.quarantine.jsonl`.

    Raises:
        InputError: the bank cannot be read or learned from, or `out` exists and is no bundle.
        CollapseError: training ended in posterior collapse.
    """
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]) and not (out / "manifest.json").exists():
        raise InputError(f"--out {out}: exists and is not a bundle; choose another folder")
    loaded = load_bank(bank, columns=params.ingest.columns, limit=params.ingest.limit, validate=params.validate)
    records = loaded.records
    say(f"bank: {len(records)} accepted, {len(loaded.quarantined)} quarantined")

    from skillshot.bundle.build import build_bundle, bundle_facts
    from skillshot.encoder import embed_texts, load_encoder
    from skillshot.export.model import export_model
    from skillshot.training.fit import fit

    encoder = load_encoder(params.embed.model)
    size = params.embed.batch_size
    texts = [record.text for record in records]
    question = embed_texts(encoder, texts, size, "questions")
    rationale = embed_texts(encoder, [record.rationale for record in records], size, "rationales")
    for side, embedded in (("questions", question), ("rationales", rationale)):
        if embedded.truncated:
            say(f"embed: {embedded.truncated} {side} exceed the encoder's {embedded.window} tokens and were cut")
    fitted = fit(records, question.vectors, rationale.vectors, params.train, params.seed)
    with tempfile.TemporaryDirectory() as work:
        model = Path(work) / "model"
        parity = export_model(encoder, fitted, texts, question.vectors, params, model)
        vectors = dict(fitted.vectors) | {"question": question.vectors, "rationale": rationale.vectors}
        facts = bundle_facts(records, params, fitted.diagnostics)
        build_bundle(model, vectors, records, facts, params, out)
    if loaded.quarantined:
        write_jsonl(out.with_name(out.name + ".quarantine.jsonl"), (row.to_json() for row in loaded.quarantined))
    return {
        "bundle": str(out),
        "accepted": len(records),
        "quarantined": len(loaded.quarantined),
        "reasons": dict(Counter(row.reason for row in loaded.quarantined)),
        "truncated": {"questions": question.truncated, "rationales": rationale.truncated},
        "diagnostics": dict(fitted.diagnostics),
        "parity": parity,
    }
