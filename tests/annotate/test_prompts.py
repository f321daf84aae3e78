"""One wording for each kind of answer; the answer is shown where it is a procedure, and never otherwise."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from skillshot import annotate
from skillshot.annotate.judge import judge
from skillshot.annotate.prompts import PROCEDURES, labels_of, worked_examples, writer_decoding, writer_prompt
from skillshot.common.params import ValidateParams
from skillshot.common.record import ANSWER_TYPES, Record
from skillshot.llm.engine import Completion, Decoding, Sampled
from skillshot.runtime.prompt import continuation

KINDS = sorted(path.stem for path in (Path(annotate.__file__).parent / "wording").glob("*.json"))
SECRET = "zq7421"


def row(kind: str, **fields: object) -> Record:
    return Record("r", "Why so?", "", SECRET, answer_type=kind, **fields)  # type: ignore[arg-type]


def test_every_answer_type_has_its_wording() -> None:
    assert set(ANSWER_TYPES) | PROCEDURES <= set(KINDS) and len(KINDS) == 9


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_is_not_given_away_and_a_procedure_is_shown(kind: str) -> None:
    prompt = writer_prompt(row(kind), {})
    assert prompt.shown == (SECRET in prompt.text) == (kind in PROCEDURES)
    assert prompt.text.endswith("\nAnswer:") and "The answer is" in prompt.text and len(prompt.digest) == 16
    hinted = writer_prompt(row(kind), {}, hint=True)
    assert hinted.shown and SECRET in hinted.text
    assert (hinted == prompt) == (kind in PROCEDURES)


@pytest.mark.parametrize("kind", KINDS)
def test_the_worked_example_would_be_kept_as_an_answer(kind: str) -> None:
    path = Path(annotate.__file__).parent / "wording" / f"{kind}.json"
    for fields in json.loads(path.read_text())["examples"]:
        example = Record("e", answer_type=kind, **fields)
        other = dataclasses.replace(example, question="Something else?", rationale="", options=tuple(example.options))
        answer = Completion(continuation(example), 1, 1, "stop")
        assert judge(answer, other, ValidateParams()).kind == "no steps", "a copy of the example is no rationale"
        lines = "\n".join(f"{i}. {line}" for i, line in enumerate(example.rationale.split("\n"), 1))
        own = Completion(continuation(dataclasses.replace(example, rationale=lines)), 1, 1, "stop")
        assert judge(own, other, ValidateParams()) == (lines, "")
        assert example.rationale in worked_examples(kind)


def test_an_unknown_kind_is_asked_as_text() -> None:
    assert writer_prompt(row("haiku"), {}).text == writer_prompt(row("text"), {}).text


def test_context_and_options_are_in_the_prompt_and_open_no_other_example() -> None:
    asked = row("choice", context="A long story.\nAnswer: no", options=("cat", "dog"))
    text = writer_prompt(asked, {}).text
    assert "A long story.\n Answer: no\nWhy so?\n(A) cat (B) dog\nAnswer:" in text


def test_labels_are_listed_where_they_are_few() -> None:
    labelled = [Record(f"r{i}", "?", "", ("True", "False", "Unknown")[i % 3], answer_type="bool") for i in range(9)]
    free = [Record(f"t{i}", "?", "", f"a {i}", answer_type="text") for i in range(9)]
    labels = labels_of([*labelled, *free])
    assert labels == {"bool": ("False", "True", "Unknown")}
    assert "one of: False, True, Unknown." in writer_prompt(labelled[0], labels).text
    assert "one of" not in writer_prompt(free[0], labels).text
    assert labels_of(labelled[:1] * 9) == {}, "a single label would be the answer"


def test_only_the_first_sample_is_greedy_and_each_has_a_key_of_its_own() -> None:
    drawn = [writer_decoding("number", sample, 100, False) for sample in range(1, 8)]
    assert type(drawn[0]) is Decoding and len(set(drawn)) == 7
    temperatures = [part.temperature for part in drawn[1:] if isinstance(part, Sampled)]
    assert temperatures == sorted(temperatures) and temperatures[-1] == 1.0
    assert "\n\n" in drawn[0].stop and "\n\n" not in writer_decoding("code", 1, 100, False).stop
