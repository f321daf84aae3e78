"""Every text rule takes time in proportion to its text, whatever the text is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.growth import assert_linear, least_seconds, soon
from skillshot.bank import (
    checks,
    choices,
    columns,
    convert,
    data_docs,
    dedup,
    delimited,
    formats,
    headers,
    json_array,
    json_text,
    normalise,
    option_columns,
    profile,
    prompt_text,
    shapes,
    spreadsheet,
    worked,
    yaml_text,
)
from skillshot.bank.load import load_bank
from skillshot.common import (
    answers,
    arithmetic,
    canonical,
    equations,
    numerals,
    offered,
    procedures,
    recompute,
    stated,
    structure,
)
from skillshot.common import text as texts
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record, normalise_question
from skillshot.evaluation import checkers, sql
from skillshot.features import scripts, steps, tokens
from skillshot.runtime import attribution, prompt

ATTACK = Path(__file__).resolve().parents[3] / "shared" / "cases" / "attack"


def _query(answer: str) -> bool:
    return checkers.check(answer, Record("i", "q", answer="7", answer_type="number")).correct


def _found(pattern: re.Pattern[Any], text: Any) -> int:
    return sum(1 for _ in pattern.finditer(text))


RULES: dict[str, Callable[[str], Any]] = {
    "canonical": texts.canonical,
    "normalise_question": normalise_question,
    "clean_text": normalise.clean_text,
    "split_marks": normalise.split_marks,
    "split_hash_answer": normalise.split_hash_answer,
    "stored_rationale": normalise.stored_rationale,
    "steps": canonical.steps,
    "strip_letter": canonical.strip_letter,
    "operations": normalise.operations,
    "canonical number": lambda text: canonical.canonical_answer(text, "number"),
    "canonical choice": lambda text: canonical.canonical_answer(text, "choice", ["a", "b"]),
    "canonical sql": lambda text: canonical.canonical_answer(text, "sql"),
    "canonical lf": lambda text: canonical.canonical_answer(text, "lf"),
    "values": equations.values,
    "evaluate": arithmetic.evaluate,
    "recomputes": recompute.recomputes,
    "stated_answer": stated.stated_answer,
    "contradicts": lambda text: stated.contradicts(Record("i", "q", f"The answer is {text}", text[:9])),
    "looks_like_sql": procedures.looks_like_sql,
    "looks_like_code": procedures.looks_like_code,
    "same_json": lambda text: procedures.same_json(text, text + "1"),
    "same_code": lambda text: procedures.same_code(text, text + "1"),
    "answer not in equations": lambda text: checks.answer_not_in_rationale(
        Record("i", "q", text, "-7", answer_type="number"), ValidateParams()
    ),
    "infer_answer_type": lambda text: normalise.infer_answer_type(text, ["a"]),
    "boxed": worked.boxed,
    "split_solution": worked.split_solution,
    "numbers_in": checks.numbers_in,
    "quantity": checks._QUANTITY.fullmatch,
    "tokens of other scripts": lambda text: tokens.tokenise(f"数{text}は{text}"),
    "option quantity": choices._QUANTITY.fullmatch,
    "option letter": choices._LETTERED.match,
    "option in text": lambda text: sum(1 for _ in offered._LETTER.finditer(text)),
    "options of a question": lambda text: offered.offered(f"{text}\nA. {text}\nB. {text}"),
    "marked option": choices._MARKED.fullmatch,
    "column hump": lambda text: columns._HUMP.sub(" ", columns._SEPARATORS.sub(" ", text)),
    "column of an option": option_columns._COLUMN.fullmatch,
    "query column": lambda text: profile.QUERY.match(text),
    "number column": profile._NUMBER.fullmatch,
    "counted": lambda text: shapes._COUNTED.fullmatch(text),
    "mojibake": checks._garbled,
    "answer_not_in_rationale": lambda text: checks.answer_not_in_rationale(
        Record("i", "q", text, text, answer_type="choice_text"), ValidateParams()
    ),
    "options": lambda text: convert._options([text, text]),
    "mask": dedup.mask,
    "delimiter": lambda text: delimited.delimiter_of(text, ","),
    "sep": delimited._SEP.fullmatch,
    "escapes": lambda text: (delimited._ESCAPED.sub("", text), _found(delimited._LONE, text)),
    "header": lambda text: headers.is_header([text, text], [["a", text]]),
    "json line": lambda text: (json_text._STRING.sub("", text), json_text.looks_like_json(text)),
    "json array": lambda text: _found(json_array._TOKEN, text),
    "blocks": lambda text: (prompt_text.is_prompt(text), prompt_text._RULE.fullmatch(text)),
    "sheet": lambda text: (_found(spreadsheet._ROW, text.encode()), _found(spreadsheet._DOCTYPE, text.encode())),
    "yaml": lambda text: (yaml_text._INTEGER.match(text), yaml_text._FLOAT.match(text), yaml_text._NULL.match(text)),
    "offline": data_docs.offline,
    "procedure": structure.is_procedure,
    "words": structure.words,
    "tokenise": tokens.tokenise,
    "operators": tokens.operators,
    "split": lambda text: (steps.split(text), steps.split("select " + text)),
    "grams of a step": lambda text: steps.grams(text, frozenset({"a"})),
    "checker": _query,
    "number": numerals.number,
    "letter": lambda text: answers.letter(text, ["a", "b"]),
    "truth": answers.truth,
    "logical_form": answers.logical_form,
    "normal": answers.normal,
    "schema": sql._schema.__wrapped__,
    "sql words": answers.sql_words,
    "checker of code": lambda text: checkers.check(text, Record("i", "q", answer="f(1)", answer_type="code")),
    "attribution.cut": attribution.cut,
    "prompt": lambda text: prompt.render([Record("i", text, text, text)], text, text, [text]),
}
UNITS = [  # repeated, as they are and as the middle of a text that nearly fits
    " ", "\n", "\t\n", ".", "a", "1", "1 ", "1,", "1,111", "1.", "1/", "1+", "1+1=", "(", ")", "((1", "=", "-", "- ",
    "$", "$ ", "so ", "hence, ", "the answer ", "answer is ", "answer:", "(A)", "(A) ", "answer (A)", "final ",
    "#### ", "####\n", "\n####", "<", ">", "<<", ">>", "<<1", "1>>", "<<1>>", "<a>", "'", "''", "'a", '"', "a'", "[",
    "]", '["', "{", "}", "\\frac{1}{2}", "\\boxed{", "\\text", "*", "`", "é", "e\u0301", "\u0301\u0316", "\u0344",
    "\u200b", "\u3164", "Ã©", "漢", "각", "а", "аa", "ﬁ", "question:\n", "\nAnswer:", "\nQuestion: ", "\r", "\u2028",
    "table (", "t (a)", "t\n(", "not ", "select ", "<link ", "<script", "<img ", "url('https://", "<footer",
    '<a href="https://', 'href="../expectations/', '<div class="card mb-3">', "% ", "percent ", "10^", "×10^{1", "e1",
    "_", "/", "a/", "a-", "111 ", "no ", "yes no ", ":", ": ", "!",
]  # fmt: skip
WORST = [
    " ",
    "\n",
    "\r",
    "1",
    "1+",
    "111 ",
    "(",
    "so ",
    "(A)",
    "<<1",
    "#### ",
    '<a href="https://',
    "\u0301\u0316",
    "'",
]
AROUND = [("", ""), ("so the answer is ", "x\ny"), ("1", "!")]


@pytest.mark.parametrize("name", RULES)
def test_no_rule_takes_long_for_a_text_of_legal_length(name: str) -> None:
    """Each of these units took one of the rules seconds to hours; the slowest sound rule takes .12 s."""
    for unit in WORST:
        for before, after in AROUND:
            assert least_seconds(RULES[name], before + unit * (16_000 // len(unit)) + after) < 5, (unit, before)


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_a_text_four_times_as_long_takes_four_times_as_long(name: str) -> None:
    for unit in UNITS:
        for before, after in AROUND:

            def make(size: int, unit: str = unit, before: str = before, after: str = after) -> str:
                return before + unit * (size // len(unit)) + after

            assert_linear(RULES[name], make)


@pytest.mark.parametrize("file", ["redos_letter6.jsonl", "redos_marks_nest.jsonl"])
def test_the_attacks_bank_is_read_at_once(file: str) -> None:
    if not (ATTACK / file).is_file():
        pytest.skip("needs ../shared/cases/attack")
    with soon():
        loaded = load_bank(ATTACK / file)
    assert [row.kind for row in loaded.quarantined] == ["over_long"] and len(loaded.records) == 30


def test_nested_marks_leave_nothing_behind() -> None:
    text, marks = normalise.split_marks("a" + "<<1+1=2" * 3000 + ">>" * 3000 + "b<<3=3>>")
    assert text == "ab" and len(marks) == 3001
    assert normalise.split_marks("<<1=1>>x<<2=2>>") == ("x", ["1=1", "2=2"])
    assert normalise.split_marks("<<<1=1>>> 2 < 3 << 4\n>>") == ("<> 2 < 3 << 4\n>>", ["1=1"])


def test_a_number_of_thousands_of_digits_in_groups_is_no_traceback() -> None:
    assert checks.numbers_in("1" + " 111" * 2000 + " and 7") == {1, 7, 111}


def test_lengths_come_before_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of an over-long field is normalised."""
    read: list[int] = []
    clean = convert.clean_text
    monkeypatch.setattr(convert, "clean_text", lambda text: (read.append(len(text)), clean(text))[1])
    monkeypatch.setattr(convert, "stored_rationale", lambda text: read.append(len(text)))
    limits = ValidateParams(max_question_chars=100, max_rationale_chars=200)
    for row in (
        {"question": "q" * 101, "rationale": "r", "answer": "1"},
        {"question": "q", "rationale": "r" * 201, "answer": "1"},
        {"question": "q", "context": "c" * 100, "rationale": "r", "answer": "1"},
        {"question": "q", "options": ["o" * 50, "p" * 50], "rationale": "r", "answer": "A"},
        {"problem": "q", "solution": "r r r " + "r" * 195, "answer": "1"},
        {"question": "q", "rationale": ["r" * 101, "r" * 100], "answer": "1"},
    ):
        with pytest.raises(
            convert.RowError, match=r"over_long: \w+ of 1\d\d|over_long: rationale of 201 char.*max_rat"
        ):
            convert.to_record(row, None, limits)
    assert max(read, default=0) == 0


