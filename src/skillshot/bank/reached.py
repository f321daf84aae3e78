"""A bank is judged as a whole: rows that fail a check are quarantined, unless the check does not fit the bank.

Whether a rationale reaches its answer is a rule about how rationales are written. Where it hits more than a tenth of a
bank the rule is at fault, and quarantine would leave a skewed rest: the rows are accepted, and it is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from skillshot.bank.checks import CHECKS, DOUBTFUL, Check, rule_fits
from skillshot.bank.intake import Placed, Quarantined, check_placed
from skillshot.common.params import ValidateParams
from skillshot.common.text import shown

logger = logging.getLogger("skillshot")
EXAMPLES = 3  # rows that the warning shows


def judged(
    items: Iterable[Placed | Quarantined],
    limits: ValidateParams,
    checks: Mapping[str, Check] = CHECKS,
    name: str = "the bank",
) -> list[Placed | Quarantined]:
    """The rows of a bank in their order, each accepted or quarantined.

    Args:
        name: of the bank, for the warning.
    """
    rows: list[Placed | Quarantined] = []
    doubtful: dict[int, Placed] = {}
    for item in items:
        checked = check_placed(item, limits, checks)
        if isinstance(item, Placed) and isinstance(checked, Quarantined) and checked.reason == DOUBTFUL:
            doubtful[len(rows)] = item
        rows.append(checked)
    others = sum(isinstance(row, Placed) for row in rows)
    if doubtful and not rule_fits(len(doubtful), len(doubtful) + others, limits):
        for place, item in doubtful.items():
            rows[place] = item
        _warn(list(doubtful.values()), len(doubtful) + others, name)
    return rows


def _warn(doubtful: list[Placed], rows: int, name: str) -> None:
    examples = "; ".join(
        f"line {item.line}: {shown(item.record.answer, 30)} after {shown(item.record.rationale[-50:], 60)}"
        for item in doubtful[:EXAMPLES]
    )
    logger.warning(
        "%s: the rationale of %s of %s rows does not reach its answer; they are accepted, "
        "validate.answer_in_rationale=always quarantines them\n%s",
        name, f"{len(doubtful):,}", f"{rows:,}", examples,
    )  # fmt: skip
