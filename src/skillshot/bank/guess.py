"""How the rows of a file are understood where they show it only together: guesses from names and content.

A guess is never silent: `bank.intake` logs it with the line that confirms it. Where two columns are equally likely,
none is taken, and the rows are refused with a line to complete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from skillshot.bank.choices import PLACES, ChoiceError, Choices, by_label, by_text, is_place
from skillshot.bank.columns import FIELDS, INDEXES, OTHER_NAMES, confirming, filled, named, plain_name
from skillshot.bank.profile import Profile, profiles
from skillshot.bank.understand import LABELS, PLAIN, Reading, Understood, fields_of
from skillshot.bank.worked import asked_and_answered, split_solution
from skillshot.common.text import visible

MOST = 200  # rows of a file that are looked at
FIELDS_GUESSED = ("question", "answer", "rationale", "context")
ENOUGH = 0.5  # share of rows that must agree
_SURELY_WHY = frozenset(OTHER_NAMES["rationale"]) - {"completion", "response", "generation", "exp"}
_LONG = 2.0  # times as many words: a rationale next to its answer


@dataclass(frozen=True)
class Guess:
    """A reading of a file, and what it takes for granted.

    Attributes:
        notes: what a reader should know, a line each. doubts: fields with equally likely columns, as such maps.
        unsettled: column of answers that are numbers of options, counted from an unknown first.
    """

    reading: Reading = PLAIN
    notes: tuple[str, ...] = ()
    doubts: tuple[Mapping[str, str], ...] = ()
    unsettled: str = ""


def guess(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    answered: bool,
    most: int = 8000,
    fields: Collection[str] = FIELDS_GUESSED,
) -> Guess:
    """How to read the rows of a file.

    Args:
        rows: its first rows. columns: the caller's map, whose fields are not guessed. answered: rows must have an
            answer. most: characters of a question with its context. fields: that may be guessed.
    """
    reading = Reading(answered=answered)
    plain = [row for row in map(_plain, rows) if row]
    reading = replace(reading, repeated=_repeated(plain))
    found = _read(plain, columns, reading)
    if not found:
        return Guess(reading)
    chosen, doubts = _columns(found, columns, most, answered, fields)
    notes: list[str] = []
    if both := chosen.pop("both", ""):
        reading = replace(reading, both=both)
        notes.append(f"column {both} is read as question and answer")
    if chosen:
        reading = replace(reading, columns=chosen)
        notes.append(f"columns are guessed; to confirm or change them: {confirming({**columns, **chosen})}")
    found = _read(plain, columns, reading)
    if _worked(found):
        reading = replace(reading, worked=True)
        notes.append("answers are worked solutions: the text before the final answer is read as the rationale")
        found = _read(plain, columns, reading)
    reading, note, unsettled = _places(found, columns, reading)
    return Guess(reading, (*notes, *([note] if note else [])), doubts, unsettled)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return named(row)
    except ValueError:
        return {}


def _read(rows: Iterable[dict[str, Any]], columns: Mapping[str, str], reading: Reading) -> list[Understood]:
    found = []
    for row in rows:
        try:
            found.append(fields_of(row, columns, reading))
        except ChoiceError:
            continue
    return found


def _repeated(rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Columns with at most half as many different values as rows, by their plain names."""
    if len(rows) < 4:
        return frozenset()
    values: dict[str, list[str]] = {}
    for row in rows:
        for name, value in row.items():
            if isinstance(value, str) and value:
                values.setdefault(plain_name(name), []).append(value)
    return frozenset(name for name, texts in values.items() if 2 * len(set(texts)) <= len(texts) >= len(rows) / 2)