def test_every_module_that_reads_texts_by_patterns_is_listed() -> None:
    """A module that gets its first pattern belongs into the rules above, or into this list with a reason."""
    elsewhere = """
        bank/drift.py: one class
        bank/intake.py: reasons of our own
        evaluation/pages.py: one class, backticks
        evaluation/summary.py: names of selectors
        features/bm25.py: one class
        features/knowledge.py: one class
        selectors/registry.py: names of selectors
        training/suspicion.py: classes of signs that exclude each other
    """
    source = Path(texts.__file__).parents[1]
    found = {
        path.relative_to(source).as_posix()
        for package in ("bank", "features", "evaluation", "selectors", "training", "integrations")
        for path in (source / package).rglob("*.py")
        if re.search(r"\bre\.(compile|sub|match|search|fullmatch|findall|finditer|split)\(", path.read_text())
    }
    modules = (
        checks, choices, columns, convert, data_docs, dedup, delimited, formats, headers, json_array, json_text,
        normalise, option_columns, profile, prompt_text, shapes, spreadsheet, worked, yaml_text, structure, scripts,
        steps, tokens, checkers, sql,
    )  # fmt: skip
    ruled = {Path(module.__file__ or "").relative_to(source).as_posix() for module in modules}
    assert not {name for name in found - ruled if f" {name}:" not in elsewhere}
