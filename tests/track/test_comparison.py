"""Headline figures, the comparison of two states, and the text that shows both."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import yaml

from skillshot.common.intervals import Interval
from skillshot.track.changes import changes, source_of
from skillshot.track.comparison import certain, compared
from skillshot.track.describe import run_text, within
from skillshot.track.headline import figures, headline
from skillshot.track.snapshot import Snapshot

REPORT = {
    "llm": "stub",
    "shots": 4,
    "queries": 40,
    "selectors": {
        "skillshot": {"nll": 0.6, "accuracy": 0.5},
        "question": {"nll": 0.9, "accuracy": 0.4},
        "zero-shot": {"nll": 2},
    },
    "pairs": {
        "skillshot-question": {
            "nll": {"diff": -0.3, "low": -0.4, "high": -0.2},
            "accuracy": {"diff": 0.1, "low": -0.1, "high": 0.3},
        }
    },
    "alignment": {"queries": 300, "selectors": {"skillshot": {"hit@k": 0.9}}},
}


def side(
    nll: float = 0.6,
    params: Mapping[str, object] | None = None,
    lock: Mapping[str, Mapping[str, str]] | None = None,
    report: Mapping[str, object] = REPORT,
    queries: int = 40,
) -> Snapshot:
    """A published state; `lock`: "deps" and "outs" as path -> digest."""
    rows = "".join(f"q{i},skillshot,{nll + i / 100},1\nq{i},question,0.9,0\n" for i in range(queries))
    stage = {part: [{"path": p, "md5": d} for p, d in found.items()] for part, found in (lock or {}).items()}
    files = {
        "reports/evaluate.json": json.dumps(report),
        "reports/evaluate_rows.csv": f"query,selector,nll,correct\n{rows}",
        "params.yaml": yaml.safe_dump(dict(params or {})),
        "dvc.lock": yaml.safe_dump({"stages": {"evaluate": stage}}),
    }
    return Snapshot("state", files.get)


def test_a_gain_is_positive_where_the_selector_is_better() -> None:
    assert headline(REPORT) == pytest.approx(
        {
            "hit_at_k": 0.9, "nll": 0.6, "nll_gain": 0.3, "nll_gain_low": 0.2,
            "accuracy": 0.5, "accuracy_gain": 0.1, "accuracy_gain_low": -0.1,
        }
    )  # fmt: skip
    assert headline(REPORT, "zero-shot") == {"nll": 2.0}
    assert [(figure.measure.name, figure.queries) for figure in figures(REPORT)] == [
        ("hit_at_k", 300), ("nll", 40), ("accuracy", 40),
    ]  # fmt: skip
    assert headline({}) == {}


def test_runs_are_compared_by_query() -> None:
    better = compared("version 1", side(0.6), side(0.5))
    assert better.differences["nll"].mean == pytest.approx(0.1) and better.queries == 40
    assert better.verdict() == "better by NLL +0.100 [+0.100, +0.100] than version 1 on 40 queries"
    assert compared("version 1", side(0.5), side(0.6)).verdict().startswith("worse by NLL -0.100")
    assert compared("version 1", side(), side()).verdict() == "same as version 1 on 40 queries"
    assert better.values == pytest.approx({"hit_at_k": 0.9, "nll": 0.6, "accuracy": 0.5})


def test_figures_of_other_queries_models_or_shots_are_not_compared() -> None:
    eight = compared("version 1", side(), side(report={**REPORT, "shots": 8}))
    assert eight.verdict() == "not comparable with version 1: evaluate.shots differ" and not eight.differences
    queries = {"outs": {"data/validate/queries.jsonl": "a"}}, {"outs": {"data/validate/queries.jsonl": "b"}}
    assert compared("v", side(lock=queries[0]), side(lock=queries[1])).redefined == ["data/validate/queries.jsonl"]
    assert "not comparable" in run_text(REPORT, eight, [], {})
    fewer = compared("version 1", side(), side(queries=39))
    assert fewer.verdict() == "no certain difference from version 1: no rows to pair"


def test_few_queries_are_no_certainty() -> None:
    few = compared("version 1", side(queries=15), side(0.5, queries=15))
    assert few.verdict().endswith("than version 1 on only 15 queries")
    assert "| +0.100 [+0.100, +0.100] better, few queries |" in run_text(REPORT, few, [], {})


def test_an_interval_that_touches_zero_is_not_certain() -> None:
    assert certain(Interval(0.2, 0.1, 0.3)) and certain(Interval(-0.2, -0.3, -0.1))
    assert not certain(Interval(0.2, 0.0, 0.4)) and not certain(Interval(0.0, 0.0, 0.0))


def test_a_name_says_what_was_changed() -> None:
    then = side(
        params={"train": {"beta": 0.1, "epochs": 9}, "embed": {"model": "a"}, "llm": {"model": "x"}, "old": 1},
        lock={"deps": {"src/skillshot/training": "1", "src/skillshot/encoder.py": "1", "README.md": "1"},
              "outs": {"data/validate/bank.jsonl": "1"}},
    )  # fmt: skip
    now = side(
        params={"train": {"beta": 0.3, "epochs": 9}, "embed": {"model": "b"}, "llm": {"model": "x"}, "new": 1},
        lock={"deps": {"src/skillshot/training": "2", "src/skillshot/encoder.py": "1", "README.md": "2"},
              "outs": {"data/validate/bank.jsonl": "2"}},
    )  # fmt: skip
    found = changes(then, now)
    assert found.params == {"train.beta": ("0.1", "0.3"), "embed.model": ("a", "b")}
    assert (found.data, found.code) == (("bank",), ("training",))
    assert found.brief() == "embed.model a → b, beta 0.1 → 0.3, other bank, 1 more"
    assert changes(now, now).brief() == "nothing changed"
    assert source_of({"ingest.source": "file", "ingest.path": "/data/of/me/math bank.jsonl"}) == "math bank"
    assert source_of({"ingest.source": "storyskills", "ingest.path": "None"}) == "storyskills"


def test_a_description_has_figures_changes_and_commands() -> None:
    against = compared("version 1 (champion)", side(params={"k": "<b>`1`</b>"}), side(0.5, params={"k": "[x](y)"}))
    text = run_text(REPORT, against, ["make run"], {"evaluate": "get-artifact?path=p.png&run_uuid=1"})
    lines = text.splitlines()
    assert lines[0] == "hit@k 0.900, NLL 0.600, accuracy 0.500", "a list of versions shows this line as it is"
    assert r"Better by NLL \+0.100" in lines[2]
    assert "| NLL | **0.600** | +0.300 [+0.200, +0.400] better, certain | 40 | +0.100 [+0.100, +0.100] better" in text
    assert "| accuracy | **0.500** | +0.100 [-0.100, +0.300] not certain | 40 | equal |" in text
    assert "| hit@k | **0.900** | - | 300 | +0.000, no interval |" in text
    assert "- `k`: ``<b>`1`</b>`` → `[x](y)`" in text, "no markup of a setting is shown as such"
    assert "    make run" in text and text.endswith("![evaluate](get-artifact?path=p.png&run_uuid=1)")
    assert "40 queries cannot separate skillshot from question by accuracy" in text


def test_what_does_not_fit_is_left_out_whole() -> None:
    assert within(["a" * 10, "b" * 10, "c"], 24) == f"{'a' * 10}\n\n{'b' * 10}"
    assert within([], 10) == ""
    assert len(run_text(REPORT, None, ["x" * 400] * 40, {}, 4900)) <= 4900
