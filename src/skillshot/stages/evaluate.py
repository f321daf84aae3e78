"""Stage evaluate: bundle and queries -> skill alignment, and results of a language model with each selector."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skillshot.common.params import load_params
from skillshot.common.record import Record, read_records
from skillshot.evaluation.alignment import score
from skillshot.evaluation.files import shown, write
from skillshot.evaluation.run import evaluate, sample
from skillshot.evaluation.shipped import shipped
from skillshot.llm.cache import AnswerCache, default_path
from skillshot.llm.cached_engine import CachedEngine
from skillshot.llm.open import open_engine
from skillshot.selectors.choose import choose_all
from skillshot.stages._runner import stage_main

RECORD = Path("reports/answers.jsonl")  # of this evaluation, in git: a fresh clone requests only what it lacks
CHECKED = 100  # queries on which the bundle's own Selector is checked too

logger = logging.getLogger("skillshot")


@stage_main
def main() -> None:
    """Read models/selector and data/validate, write reports/evaluate.json, evaluate_rows.csv, answers.jsonl and plots.

    Answers of the record are replayed; the record then holds those of this evaluation.
    With SKILLSHOT_OFFLINE=1 every answer must be in the cache: recomputation asks no language model.
    """
    params = load_params()
    offline = os.environ.get("SKILLSHOT_OFFLINE") == "1"
    settings = params.evaluate
    everything = list(read_records(Path("data/validate/queries.jsonl")))
    alignment = align("models/selector", everything, settings.label, settings.shots, params.seed)
    proof = shipped("models/selector", sample(everything, CHECKED, params.seed), settings.shots, params.seed)
    queries = sample(everything, settings.limit, params.seed)
    engine, cache = open_engine(params.llm), AnswerCache(default_path())
    recorded = cache.adopt(RECORD)
    if cache.damaged:
        logger.warning("evaluate: %s, %s: %d damaged or edited lines left out", cache.path, RECORD, cache.damaged)
    selection = choose_all(
        "models/selector",
        queries,
        settings.selectors,
        settings.shots,
        params.seed,
        CachedEngine(engine, cache, offline),
        settings,
    )
    choices = {name: chosen.demonstrations for name, chosen in selection.items()}
    evaluation = evaluate(engine, cache, queries, choices, settings, params.seed, offline, selection=selection)
    # seconds are logged and kept out of the report: the same inputs give the same report
    texts = shown(queries, choices)
    extra = {"alignment": alignment, "shipped": proof}
    write(evaluation, Path("reports"), extra=extra, timing=False, texts=texts)
    cache.write_record(RECORD)
    timing = evaluation.timing
    logger.info(
        "evaluate: %d of %d answers replayed from %s, %d requested, %.1f s of %.1f s in the engine",
        len(cache.used & recorded), len(cache.used), RECORD, timing["calls_made"], timing["engine_seconds"],
        timing["wall_seconds"],
    )  # fmt: skip


def align(bundle: str, queries: Sequence[Record], label: str | None, k: int, seed: int) -> dict[str, Any]:
    """Skill alignment of all selectors on all queries, or the reason why there is none."""
    if label is None:
        return {"missing": "evaluate.label is null"}
    if not any(label in query.metadata for query in queries):
        reason = f"no query has the field {label!r} (evaluate.label)"
        logger.warning("evaluate: skill alignment left out: %s", reason)
        return {"missing": reason}
    return {"label": label} | score(bundle, queries, label, k, seed=seed).to_dict()


if __name__ == "__main__":
    main()
