"""Multiple choice as it is published: where a row has its options, and which of them its answer names.

Options are a list, a map from letter to text, a list of labels and texts, two lists, a list as text in a cell, or a
column each. An answer is a letter, a label, the option's text, both ("B. dog"), or the option's place. A place is
counted from 0 or from 1; which of them is settled for the file as a whole (`bank.guess`), never row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from skillshot.bank.columns import filled, plain_name
from skillshot.bank.literals import literal
from skillshot.bank.normalise import clean_text
from skillshot.common.offered import listed
from skillshot.common.text import shown

Base = int | None  # the number of the first option; None: not known
LISTS = (
    "options",
    "choices",
    "alternatives",
    "answer_options",
    "answer_choices",
    "mc_options",
    "candidates",
    "endings",
)
ANSWERS = (  # columns that name the right option, where `answer` does not
    "answer_key", "correct_answer", "correct_option", "correct_choice", "correct", "answer_idx", "answer_index",
    "correct_idx", "correct_index", "correct_answer_idx", "correct_answer_index", "gold_idx", "gold_index", "gold",
    "cop", "label", "target", "key",
)  # fmt: skip
PLACES = re.compile(r"(?:.*_)?(?:idx|index|label)|cop")  # names of columns that usually count from 0
_LABEL_KEYS = ("label", "labels", "key", "letter", "id", "idx", "option_id", "name")
_TEXT_KEYS = ("text", "texts", "content", "value", "option", "choice", "option_text", "answer", "description")
_RIGHT_KEYS = ("is_correct", "correct", "is_answer", "is_right")
_LETTERED = re.compile(r"\(?([A-Za-z])\s*[).:]\s*")
_MARKED = re.compile(
    r"\W{0,3}(?:option|choice|answer)?\W{0,3}([A-Za-z])\s?[).:,\-–—]?\s*(.*)", re.DOTALL | re.IGNORECASE
)
_QUANTITY = re.compile(
    r"[$€£¥₩]?\s?(-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|-?[0-9]{1,15}(?:\.[0-9]{1,15})?)(?![0-9.,:/^])"
)
_WHOLE = re.compile(r"-?[0-9]{1,3}(?:\.0)?")


class ChoiceError(ValueError):
    """Options or an answer that cannot be read; its text is the quarantine reason."""


@dataclass(frozen=True)
class Choices:
    """The options of a row.

    Attributes:
        labels: how the source names each; may be empty. right: place of the option that is marked as right, or None.
    """

    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    right: int | None = None

    @property
    def first(self) -> Base:
        """The number of the first option where numbers are its labels."""
        return int(self.labels[0]) if self.labels[:1] in (("0",), ("1",)) else None


def choices_of(value: Any) -> Choices:
    """The options that a field holds.

    Raises:
        ChoiceError: it holds no options.
    """
    given = value
    if isinstance(value, str):
        value = literal(value)
    if isinstance(value, str) and filled(value):
        value = _listed(value)
    if not filled(value):
        return Choices()
    if isinstance(value, Mapping):
        found = _of_mapping(value)
    elif isinstance(value, list | tuple) and any(isinstance(part, Mapping) for part in value):
        found = _of_mappings(value)
    else:
        found = _of_list(value) if isinstance(value, list | tuple) else None
    if found is None:
        raise ChoiceError(f"options is {type(given).__name__}, not a list of texts: {shown(given, 40)}")
    return found


def is_place(answer: Any) -> bool:
    """Whether an answer may be the place of an option: a whole number, also as text."""
    if isinstance(answer, float):
        return answer.is_integer()
    return not isinstance(answer, bool) and (isinstance(answer, int) or bool(_WHOLE.fullmatch(str(answer).strip())))


def by_text(answer: Any, choices: Choices) -> int | None:
    """Place of the only option with this text, or with this number; case and a final stop do not count."""
    text = _bare(answer)
    found = [place for place, option in enumerate(choices.texts) if _bare(option) == text]
    if not found and (number := _number(text)) is not None:
        found = [place for place, option in enumerate(choices.texts) if _number(_bare(option)) == number]
    return found[0] if len(found) == 1 else None


def by_label(answer: Any, choices: Choices) -> int | None:
    """Place of the option that the source labels so."""
    text = clean_text(str(answer)).strip(" ().:").casefold()
    found = [place for place, label in enumerate(choices.labels) if label.casefold() == text]
    return found[0] if len(found) == 1 else None


def chosen(answer: Any, choices: Choices, base: Base, texts: bool = False) -> Any:
    """The answer as letter or text of an option; the answer as it is where it names no option.

    Args:
        base: of answers that are places; texts: numbers are texts of options, because all of the file's are.

    Raises:
        ChoiceError: a number that may count the options from 0 or from 1, or is no place of an option.
    """
    if not choices.texts or isinstance(answer, list | Mapping):
        return answer
    if not filled(answer):
        return letter(choices.right, choices) if choices.right is not None else answer
    if is_place(answer):
        return _placed(answer, choices, base, texts)
    if isinstance(answer, bool):
        return answer
    if (place := by_text(answer, choices)) is not None:
        same = clean_text(str(answer)).casefold() == choices.texts[place].casefold()
        return answer if same else choices.texts[place]  # as written, where that is the option's text
    labelled = by_label(answer, choices)
    if labelled is not None:
        return letter(labelled, choices)
    match = _MARKED.fullmatch(str(answer)[:10_000].strip())
    if match and match[2].strip():
        place = by_label(match[1], choices) if choices.labels else ord(match[1].upper()) - ord("A")
        if place is not None and place < len(choices.texts) and _bare(match[2]) == _bare(choices.texts[place]):
            return letter(place, choices)
    return answer


def letter(place: int, choices: Choices) -> str:
    """The letter of a place; the option's text after Z."""
    return chr(ord("A") + place) if place < 26 else choices.texts[place]


