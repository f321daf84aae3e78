"""What is stored and shown is what was written: indentation, labels, LaTeX, operators, any script."""

# ruff: noqa: E501

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from skillshot.bank.convert import to_record
from skillshot.bank.load import load_bank
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record, read_records, write_records
from skillshot.runtime.prompt import PromptTemplate, continuation, render

ALL = ValidateParams(answer_in_rationale="never")
PIECES = [
    "def f(xs):", "    t = 0", "        if x % 2 == 0:", "\treturn t", "cout << x >> 3;", "a << 2 >> b", "x <<= 1",
    "key:", "  - item: 1", "    deep: {a: [1, 2]}", "\\begin{align}", "  x &= \\frac{1}{2} \\\\", "$\\sqrt{3}$", "    ",
    "", "<<EOF", "List<Map<String, List<Integer>>> m", "Καλημέρα", "안녕  하세요", "有３个苹果", "कि हिन्दी", "ภาษาไทย น้ำ",
    "café cafe\u0301", "Ω Ω ﬁ", "שלום", "👩‍👩‍👧 ok", "1,000 == 1000", "True / False / Unknown", "| a | b |  ", "a\tb\t",
    "Answer: (B)", "#### 7", "x² ≤ 3·10⁻²", "if (a && b) { c++; }", "SELECT  *\tFROM t;", "'quoted'  \"twice\"",
]  # fmt: skip


def written(seed: int) -> str:
    """A rationale of several kinds of lines, with something to see at both ends."""
    draw = random.Random(seed)
    lines = [draw.choice(PIECES) for _ in range(draw.randint(1, 9))]
    return "\n".join([f"start {seed}", *lines, "end"])


def test_a_thousand_rationales_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Bank file, records, written, read again, prompt."""
    texts = [written(seed) for seed in range(1000)]
    rows = [{"question": f"q {i}?", "rationale": text, "answer": f"a  {i}\n  b"} for i, text in enumerate(texts)]
    (tmp_path / "bank.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    records = load_bank(tmp_path / "bank.jsonl", validate=ALL).records
    write_records(tmp_path / "stored.jsonl", records)
    again = list(read_records(tmp_path / "stored.jsonl"))
    assert again == records and [record.rationale for record in again] == texts
    for record, text in zip(again, texts, strict=True):
        assert text in continuation(record) and record.answer in continuation(record)
        assert continuation(record) == f" {text}\nThe answer is\n{record.answer}"
        assert to_record(record.to_dict()) == record
    shown = render(again[:3], "asked?")
    assert all(line.strip() in shown for text in texts[:3] for line in text.split("\n"))
    assert PromptTemplate("{{ demonstrations[0].rationale }}").render(again, "q") == texts[0]


@pytest.mark.parametrize(
    "answer", ["True", "False", "Unknown", "(B)", "1,234.50", "50 %", "SELECT  1 ;", "a  b", "ＡＢ"]
)
def test_an_answer_keeps_its_spelling(answer: str) -> None:
    assert to_record({"question": "q", "rationale": "r", "answer": f" {answer}\n"}).answer == answer


@pytest.mark.parametrize(("answer", "text"), [(51.0, "51"), (0.5, "0.5"), (7, "7"), (True, "yes"), (1e300, "1e+300")])
def test_a_value_that_is_no_text_is_spelled_plainly(answer: float | bool, text: str) -> None:
    assert to_record({"question": "q", "answer": answer}).answer == text


def test_only_calculator_annotations_are_taken_out() -> None:
    rationale = "48/2 = <<48/2=24>>24 and $<<.5*2=1>>1; cout << a=1 >> b; x <<y=z>> w; 1 << 2 >> 1"
    record = to_record({"question": "q", "rationale": rationale, "answer": "24"})
    assert record.rationale == "48/2 = 24 and $1; cout << a=1 >> b; x <<y=z>> w; 1 << 2 >> 1"
    assert record.metadata == {"equations": ["48/2=24", ".5*2=1"], "op_sequence": ["/", "*"]}


def test_indented_text_begins_on_a_line_of_its_own_and_code_has_no_full_stop() -> None:
    block = Record("i", "q", "    t = 0\n    u = 1", "t;")
    assert continuation(block) == "\n    t = 0\n    u = 1\nThe answer is t;"
    assert continuation(Record("i", "q", "", '{"a": 1}')) == ' The answer is {"a": 1}'


@pytest.mark.parametrize("rationale", ["SELECT a FROM b", "SELECT a\nFROM b;", " SELECT  a FROM b. "])
def test_an_answer_that_is_its_own_rationale_is_written_once(rationale: str) -> None:
    record = Record("i", "q", rationale, "SELECT a FROM b", answer_type="sql")
    assert continuation(record) == " The answer is SELECT a FROM b."
