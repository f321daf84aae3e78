"""Figures from a small committed answer cache of the embedded model, offline, and the model itself on a part of it.

The first test fails when prompts, cache keys or checkers change; the second when weights or the forward pass change.
`python tests/llm/test_committed.py` writes the cache again (half a CPU minute).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from skillshot.common.environment import configure
from skillshot.common.errors import EngineError
from skillshot.common.params import EvaluateParams
from skillshot.common.record import Record
from skillshot.evaluation.results import Evaluation
from skillshot.evaluation.run import evaluate
from skillshot.llm.cache import AnswerCache as Answers
from skillshot.llm.local import EmbeddedEngine
from skillshot.runtime.prompt import continuation, render
from skillshot.sources.storyskills import generate

pytestmark = pytest.mark.weights

CACHE = Path(__file__).parent / "records" / "llm.jsonl"
PARAMS = EvaluateParams(bootstrap=200, max_tokens=48, shots=2)


def few() -> tuple[list[Record], dict[str, list[Sequence[Record]]]]:
    """Five queries; demonstrations of the same skill, of the same story, and none."""
    records = [record for record in generate(1500, 11) if record.metadata["language"] == "en"]
    queries, bank = records[:5], records[5:]

    def similar(field: str) -> list[Sequence[Record]]:
        return [[r for r in bank if r.metadata[field] == q.metadata[field] and r.group != q.group][:2] for q in queries]

    return queries, {"zero-shot": [[] for _ in queries], "theme": similar("theme"), "skill": similar("skill")}


def scored(cache: Path, offline: bool) -> Evaluation:
    queries, choices = few()
    return evaluate(EmbeddedEngine(), Answers(cache), queries, choices, PARAMS, 0, offline)


def test_committed_cache_gives_the_figures_without_a_call() -> None:
    result = scored(CACHE, offline=True)
    assert result.timing["calls_made"] == 0 and result.timing["cache_hits"] == 30
    nll = {name: row["nll"] for name, row in result.summary["selectors"].items()}
    assert nll == pytest.approx(NLL, abs=1e-5)
    assert nll["skill"] < nll["theme"] < nll["zero-shot"]
    valid = {name: row["format_valid"] for name, row in result.summary["selectors"].items()}
    assert valid == {"zero-shot": 0.2, "theme": 1.0, "skill": 0.4}
    assert result.timing["engine_seconds"] == 0


def test_query_that_is_not_cached_is_a_miss(tmp_path: Path) -> None:
    short = tmp_path / "llm.jsonl"
    short.write_text("".join(CACHE.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    with pytest.raises(EngineError, match="--offline: 1 of 15 answers"):
        scored(short, offline=True)


def test_embedded_model_gives_the_cached_answers() -> None:
    pytest.importorskip("torch")
    queries, choices = few()
    prompts = [render(choices[name][0], queries[0].question) for name in ("zero-shot", "skill")]
    try:
        fresh = dict(EmbeddedEngine().score(prompts, [continuation(queries[0])] * 2))
    except EngineError as error:
        pytest.skip(str(error))
    rows = {row.selector: row for row in scored(CACHE, offline=True).rows if row.query == queries[0].id}
    assert [fresh[0].nll, fresh[1].nll] == pytest.approx([rows["zero-shot"].nll, rows["skill"].nll], abs=1e-3)


NLL = {"zero-shot": 1.89373, "theme": 1.62352, "skill": 0.49051}

if __name__ == "__main__":
    configure()  # without it threads spin, and the test takes minutes on a busy machine
    CACHE.unlink(missing_ok=True)
    print(scored(CACHE, offline=False).summary["selectors"])