def _columns(
    found: Sequence[Understood], columns: Mapping[str, str], most: int, answered: bool, fields: Collection[str]
) -> tuple[dict[str, str], tuple[Mapping[str, str], ...]]:
    """Guessed columns, and equally likely ones."""
    given = {("answer" if name in INDEXES else name) for name in columns}
    rows = [one.row for one in found]
    missing = {
        name for name in fields if name not in given and sum(filled(row.get(name)) for row in rows) < ENOUGH * len(rows)
    }
    used = {*columns, *columns.values()}
    free = {name: one for name, one in profiles(rows).items() if name not in used and name not in FIELDS}
    if "question" in missing:
        pairs = [name for name, one in free.items() if one.text >= 0.8 and _pairs(rows, name)]
        if len(pairs) == 1 and "answer" in missing:
            return {"both": pairs[0]}, ()
    chosen: dict[str, str] = {}
    doubts: list[Mapping[str, str]] = []

    def settle(field: str, candidates: list[str]) -> None:
        if len(candidates) == 1:
            chosen[field] = candidates[0]
            free.pop(candidates[0])
        elif candidates:
            doubts.append({field: " or ".join(candidates[:4])})

    if "question" in missing:
        settle("question", _questions(free))
        if "question" not in chosen:
            return {}, tuple(doubts)
    if "answer" in missing:
        settle("answer", _answers(free, "rationale" in missing, answered))
    if "rationale" in missing and "answer" not in missing - chosen.keys():
        settle("rationale", _rationales(free, rows, chosen))
    if "context" in missing:
        _context(free, rows, chosen, most)
    return chosen, tuple(doubts)


def _questions(free: Mapping[str, Profile]) -> list[str]:
    named_so = _by_name("question", free)
    usable = [name for name in named_so if free[name].text >= 0.8 and not free[name].code]
    fresh = [name for name in usable if not free[name].repeats]
    if usable:
        return (fresh or usable)[:1]
    texts = [name for name, one in free.items() if one.text >= 0.8 and one.words >= 2 and not one.dull and not one.code]
    asking = [name for name in texts if free[name].asks >= 0.3]
    return asking or [name for name in texts if not free[name].repeats]


def _answers(free: Mapping[str, Profile], why: bool, answered: bool) -> list[str]:
    """Columns that may hold the answer; a single one is it. What queries have without that name may be their label."""
    named_so = [name for name in _by_name("answer", free) if _fits_answer(plain_name(name), free[name])]
    if not answered:
        return [name for name in named_so if plain_name(name) not in LABELS][:1]
    if named_so:
        return [*(name for name in named_so if plain_name(name) not in LABELS), *named_so][:1]
    rest = {name: one for name, one in free.items() if not one.dull and plain_name(name) not in _SURELY_WHY}
    queries = [name for name, one in rest.items() if one.sql >= ENOUGH]
    if queries:
        return queries
    numbers = [name for name, one in rest.items() if one.number >= 0.9 and not one.repeats] or [
        name for name, one in rest.items() if one.number >= 0.9
    ]
    procedures = [name for name, one in rest.items() if one.code and not one.number]
    if procedures and not numbers:
        return procedures
    if numbers:
        return numbers
    texts = [name for name, one in rest.items() if one.text >= 0.8 and not one.repeats]
    if len(texts) == 2 and why:
        short, long = sorted(texts, key=lambda name: rest[name].words)
        if rest[long].words >= _LONG * max(rest[short].words, 1) and rest[short].words <= 12:
            return [short]
    return texts or [name for name, one in rest.items() if one.text >= 0.8 or one.truth >= 0.9]


def _fits_answer(name: str, one: Profile) -> bool:
    if one.constant or one.lists >= ENOUGH or one.objects >= ENOUGH:
        return False
    if name in {"query", "sql", "program", "code", "canonical_solution"}:
        return one.code or one.sql >= ENOUGH
    if name == "solution":
        return one.words <= 3
    return not (name in LABELS and one.rises)


def _rationales(free: Mapping[str, Profile], rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, str]) -> list[str]:
    """Columns that may hold the rationale; next to own questions and answers only a name that means nothing else."""
    names = [
        name
        for name in _by_name("rationale", free)
        if (free[name].text >= 0.8 or free[name].lists >= 0.8) and not free[name].constant
    ]
    sure = [name for name in names if plain_name(name) in _SURELY_WHY or "answer" in chosen]
    if sure:
        return sure[:1]
    if "answer" not in chosen:
        return []
    rest = [name for name, one in free.items() if one.text >= 0.8 and not one.dull and not one.repeats]
    reaching = [name for name in rest if _reaches(rows, name, chosen["answer"]) >= ENOUGH]
    sums = [name for name in rest if free[name].code]
    return reaching or sums if len(reaching or sums) == 1 else []


