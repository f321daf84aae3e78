"""Well-known published forms of a row, recognised by its columns.

Each form moves columns into the fields of a record (`bank.shapes`). All other columns are kept as metadata. The order
matters: the first form that fits is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from skillshot.bank.chat import turns_of
from skillshot.bank.columns import OTHER_NAMES
from skillshot.bank.profile import QUERY
from skillshot.bank.shapes import (
    CHATS,
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

WRITTEN = frozenset({"id", "question", "rationale", "answer", "answer_type"})  # by `Record.to_dict`, empty or not
_RIVALS = frozenset(OTHER_NAMES["answer"]) - {"completion", "response", "value", "code", "solution"}


@dataclass(frozen=True)
class Form:
    """A published form: its name, how it is read, and when a row has it.

    Attributes:
        needs: columns that the row must have, by their plain names; one of these groups. fits: what else must hold.
    """

    name: str
    read: Callable[[Sheet], None]
    needs: tuple[frozenset[str], ...]
    fits: Callable[[Sheet], object] = lambda _: True


def _pair(name: str, question: str, answer: str, context: str = "") -> Form:
    """A form of two columns, where no other column may be the answer."""

    def fits(sheet: Sheet) -> bool:
        rivals = _RIVALS & sheet.names.keys() - {question, answer}
        return not rivals and not any(map(sheet.own, ("question", "rationale", "answer")))

    def read(sheet: Sheet) -> None:
        if question in sheet.repeated and sheet.get(context) is not None:  # one instruction for many inputs
            sheet.take("question", context)
            sheet.take("context", question)
        sheet.take("question", question)
        sheet.take("context", context)
        sheet.take("answer", answer)

    return Form(name, read, (frozenset({question, answer}),), fits)


def _worked(sheet: Sheet) -> bool:
    return isinstance(answer := sheet.row.get("answer"), str) and "####" in answer and not sheet.own("rationale")


def _is_text_query(sheet: Sheet) -> bool:
    return not sheet.own("answer") and isinstance(sheet.get("query", "sql"), str)


def _lettered(sheet: Sheet) -> bool:
    letter = str(sheet.get("correct")).strip(" ().")
    return len(letter) == 1 and letter.isalpha() and not sheet.own("answer")


def _is_sql(sheet: Sheet) -> bool:
    if sheet.own("answer"):
        return False
    texts = [sheet.get(name) for name in ("query", "sql")]
    return any(QUERY.match(text) for text in texts if isinstance(text, str)) or any(
        isinstance(text, Mapping) and isinstance(text.get("human_readable"), str) for text in texts
    )


def _scored(sheet: Sheet) -> bool:
    """A score for each option, or a list of right answers."""
    return sheet.has("target_scores") or (isinstance(sheet.get("target"), list) and not sheet.own("answer"))


def _spans(sheet: Sheet) -> bool:
    return isinstance(answers := sheet.get("answers"), Mapping) and "text" in answers


def _solved(sheet: Sheet) -> bool:
    """A problem with its worked solution; a short one without a marked answer is an answer itself."""
    solution = sheet.get("solution")
    return not isinstance(solution, str) or len(solution.split()) > 3 or bool(split_solution(solution)[1])


def _read_log(sheet: Sheet) -> None:
    read_chat(sheet, chat_column(sheet))


def _needs(*groups: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(group.split()) for group in groups)


FORMS = (
    Form("promptfoo", read_promptfoo, _needs("vars"), lambda s: isinstance(s.get("vars"), Mapping)),
    Form("inputs and outputs", read_nested, _needs("inputs"), lambda s: isinstance(s.get("inputs"), Mapping)),
    Form("gsm8k", read_gsm8k, _needs("answer"), _worked),
    Form("tabmwp", read_tabmwp, _needs("question answer solution table choices")),
    Form("strategyqa", read_strategyqa, _needs("question answer facts"), lambda s: not s.own("rationale")),
    Form("aqua_rat", read_aqua, _needs("options rationale correct"), _lettered),
    Form("spider", read_spider, _needs("question query db_id", "question sql db_id"), _is_text_query),
    Form("text-to-sql", read_gretel, _needs("sql_prompt sql")),
    Form("text-to-sql", read_sql, _needs("question query", "question sql"), _is_sql),
    Form("math", read_math, _needs("problem solution"), _solved),
    Form("verl", read_verl, _needs("prompt reward_model"), lambda s: turns_of(s.get("prompt"))),
    Form("chat", _read_log, _needs(*CHATS), chat_column),
    Form("mawps", read_mawps, _needs("s_question l_solutions")),
    Form("svamp", read_story, _needs("body question answer")),
    Form("big-bench", read_bigbench, _needs("input target_scores", "input target"), _scored),
    Form("squad", read_squad, _needs("answers"), _spans),
    Form("cogs", read_cogs, _needs("sentence logical_form", "source target")),
    _pair("big-bench", "input", "target"),
    _pair("flan", "inputs", "targets"),
    _pair("flan", "inputs_pretokenized", "targets_pretokenized"),
    _pair("alpaca", "instruction", "output", "input"),
    _pair("dolly", "instruction", "response"),
    _pair("input and output", "input", "output"),
)


def recognise(sheet: Sheet) -> str:
    """Read a row by the first published form that fits; returns its name, "" where none fits.

    A form whose texts are nested objects is unpacked, and what it held is recognised in turn. A row with all fields
    that `Record.to_dict` writes, empty or not, is one of ours.
    """
    if sheet.row.keys() >= WRITTEN:
        return ""
    for form in _likely(frozenset(sheet.names)):
        if form.fits(sheet):
            form.read(sheet)
            if form.read in (read_promptfoo, read_nested):
                recognise(sheet)
            return form.name
    return ""


@lru_cache(maxsize=128)
def _likely(names: frozenset[str]) -> tuple[Form, ...]:
    """Forms whose columns are there; rows of one file have the same columns."""
    return tuple(form for form in FORMS if any(group <= names for group in form.needs))


def preset_of(row: Mapping[str, Any]) -> str | None:
    """Name of the published form of a row, or None where it uses the field names of a record or unknown ones."""
    return recognise(Sheet(dict(row))) or None


def is_log(row: Any) -> bool:
    """Whether a row is a conversation, whose id may be that of a session."""
    return isinstance(row, dict) and bool(chat_column(Sheet({str(key): value for key, value in row.items()})))
