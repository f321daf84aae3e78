"""Bank-level suites, run by Great Expectations; no other module imports it.

There is one suite per answer family in `suites/*.json`. A suite runs on a frame with the accepted rows and one
`failed_*` column per row check. It states, independently of the code that filters, that no accepted row fails a check.
Expectations about the variety of a bank have `warning` in their `meta`: no bank is refused for being small or dull.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from skillshot.bank.checks import CHECKS, DOUBTFUL, numbers_in, rule_fits
from skillshot.common.canonical import canonical_answer
from skillshot.common.params import ValidateParams
from skillshot.common.record import Record

if TYPE_CHECKING:
    import pandas as pd

FAMILIES = {
    "numbers": ("number",),
    "choices": ("choice", "choice_text"),
    "programs": ("sql", "lf", "code", "json"),
    "statements": ("bool", "text"),
}


@dataclass(frozen=True)
class Failure:
    """One expectation that a bank does not meet."""

    expectation: str
    observed: str
    rows: tuple[str, ...]  # ids of the first failing rows, where the expectation is about rows
    warning: bool = False  # the bank is small or dull, and accepted all the same


@dataclass(frozen=True)
class Outcome:
    """A suite's result; `result` and `suite` are Great Expectations' own objects, from which the pages are rendered."""

    family: str
    expectations: int
    failures: tuple[Failure, ...]
    result: Any
    suite: Any


def family_of(records: Iterable[Record]) -> str:
    """The suite that fits most of the records' answer types."""
    family = {answer_type: name for name, types in FAMILIES.items() for answer_type in types}
    counts = Counter(family.get(record.answer_type, "statements") for record in records)
    return max(FAMILIES, key=lambda name: counts[name])


def frame(records: Sequence[Record], limits: ValidateParams) -> pd.DataFrame:
    """Accepted rows with the computed columns that the suites refer to."""
    import pandas as pd

    columns: dict[str, list[Any]] = {
        "id": [r.id for r in records],
        "question": [r.question for r in records],
        "question_and_context": [r.text for r in records],
        "rationale": [r.rationale or None for r in records],  # the suites leave out what is None
        "answer": [canonical_answer(r.answer, r.answer_type, r.options) for r in records],
        "answer_type": [r.answer_type for r in records],
        "answer_words": [len(r.answer.split()) for r in records],
        "options": [len(r.options) for r in records],
        "rationale_steps": [r.rationale.count("\n") + bool(r.rationale) for r in records],
        "rationale_numbers": [len(numbers_in(r.rationale)) if r.rationale else None for r in records],
    }
    for name, check in CHECKS.items():
        columns[f"failed_{name}"] = [int(check(r, limits)) for r in records]
    doubtful = columns[f"failed_{DOUBTFUL}"]
    if not rule_fits(sum(doubtful), len(doubtful), limits):  # then `bank.reached` accepts these rows
        columns[f"failed_{DOUBTFUL}"] = [0] * len(doubtful)
    return pd.DataFrame(columns)


def run_suite(records: Sequence[Record], limits: ValidateParams) -> Outcome:
    """Check a bank as a whole.

    Returns:
        the outcome, whose failures are in the suite's order and empty where the bank is accepted.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        family = family_of(records)
        loaded = load_suite(family)
        if not any(record.rationale for record in records):
            loaded["expectations"] = [item for item in loaded["expectations"] if not _of_rationales(item)]
        suite = context.suites.add(gx.ExpectationSuite(**loaded))
        source = context.data_sources.add_pandas("bank")
        batch = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
        definition = gx.ValidationDefinition(name="bank", data=batch, suite=suite)
        result = definition.run(
            batch_parameters={"dataframe": frame(records, limits)},
            expectation_parameters={
                "max_rationale_chars": limits.max_rationale_chars,
            },
            result_format={
                "result_format": "SUMMARY",
                "unexpected_index_column_names": ["id"],
                "partial_unexpected_count": 5,
            },
        )
    order = {item["type"] + json.dumps(item["kwargs"].get("column")): i for i, item in enumerate(suite_items(family))}
    failed = [item for item in result.results if not item.success]
    failed.sort(key=lambda item: order.get(_key(item), 0))
    return Outcome(family, len(result.results), tuple(map(_failure, failed)), result, suite)


def render_pages(outcome: Outcome) -> dict[str, str]:
    """Great Expectations' Data Docs pages as title -> HTML, without the time of the run."""
    from great_expectations.render.renderer import ExpectationSuitePageRenderer, ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    for item in outcome.result.results:
        item.result = _plain(item.result)
    outcome.result.meta = {"great_expectations_version": outcome.result.meta["great_expectations_version"]}
    view = DefaultJinjaPageView()
    return {
        "Validation result": view.render(ValidationResultsPageRenderer().render(outcome.result)),
        "Expectation suite": view.render(ExpectationSuitePageRenderer().render(outcome.suite)),
    }


def _plain(value: Any) -> Any:
    """`value` with numpy scalars as Python numbers, because the renderer rejects numpy scalars."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") and callable(value.item) else value


def load_suite(family: str) -> dict[str, Any]:
    """A suite as in its JSON file."""
    text = resources.files("skillshot.bank").joinpath("suites", f"{family}.json").read_text(encoding="utf-8")
    suite: dict[str, Any] = json.loads(text)
    return suite


def suite_items(family: str) -> list[dict[str, Any]]:
    """The expectations of a suite, in order."""
    items: list[dict[str, Any]] = load_suite(family)["expectations"]
    return items


def _of_rationales(item: dict[str, Any]) -> bool:
    return item["type"] != "expect_column_to_exist" and str(item["kwargs"].get("column")).startswith("rationale")


def _key(item: Any) -> str:
    config = item.expectation_config
    return str(config.type) + json.dumps(config.kwargs.get("column"))


def _cause(info: Any) -> str:
    """The first exception message in Great Expectations' nested `exception_info`."""
    if not isinstance(info, dict):
        return ""
    message = info.get("exception_message")
    return str(message) if message else next(filter(None, map(_cause, info.values())), "")


def _failure(item: Any) -> Failure:
    config = item.expectation_config
    column = config.kwargs.get("column")
    name = config.type.removeprefix("expect_") + (f" [{column}]" if column else "")
    found = item.result or {}
    failing = [str(row.get("id")) for row in (found.get("partial_unexpected_index_list") or [])[:5]]
    # a missing column gives an empty result; its cause is only in exception_info
    observed = found.get("observed_value", found.get("unexpected_count"))
    if observed is None:
        observed = _cause(item.exception_info) or "nothing"
    return Failure(name, str(observed), tuple(failing), bool((config.meta or {}).get("warning")))
