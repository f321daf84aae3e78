"""What the latent of a bank explains: its rationales, its answers, its labels, or nothing but its questions.

The first rule that holds decides, for the bank as a whole:

1. `rationale`: at least half of the rows have a rationale. A row without one gives its answer.
2. `answer`: the answers are procedures or prose. They are procedures where their median length is 4 tokens or more and
   at least half of them look like SQL, code, logical forms, JSON or equations (`is_procedure`). They are prose where
   their median length is 3 words or more.
3. `label`: the answers repeat. There are at least two different ones, at most half as many as rows, and at most a tenth
   of the rows have a plain number, a date or another answer without a letter. A number that repeats is a coincidence.
4. `question`: neither. The texts are those of the questions.

The letter of a choice is its place and says nothing: it stands for the text of its option. Nothing is parsed, and only
the head of an answer is read. There is no list of languages: words are counted by blanks, and in scripts without them
by letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal
from unicodedata import east_asian_width

from skillshot.common.answers import chosen
from skillshot.common.canonical import canonical_answer, steps, strip_letter
from skillshot.common.record import Record
from skillshot.common.text import visible

Source = Literal["rationale", "answer", "label", "question"]

HEAD = 500  # characters of an answer that are read
TOKENS, WORDS = 4, 3  # median lengths from which answers are procedures, or prose
SYMBOLS = 0.2  # share of a procedure's tokens that are brackets or operators; prose has .05
NUMBERS = 0.1  # share of answers without a letter, above which answers are no labels

_TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|[^\W\d_]{2,}(?:-[^\W\d_]{2,})+|\w+|[^\w\s]")  # "well-known" is a word
_BRACKET, _STRONG = frozenset("()[]{}"), frozenset("+*/=<>^|×÷∧∨¬→∀∃")
_OPERATOR = _STRONG | frozenset("&%~:;\\#@$-−·")
_LATEX = re.compile(r"\\[A-Za-z]{1,20}")
_SUM = re.compile(r"=|\S\s[-−+*/×÷]\s\S")  # "8 / 2 - 1", "x=8/2"; not "2020-01-05 3:45"
_QUERY = re.compile(  # one to nine columns, each a word or one with its alias; prose has more words before "from"
    r"(?i)\(?\s*select\s+(?:distinct\s+)?[^\s,]+(?:\s+as)?(?:\s[^\s,]+)?(?:\s*,\s*[^\s,]+(?:\s+as)?(?:\s[^\s,]+)?){0,8}"
    r"\s+from\s+\S"
)
_ADDRESS = re.compile(r"\w+://\S+|\S+@\S+")
_WIDE, _TIGHT = 2, 6  # letters a word in scripts without blanks: of full width, and any others without case


@dataclass(frozen=True)
class BankStructure:
    """Where the structure of a bank comes from, and one text for each record."""

    source: Source
    texts: list[str]


def structure_of(records: Sequence[Record]) -> BankStructure:
    """The source of structure of a bank, by the rules of this module.

    A text is empty only where the record has neither the field of the source, nor an answer, nor a question.
    """
    answers = [_meant(record) for record in records]
    explained = sum(visible(record.rationale) for record in records)
    if records and 2 * explained >= len(records):
        return BankStructure("rationale", _filled([learned(record) for record in records], answers, records))
    given = [answer for answer in answers if visible(answer)]
    if given and (_procedures(given) or median(map(words, given)) >= WORDS):
        return BankStructure("answer", _filled(answers, answers, records))
    if _labels(given, len(records)):
        return BankStructure("label", _filled(answers, answers, records))
    return BankStructure("question", [record.text for record in records])


def text_of(record: Record, source: str) -> str:
    """The text of one more record for a bank with this source of structure."""
    if source == "question":
        return record.text
    own = learned(record) if source == "rationale" else ""
    return _filled([own], [_meant(record)], [record])[0]


def learned(record: Record) -> str:
    """A rationale as features read it: one step a line, no layout; of a choice without the letter that closes it."""
    text = steps(record.rationale)
    return strip_letter(text) if record.answer_type == "choice" else text


def is_procedure(answer: str) -> bool:
    """Whether an answer looks like a procedure: SQL by its keywords, anything else by its brackets and operators.

    A fifth of its tokens are brackets or operators, and its brackets hold letters or operators, or there is an operator
    that prose and dates have not. Dates, times, fractions (LaTeX too), addresses and tuples of numbers are values.
    """
    answer = _LATEX.sub(" ", answer[:HEAD]).strip()
    tokens = _TOKEN.findall(answer)
    if len(tokens) < TOKENS or _ADDRESS.fullmatch(answer):
        return False
    if _QUERY.match(answer):
        return True
    brackets = sum(token in _BRACKET for token in tokens)
    operators = sum(token in _OPERATOR for token in tokens)
    if brackets + operators < max(2, SYMBOLS * len(tokens)):
        return False
    lettered = any(character.isalpha() for character in answer)
    if brackets >= 2 and (lettered or operators):
        return True
    return any(token in _STRONG for token in tokens) if lettered else bool(_SUM.search(answer))


def words(text: str) -> int:
    """Number of words of a text's head; an estimate where a script has no blanks between words."""
    return sum(map(_length, text[:HEAD].split()))


def _length(run: str) -> int:
    """Words of a run without blanks: letters without case may be several."""
    if run.isascii():
        return 1
    caseless = [letter for letter in run if letter.isalpha() and letter.lower() == letter.upper()]
    wide = sum(east_asian_width(letter) in "WF" for letter in caseless)
    return max(1, wide // _WIDE + (len(caseless) - wide) // _TIGHT)


def _procedures(answers: Sequence[str]) -> bool:
    lengths = [len(_TOKEN.findall(answer[:HEAD])) for answer in answers]
    return median(lengths) >= TOKENS and 2 * sum(map(is_procedure, answers)) >= len(answers)


def _labels(answers: Sequence[str], rows: int) -> bool:
    values = sum(not any(character.isalpha() for character in answer[:HEAD]) for answer in answers)
    return 2 <= len(set(answers)) <= rows / 2 and values <= NUMBERS * len(answers)


def _meant(record: Record) -> str:
    """The answer in its canonical spelling; the option where the answer is its letter."""
    if record.answer_type == "choice" and (place := chosen(record)) is not None:
        return record.choices[place]
    return canonical_answer(record.answer, record.answer_type, record.choices)


def _filled(texts: Sequence[str], answers: Sequence[str], records: Sequence[Record]) -> list[str]:
    """The texts; where nothing of one is visible, the answer, or else the question."""
    return [
        next((text for text in (own, answer) if visible(text)), record.text)
        for own, answer, record in zip(texts, answers, records, strict=True)
    ]
