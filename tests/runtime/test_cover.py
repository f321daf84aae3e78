"""Steps of an explanation are what the vectors hold, sum to their part of the score, and are shown safely."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from skillshot import Selector
from skillshot.common.errors import BundleError
from skillshot.features.steps import StepNames
from skillshot.runtime.cover import NONE, UNNAMED, Held, Step
from skillshot.runtime.explain import BASE, Contribution, Explanation, Reason
from skillshot.runtime.layout import STEPS
from skillshot.runtime.opening import open_bundle
from skillshot.runtime.types import Demonstration

QUESTION = "A train covers 60 miles in 3 hours. How many miles does it cover in one hour?"
NAMES = StepNames(
    ((0, 1), (0, 2), (1, 1), (2, 1)), ("add … to …", "take …", "<b>divide</b>"), (0.5, 0.1, 0.3, 1.0), 2.0
)


@pytest.fixture(scope="module", params=["full", "lite"])
def counted(request: pytest.FixtureRequest, bundle: Path) -> Selector:
    """A bundle of which the last columns of the structure are read as counts of steps."""
    opened = Selector.load(bundle, mode=request.param)._bundle
    manifest = {**opened.manifest, "files": {**opened.manifest["files"], STEPS: {"bytes": 0, "sha256": ""}}}
    return Selector(replace(opened, manifest=manifest, steps=NAMES))


def test_counts_are_those_of_the_vectors_and_values_those_of_the_score(counted: Selector) -> None:
    why, opened = counted.explain(QUESTION), counted._bundle
    end, place = opened.scoring.widths[0], {counted.record(row).id: row for row in range(len(counted))}
    (query,) = opened.policy([QUESTION])
    chance = np.clip(np.array(NAMES.rates) + 2 * query[end - 4 : end] / (2 * opened.scoring.shares[0]), 0, 1)
    expected = [chance[0] + chance[1], chance[2], chance[3]]
    assert [step.expected for step in why.steps] == pytest.approx([expected[step.kind] for step in why.steps])
    assert [step.expected for step in why.steps] == sorted((step.expected for step in why.steps), reverse=True)
    for reason in why.reasons:
        row = opened.vectors[place[reason.demonstration.id]][end - 4 : end].astype(np.float64)
        counts = [int(row[0] >= 0) + int(row[1] >= 0), int(row[2] >= 0), int(row[3] >= 0)]
        for step, held in zip(why.steps, reason.steps, strict=True):
            assert (held.kind, held.count) == (step.kind, counts[step.kind])
            assert held.covers + held.beyond == held.count and held.covers == min(held.count, step.count)
        assert sum(held.value for held in reason.steps) == pytest.approx(row @ query[end - 4 : end], abs=1e-6)
    assert {step.kind for step in why.steps} == {0, 1, 2}


def test_the_text_and_the_document_name_each_step_once(counted: Selector) -> None:
    why = counted.explain(QUESTION)
    text, found = str(why), json.loads(json.dumps(why.to_dict()))
    assert text.count("by steps: covers ") == len(why.reasons) and "Steps:" not in text
    for place, step in enumerate(why.steps):
        seen = step.count or any(reason.steps[place].count for reason in why.reasons)
        assert (f"   [{place + 1}] {step.expected:.1f}  {step.name}" in text) == bool(seen)
    assert found["steps_note"] == "" and [step["name"] for step in found["steps"]] == [s.name for s in why.steps]
    assert all(len(reason["steps"]) == len(found["steps"]) for reason in found["reasons"])


def test_a_bundle_without_steps_says_why(bundle: Path) -> None:
    selector = Selector.load(bundle, "lite")
    if STEPS in selector.facts["files"]:
        pytest.skip("the given bundle counts steps")
    why = selector.explain(QUESTION)
    assert why.steps == () and why.steps_note == NONE and all(reason.steps == () for reason in why.reasons)
    assert f"Steps: {NONE}." in str(why) and NONE in why.to_html() and "<caption" not in why.to_html()


def test_a_bundle_whose_steps_have_no_names_says_so(counted: Selector) -> None:
    why = Selector(replace(counted._bundle, steps=None)).explain(QUESTION)
    assert why.steps_note == UNNAMED and UNNAMED in str(why) and UNNAMED in why.to_html()


def test_a_map_is_a_table_that_reads_without_colours() -> None:
    bad = "<script>alert(1)</script>\x1b[2J\"'&{{ 7*7 }}"
    steps = Step(3, bad, 1.8, 2), Step(0, "add", 0.9, 1), Step(1, "take", 0.2, 0), Step(2, "no one has it", 0.1, 0)
    held = Held(3, 3, 2, 1, 0.1), Held(0, 0, 0, 0, -0.05), Held(1, 2, 0, 2, 0.01), Held(2, 0, 0, 0, 0.02)
    reason = Reason(
        Demonstration(bad, bad, bad, bad, 0.5, 0.5),
        (Contribution("word", 0.6, 0), Contribution(BASE, -0.1)),
        {"structure": 0.5, "latent": 0.0, "sentence": 0.0, "words": 0.0},
        steps=held,
    )
    why = Explanation("q", (reason,), 0.5, steps=steps)
    page = why.to_html()
    table = page[page.index('<table class="steps">') : page.index("</table>")]
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>.*?</td>", table)]
    assert cells == ["1.8", "2 +1", "0.9", "0", "0.2", "0 +2", "", "+0.080"]
    assert "no one has it" not in page + str(why) and why.to_dict()["steps"][3]["name"] == "no one has it"
    assert table.count("<th scope") == 3 + 3 + 1 and "<caption" in table and 'class="missing"' in table
    assert "<script" not in page and "49" not in table and "http" not in page.replace("http-equiv", "")
    assert "\x1b" not in str(why) and "covers [1] x2; beyond [1], [3] x2; they add +0.080" in str(why)


def test_names_are_read_with_the_bundle_and_must_fit_the_structure(bundle: Path, tmp_path: Path) -> None:
    """A file of names that the manifest lists is checked like any other."""
    selector = Selector.load(bundle, "lite")
    assert (selector._bundle.steps is None) == (STEPS not in selector.facts["files"])
    assert open_bundle(selector.options).steps == selector._bundle.steps
    path = tmp_path / "steps.json"
    about = {"words": [], "grams": [], "columns": [[0, 1]]}
    path.write_text(json.dumps(about))
    assert StepNames.load(tmp_path) is None, "written before the kinds had names"
    for wrong in (
        {"rates": [0.5]},
        {"names": ["x"], "rates": []},
        {"names": [], "rates": [0.5]},
        {"names": 3},
        {"names": ["x"], "rates": [0.5], "columns": [[0]]},
    ):
        path.write_text(json.dumps(about | wrong))
        if "names" in wrong:
            with pytest.raises(BundleError, match="steps"):
                StepNames.load(tmp_path)