def _context(free: Mapping[str, Profile], rows: Sequence[Mapping[str, Any]], chosen: dict[str, str], most: int) -> None:
    """A passage that a question is about, where it fits; or a task that many questions share."""
    names = [name for name in _by_name("context", free) if free[name].text >= 0.8 and not free[name].constant]
    if "question" in chosen:
        asked = OTHER_NAMES["question"]
        names += [name for name in _by_name("question", free) if free[name].repeats and plain_name(name) in asked[:6]]
    for name in names[:1]:
        long = sum(len(str(row.get(name) or "")) > 0.8 * most for row in rows)
        if long <= 0.1 * len(rows):
            chosen["context"] = name


def _by_name(field: str, free: Mapping[str, Profile]) -> list[str]:
    """Columns that are known by one of the field's other names, most specific first."""
    names = {plain_name(name): name for name in free}
    return [names[other] for other in OTHER_NAMES[field] if other in names]


def _pairs(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    texts = [str(row.get(column) or "") for row in rows]
    return sum(bool(asked_and_answered(text[:20_000])[0]) for text in texts) >= 0.8 * len(texts)


def _reaches(rows: Sequence[Mapping[str, Any]], column: str, answer: str) -> float:
    hits = [str(row.get(answer) or "").strip().casefold() in str(row.get(column) or "").casefold() for row in rows]
    return sum(hits) / len(hits)


def _worked(found: Sequence[Understood]) -> bool:
    """Whether there are no rationales, and most answers are texts that end in the answer."""
    rows = [one.row for one in found]
    if any(filled(row.get("rationale")) for row in rows):
        return False
    texts = [str(row["answer"]) for row in rows if isinstance(row.get("answer"), str)]
    ends = [(text, split_solution(text)) for text in texts]
    inside = [len(text) - len(final) >= 25 for text, (_, final) in ends if visible(final)]
    return bool(texts) and sum(inside) >= ENOUGH * len(rows)


def _places(found: Sequence[Understood], columns: Mapping[str, str], reading: Reading) -> tuple[Reading, str, str]:
    """Whether answers that are numbers are places of options, and from what they count."""
    declared = next((name for name in columns if name in INDEXES), "")
    asked = [
        (one.row["answer"], one.choices, str(one.row.get("rationale") or ""))
        for one in found
        if one.choices.texts and filled(one.row.get("answer")) and is_place(one.row["answer"])
    ]
    if declared or not asked or any(isinstance(answer, list) for answer, _, _ in asked):
        return reading, "", ""
    column = next(one.sources.get("answer", "answer") for one in found if one.choices.texts)
    numbers = [(int(float(str(answer))), len(choices.texts)) for answer, choices, _ in asked]
    zero, top = any(n == 0 for n, _ in numbers), any(n == size for n, size in numbers)
    if (
        all(choices.first is not None and by_label(answer, choices) is not None for answer, choices, _ in asked)
        and not zero
    ):
        return reading, "", ""  # the options are numbered, and answers are these numbers
    if all(by_text(answer, choices) is not None for answer, choices, _ in asked):
        return replace(reading, texts=True), "", ""
    if sum(not 0 <= n <= size for n, size in numbers) > 0.1 * len(numbers):
        return reading, "", ""  # numbers that have nothing to do with places
    base, why = _base(zero, top, column, asked)
    if base is None:
        return reading, "", column
    confirm = confirming({**columns, f"answer_from_{base}": column})
    note = f"answers are places of options, counted from {base} ({why}); to confirm: {confirm}"
    return replace(reading, base=base), note, ""


def _base(zero: bool, top: bool, column: str, asked: Sequence[tuple[Any, Choices, str]]) -> tuple[int | None, str]:
    if zero != top:
        return (0, "a 0 occurs") if zero else (1, "the number of the last option occurs")
    if zero and top:
        return None, ""
    if PLACES.fullmatch(plain_name(column)):
        return 0, f"column {column} usually does"
    votes = [0, 0]
    for answer, choices, rationale in asked:
        text = rationale.casefold()
        for base in (0, 1):
            place = int(float(str(answer))) - base
            if 0 <= place < len(choices.texts) and (option := choices.texts[place].casefold()):
                votes[base] += option in text
    for base in (0, 1):
        if votes[base] >= 0.5 * len(asked) and votes[base] >= 4 * votes[1 - base]:
            return base, "rationales name the option"
    return None, ""
