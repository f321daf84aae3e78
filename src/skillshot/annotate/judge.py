"""Is a written rationale kept? Only where its answer is the gold one, and nothing in it speaks against that."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import NamedTuple

from skillshot.annotate.prompts import PROCEDURES, worked_examples
from skillshot.annotate.query import runs
from skillshot.annotate.recompute import wrong_equation
from skillshot.bank.checks import CHECKS, first_failure
from skillshot.bank.normalise import clean_text
from skillshot.common.errors import InputError
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record
from skillshot.common.text import canonical, reordered
from skillshot.evaluation.checkers import check
from skillshot.llm.engine import Completion
from skillshot.runtime.prompt import ANSWER_CUE

_OF_RATIONALES = {name: CHECKS[name] for name in ("over_long", "mojibake", "answer_not_in_rationale")}
MOST_LINES = 60  # of a rationale; a writer that repeats itself fills hundreds
_CUE = re.compile(r"[*_#]{0,3}\b" + re.escape(ANSWER_CUE) + r"\b[*_]{0,3}\s{0,9}:?", re.IGNORECASE)
# what leads over to the cue: a line of its own ("### Step 3: So "), or the end of a line (", so ")
_LEAD_LINE = re.compile(
    r"\W{0,9}(?:step\s{0,3})?(?:\d{1,2})?\W{0,9}(?:(?:so|thus|hence|therefore|finally|then|and)\W{1,9}){0,2}",
    re.IGNORECASE,
)
_LEAD_TAIL = re.compile(r"[\s,;:*_#-]{0,9}(?:\b(?:so|thus|hence|therefore|then|and)\b[\s,:*_]{0,9})?\Z", re.IGNORECASE)
_LEAD_CHARS = 40
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SENTENCE_END = re.compile(r"[.!?]\s")
_THOUGHT = "</think>"  # what some models think aloud ends with it, and is no part of the answer
_FENCE = re.compile(r"```[\w+-]{0,20}[ \t]*\n?|`")
_NAME = re.compile(r"[^\W\d_]{3,}")
_LETTERS = re.compile(r"[^\W_]")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_ROLE = re.compile(r"(?<!\w)\w+ = (?:\* )?\w+")
_LEAST = 8  # letters and digits in the steps to a procedure, without those that only repeat it
_SQL_WORDS = frozenset({"select", "from", "where", "group", "order", "having", "limit", "and", "join", "not", "count"})


class Judgement(NamedTuple):
    """The rationale of an answer, or why it is rejected."""

    rationale: str = ""
    reason: str = ""

    @property
    def kind(self) -> str:
        """The reason without its details, for counting."""
        return self.reason.partition(": ")[0]


def judge(answer: Completion, record: Record, limits: ValidateParams) -> Judgement:
    """What an answer is worth."""
    if not answer.text.strip():
        return Judgement(reason="blank")
    if len(answer.text) > limits.max_rationale_chars + len(record.answer):
        return Judgement(reason="over-long")
    text = answer.text.replace("\r\n", "\n").rpartition(_THOUGHT)[2]
    if _CONTROL.search(text) or reordered(text) or "\ufffd" in text:
        return Judgement(reason="malformed: characters that are no text")
    cues = list(_CUE.finditer(text))
    if not cues:
        return Judgement(reason="cut" if answer.finish == "length" else "malformed: no answer")
    ends = [*(cue.start() for cue in cues[1:]), len(text)]
    claims = [text[cue.end() : end] for cue, end in zip(cues, ends, strict=True)]
    if answer.finish == "length" and "\n" not in claims[0].strip(" ") and len(claims) == 1:
        return Judgement(reason="cut")
    if answer.finish == "length":
        claims = claims[:1] if len(claims) == 1 else claims[:-1]  # the last one may be cut
    if not any(map(str.strip, claims)):
        return Judgement(reason="malformed: no answer")
    right = [_agrees(claim, record) for claim in claims]
    if not all(right):
        return Judgement(reason="contradicts itself" if any(right) else "another answer")
    rationale = _steps(text[: cues[0].start()])
    reason = _fault(rationale, claims[0], record, limits)
    return Judgement("" if reason else rationale, reason)


def _steps(text: str) -> str:
    """The lines before the answer, without what leads over to it, blank lines and fences."""
    before, _, line = text.rpartition("\n")
    if len(line) <= _LEAD_CHARS and _LEAD_LINE.fullmatch(line):
        text = before
    elif lead := _LEAD_TAIL.search(text, max(0, len(text) - _LEAD_CHARS)):
        text = text[: lead.start()]
    text = clean_text(text)
    lines = (line.rstrip() for line in text.split("\n") if not line.strip().startswith("```"))
    return "\n".join(line for line in lines if line.strip())


def _fault(rationale: str, claim: str, record: Record, limits: ValidateParams) -> str:
    """Why steps are not kept, though their answer is right; "" where they are."""
    lines = rationale.split("\n")
    if len(lines) > MOST_LINES or len(rationale) > limits.max_rationale_chars:
        return "over-long"
    given = (record.question, record.answer, record.context, worked_examples(record.answer_type))
    copied = {canonical(line) for text in given for line in text.split("\n")}
    own = [line for line in lines if canonical(line) not in copied]
    letters = sum(len(_LETTERS.findall(line)) for line in own)
    if not letters or (record.answer_type in PROCEDURES and letters < _LEAST):
        return "no steps"
    if record.answer_type in PROCEDURES and not _names_a_part(own, record.answer):
        return "steps about something else"
    if record.answer_type == "lf" and (part := _foreign_part(rationale, record.answer)):
        return f"a part that the answer does not have: {part}"
    if wrong := wrong_equation(rationale):
        return f"wrong equation: {wrong}"
    if record.answer_type == "sql" and runs(_bare(claim), record) is False:
        return "the query does not run"
    failed = first_failure(dataclasses.replace(record, rationale=rationale), limits, _OF_RATIONALES)
    return f"refused by a check of banks: {failed}" if failed else ""


def _agrees(claim: str, record: Record) -> bool:
    """Whether what stands after the cue is the gold answer, by the checker of its type."""
    if record.answer_type in ("code", "json"):
        return _same_text(_bare(claim), record.answer, record.answer_type)
    if record.answer_type in PROCEDURES:
        claim = _bare(claim)
    elif record.answer_type == "number":
        claim = _SENTENCE_END.split(claim, maxsplit=1)[0]  # "8. No, 3 + 4 = 7." gives 8
    try:
        return check(f"{ANSWER_CUE} {claim}", record).correct
    except InputError:
        return canonical(claim.strip().removesuffix(".")) == canonical(record.answer)


def _same_text(wrote: str, gold: str, kind: str) -> bool:
    """Equal JSON values, or code of equal lines up to blanks inside them."""
    if kind == "json":
        try:
            return bool(json.loads(wrote) == json.loads(gold))
        except (ValueError, RecursionError):
            pass
    return _lines(wrote) == _lines(gold) != []


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.strip().split("\n") if line.strip()]
    return [f"{len(line) - len(line.lstrip())} {' '.join(line.split())}" for line in lines]


def _bare(claim: str) -> str:
    """A repeated procedure without Markdown's fences and a final full stop."""
    fenced = claim.split("```", 2)
    body = _FENCE.sub("", f"```{fenced[1]}") if len(fenced) > 2 else _FENCE.sub("", claim)
    return body.strip().removesuffix(".").strip()


def _foreign_part(rationale: str, answer: str) -> str:
    """A "role = value" of the steps that the logical form does not have; "" where it has all."""
    has = set(_ROLE.findall(" ".join(_TOKEN.findall(answer.casefold()))))
    wrote = _ROLE.findall(" ".join(_TOKEN.findall(rationale.casefold())))
    return next((part for part in wrote if part not in has), "")


def _names_a_part(lines: list[str], answer: str) -> bool:
    """Whether the steps name at least one word of the procedure; true where it has none."""
    parts = {word.casefold() for word in _NAME.findall(answer)} - _SQL_WORDS
    return not parts or not parts.isdisjoint(word.casefold() for line in lines for word in _NAME.findall(line))
