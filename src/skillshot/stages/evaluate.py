"""Stage evaluate: bundle and queries -> what a language model makes of each selector's demonstrations."""

from __future__ import annotations

from pathlib import Path

from skillshot.bank.record import read_records
from skillshot.evaluation.core import evaluate, sample
from skillshot.evaluation.files import write
from skillshot.llm.open import open_engine
from skillshot.llm.record import Record, default_path
from skillshot.params import load_params
from skillshot.selectors.choose import choose
from skillshot.stages.told import told


@told
def main() -> None:
    """Read models/selector and data/validate, write reports/evaluate.json, evaluate_rows.csv and plots."""
    params = load_params()
    settings = params.evaluate
    queries = sample(list(read_records(Path("data/validate/queries.jsonl"))), settings.limit, params.seed)
    choices = choose("models/selector", queries, settings.selectors, settings.shots, params.seed)
    evaluation = evaluate(open_engine(params.llm), Record(default_path()), queries, choices, settings, params.seed)
    write(evaluation, Path("reports"))


if __name__ == "__main__":
    main()
