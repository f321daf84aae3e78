"""Well-known published forms of a row, recognised by its columns.

Each form moves columns into the fields of a record (`bank.shapes`). All other columns are kept as metadata. The order
matters: the first form that fits is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skillshot.bank.chat import turns_of
from skillshot.bank.columns import OTHER_NAMES
from skillshot.bank.shapes import (
    chat_column,
    read_aqua,
    read_bigbench,
    read_chat,
    read_cogs,
    read_gretel,
    read_gsm8k,
    read_math,
    read_mawps,
    read_nested,
    read_promptfoo,
    read_spider,
    read_sql,
    read_squad,
    read_story,
    read_strategyqa,
    read_tabmwp,
    read_verl,
)
from skillshot.bank.sheet import Sheet
from skillshot.bank.worked import split_solution

_SQL = re.compile(r"(?i)\s*\(?\s*(?:select|with|insert|update|delete|create)\s")
_RIVALS = frozenset(OTHER_NAMES["answer"]) - {"completion", "response", "value", "code", "solution"}


@dataclass(frozen=True)
class Form:
    """A published form: its name, when a row has it, and how it is read."""

    name: str
    fits: Callable[[Sheet], object]
    read: Callable[[Sheet], None]


def _pair(name: str, question: str, answer: str, context: str = "") -> Form:
    """A form of two columns, where no other column may be the answer."""

    def fits(sheet: Sheet) -> bool:
        rivals = _RIVALS & sheet.names.keys() - {question, answer}
        return sheet.has(question, answer) and not rivals and not any(map(sheet.own, ("question", "rationale", "answer")))

    def read(sheet: Sheet) -> None:
        if question in sheet.repeated and sheet.get(context) is not None:  # one instruction for many inputs
            sheet.take("question", context)
            sheet.take("context", question)
        sheet.take("question", question)
        sheet.take("context", context)
        sheet.take("answer", answer)

    return Form(name, fits, read)


def _worked(sheet: Sheet) -> bool:
    return isinstance(answer := sheet.row.get("answer"), str) and "####" in answer and not sheet.own("rationale")


def _open(sheet: Sheet, *names: str) -> bool:
    """The row has these columns, and no answer of its own."""
    return sheet.has(*names) and not sheet.own("answer")


def _lettered(sheet: Sheet) -> bool:
    letter = str(sheet.get("correct")).strip(" ().") if _open(sheet, "options", "rationale", "correct") else ""
    return len(letter) == 1 and letter.isalpha()


def _is_sql(sheet: Sheet) -> bool:
    if not _open(sheet, "question"):
        return False
    texts = [sheet.get(name) for name in ("query", "sql")]
    return any(_SQL.match(text) for text in texts if isinstance(text, str)) or any(
        isinstance(text, Mapping) and isinstance(text.get("human_readable"), str) for text in texts
    )


def _listed(sheet: Sheet) -> bool:
    return sheet.has("input", "target") and isinstance(sheet.get("target"), list) and not sheet.own("answer")


def _solved(sheet: Sheet) -> bool:
    """A problem with its worked solution; a short one without a marked answer is an answer itself."""
    if not sheet.has("problem", "solution"):
        return False
    solution = sheet.get("solution")
    return not isinstance(solution, str) or len(solution.split()) > 3 or bool(split_solution(solution)[1])


def _read_log(sheet: Sheet) -> None:
    read_chat(sheet, chat_column(sheet))


FORMS = (
    Form("promptfoo", lambda s: isinstance(s.get("vars"), Mapping), read_promptfoo),
    Form("inputs and outputs", lambda s: isinstance(s.get("inputs"), Mapping), read_nested),
    Form("gsm8k", _worked, read_gsm8k),
    Form("tabmwp", lambda s: s.has("question", "answer", "solution", "table", "choices"), read_tabmwp),
    Form("strategyqa", lambda s: s.has("question", "answer", "facts") and not s.own("rationale"), read_strategyqa),
    Form("aqua_rat", _lettered, read_aqua),
    Form("spider", lambda s: _open(s, "question", "db_id") and isinstance(s.get("query", "sql"), str), read_spider),
    Form("text-to-sql", lambda s: s.has("sql_prompt", "sql"), read_gretel),
    Form("text-to-sql", _is_sql, read_sql),
    Form("math", _solved, read_math),
    Form("verl", lambda s: turns_of(s.get("prompt")) and s.has("reward_model"), read_verl),
    Form("chat", chat_column, _read_log),
    Form("mawps", lambda s: s.has("s_question", "l_solutions"), read_mawps),
    Form("svamp", lambda s: s.has("body", "question", "answer"), read_story),
    Form("big-bench", lambda s: s.has("input", "target_scores") or _listed(s), read_bigbench),
    Form("squad", lambda s: isinstance(s.get("answers"), Mapping) and "text" in s.get("answers"), read_squad),
    Form("cogs", lambda s: s.has("sentence", "logical_form") or s.has("source", "target"), read_cogs),
    _pair("big-bench", "input", "target"),
    _pair("flan", "inputs", "targets"),
    _pair("flan", "inputs_pretokenized", "targets_pretokenized"),
    _pair("alpaca", "instruction", "output", "input"),
    _pair("dolly", "instruction", "response"),
    _pair("input and output", "input", "output"),
)


def recognise(sheet: Sheet) -> str:
    """Read a row by the first published form that fits; returns its name, "" where none fits.

    A form whose texts are nested objects is unpacked, and what it held is recognised in turn.
    """
    name = ""
    for form in FORMS:
        if form.fits(sheet):
            form.read(sheet)
            name = name or form.name
            if form.read not in (read_promptfoo, read_nested):
                break
    return name


def preset_of(row: Mapping[str, Any]) -> str | None:
    """Name of the published form of a row, or None where it uses the field names of a record or unknown ones."""
    return recognise(Sheet(dict(row))) or None


def is_log(row: Any) -> bool:
    """Whether a row is a conversation, whose id may be that of a session."""
    return isinstance(row, dict) and bool(chat_column(Sheet({str(key): value for key, value in row.items()})))
