"""Which column of a file holds which field, where its names are not ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

OTHER_NAMES = {  # how published data sets call our fields, most specific first
    "question": ("problem", "prompt", "input", "query", "instruction", "utterance", "sentence", "source", "text"),
    "rationale": (
        "solution", "explanation", "reasoning", "chain_of_thought", "cot", "thought", "steps", "completion", "response",
    ),
    "answer": ("final_answer", "target", "result", "label", "output", "gold", "expected_answer", "completion"),
}  # fmt: skip
PLACEHOLDER = "COLUMN"


def suggest(missing: str, columns: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """A map to try: field -> column of the file, `PLACEHOLDER` where the missing field's column cannot be guessed.

    Args:
        missing: the field that rows lack; columns: of the file; given: the map in use, whose sound part is kept.
    """
    names = list(columns)
    found = {field: column for field, column in given.items() if not column or column.split(".")[0] in names}
    if found.get(missing):
        del found[missing]  # it is mapped and still empty
    for field, others in OTHER_NAMES.items():
        if field in found or (field in names and field != missing):
            continue
        free = {name.casefold(): name for name in names if name not in found.values() and name not in OTHER_NAMES}
        guess = next((free[other] for other in others if other in free), None)
        if guess or field == missing:
            found[field] = guess or PLACEHOLDER
    return {field: found[field] for field in sorted(found, key=lambda field: [*OTHER_NAMES, field].index(field))}