def _placed(answer: Any, choices: Choices, base: Base, texts: bool) -> Any:
    number, size = int(float(str(answer))), len(choices.texts)
    text = by_text(answer, choices)
    if base is not None:
        if base <= number < base + size:
            return letter(number - base, choices)
        raise ChoiceError(f"answer {number} is no option: {size} of them, counted from {base}")
    labelled = by_label(answer, choices)
    if labelled is not None and choices.first is not None and not texts:
        return letter(labelled, choices)
    if text is not None or not 0 <= number <= size:
        return choices.texts[text] if text is not None else answer
    raise ChoiceError(
        f"index_or_number: answer {number} may count the options from 0 or from 1; "
        "name its column answer_from_0 or answer_from_1"
    )


def _of_mapping(value: Mapping[Any, Any]) -> Choices | None:
    keys = {plain_name(str(key)): key for key in value}
    texts = next(
        (value[keys[key]] for key in (*_TEXT_KEYS, "choices", "options") if _many(value.get(keys.get(key)))), None
    )
    if texts is not None:  # {"label": ["A", "B"], "text": ["frog", "dog"]}
        labels = next((value[keys[key]] for key in _LABEL_KEYS if _many(value.get(keys.get(key)))), ())
        return _made(list(texts), list(labels) if len(labels) == len(texts) else [])
    if all(isinstance(part, bool | int | float) for part in value.values()) and any(
        not _short(str(key)) for key in value
    ):  # {"frog": 0, "dog": 1}
        best = max(value.values())
        right = [place for place, part in enumerate(value.values()) if part == best]
        made = _made(list(value), [])
        return made and Choices(made.texts, (), right[0] if len(right) == 1 else None)
    return _made(list(value.values()), list(value))


def _of_mappings(value: Iterable[Any]) -> Choices | None:
    texts, labels, right = [], [], []
    for place, part in enumerate(value):
        if not isinstance(part, Mapping):
            return None
        keys = {plain_name(str(key)): part[key] for key in part}
        texts.append(next((keys[key] for key in _TEXT_KEYS if _scalar(keys.get(key))), None))
        labels.append(next((keys[key] for key in _LABEL_KEYS if _scalar(keys.get(key))), None))
        if texts[-1] is None and len(part) == 1:  # [{"A": "frog"}, {"B": "dog"}]
            ((labels[-1], texts[-1]),) = part.items()
        if any(keys.get(key) is True or keys.get(key) == 1 for key in _RIGHT_KEYS):
            right.append(place)
    if any(text is None for text in texts):
        return None
    made = _made(texts, labels if all(_scalar(label) for label in labels) else [])
    return made and Choices(made.texts, made.labels, right[0] if len(right) == 1 else None)


def _of_list(value: Iterable[Any]) -> Choices | None:
    return _made(list(value), [])


def _made(texts: list[Any], labels: list[Any]) -> Choices | None:
    if not all(_scalar(text) for text in texts):
        return None
    options = [clean_text(str(text)) for text in texts]
    named = [_LETTERED.match(option) for option in options]
    letters = [match[1].upper() for match in named if match]
    if letters == [chr(ord("A") + i) for i in range(len(options))]:  # "a) 12", "b) 13": the letter is its place
        options = [option[match.end() :] for option, match in zip(options, named, strict=True) if match]
    return Choices(tuple(options), tuple(clean_text(str(label)).strip(" ().:") for label in labels))


def _listed(text: str) -> list[str] | str:
    """Options written one after the other in a text: "a ) 38 , b ) 27", lines, or parts between bars."""
    text = text.strip()
    start, options = listed(text)
    if options and not start:
        return options
    for separator in ("\n", "|", ";"):
        parts = [part.strip() for part in text.split(separator) if part.strip()]
        if len(parts) > 1:
            return parts
    return text


def _many(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _short(key: str) -> bool:
    return len(key.strip(" ().:")) <= 1


def _bare(value: Any) -> str:
    return clean_text(str(value)).rstrip(".").strip().casefold()


def _number(text: str) -> float | None:
    """The number that a text begins with, or None: "96.5 km" is 96.5."""
    match = _QUANTITY.match(text[:60])
    return float(match[1].replace(",", "")) if match else None
