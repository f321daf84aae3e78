"""Stage tune: weights of the score from a language model's feedback; without a budget the bundle stays as it is."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from skillshot.common.io import write_json
from skillshot.common.params import EvaluateParams, load_params
from skillshot.llm.cache import AnswerCache, default_path
from skillshot.llm.cached_engine import CachedEngine
from skillshot.llm.open import open_engine
from skillshot.stages._runner import stage_main
from skillshot.tune.bundle import tune_bundle

FITTED, SERVED = Path("models/index"), Path("models/selector")

logger = logging.getLogger("skillshot")


@stage_main
def main() -> None:
    """Read models/index, write models/selector and reports/tune.json."""
    params = load_params()
    report = {"finding": "not tuned: tune.budget is 0", "accepted": False, "calls": 0}
    if params.tune.budget:
        offline = os.environ.get("SKILLSHOT_OFFLINE") == "1"
        engine = CachedEngine(open_engine(params.llm), AnswerCache(default_path()), offline)
        intervals = EvaluateParams(bootstrap=params.evaluate.bootstrap, confidence=params.evaluate.confidence)
        report = tune_bundle(FITTED, engine, budget=params.tune.budget, out=SERVED, seed=params.seed, params=intervals)
        del report["timing"]  # the same inputs give the same report
    if not report["accepted"]:
        shutil.copytree(FITTED, SERVED)
    write_json("reports/tune.json", report)
    logger.info("tune: %s", report["finding"])


if __name__ == "__main__":
    main()
