"""Validate ingested rows, first one by one, then as a bank; a quarantined row is listed with its file and line."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from skillshot.bank import drift
from skillshot.bank.checks import CHECKS, QUERY_CHECKS, Check, warn_of_size
from skillshot.bank.corruption import corrupt
from skillshot.bank.data_docs import write_docs
from skillshot.bank.expectations import Failure, Outcome, render_pages, run_suite
from skillshot.bank.intake import Placed, Quarantined, Tally, warn_of_reordered
from skillshot.bank.reached import judged
from skillshot.common.errors import InputError, SkillshotError
from skillshot.common.io import read_jsonl, replaced_folder
from skillshot.common.params import Params
from skillshot.common.record import ORIGIN, Record, normalise_question, write_records

logger = logging.getLogger("skillshot")


def validate(params: Params, source: Path, out: Path, state: Path = drift.STATE) -> dict[str, Any]:
    """Check `source`/{bank,queries}.jsonl (of the ingest stage) and replace the folder `out` by the rows that passed.

    `params.corruption` is applied to the accepted bank last, so that no check removes what it did.

    Args:
        state: file with the profile of the last accepted bank; drift from it is printed and is in no output.

    Returns:
        the stage's report: rows read, accepted and quarantined by reason, the suite, lengths, answer types, corruption.

    Raises:
        InputError: the bank is empty, too many rows are invalid, held-out queries are in the bank, or the bank fails
            its suite; names the expectation and the rows. A small or dull bank is accepted with a warning.
    """
    with replaced_folder(out) as work, open(work / "quarantine.jsonl", "w", encoding="utf-8", newline="\n") as refused:
        bank, bank_counts = _passed(source / "bank.jsonl", refused, params, CHECKS)
        # held-out queries come from the bank and are as complete; a given query file may lack answers
        given = params.ingest.queries or params.ingest.queries_split
        queries, query_counts = _passed(source / "queries.jsonl", refused, params, QUERY_CHECKS if given else CHECKS)
        leaks = _leaks(bank, queries)
        if any(leaks.values()) and not given:
            raise InputError(
                f"{source}: {max(leaks.values())} of {len(queries)} held-out queries are also in the bank, or in the "
                "group of a bank row; results would be invalid\n"
                "run the ingest stage again: it never splits a near-duplicate group"
            )
        warn_of_size(len(bank), params.validate, str(source / "bank.jsonl"))
        outcome = run_suite(bank, params.validate)
        _judge(outcome, str(source / "bank.jsonl"))
        profile = drift.profile(bank)
        corrupted, changed = corrupt(bank, params.corruption, params.seed)
        write_records(work / "bank.jsonl", corrupted)
        write_records(work / "queries.jsonl", queries)
        report = {
            "bank": bank_counts,
            "queries": query_counts,
            "leaks": leaks,
            "suite": {"family": outcome.family, "expectations": outcome.expectations, "failed": len(outcome.failures)},
            "profile": drift.summary(profile),
            "corruption": changed,
        }
        write_docs(work / "docs", render_pages(outcome), report)
    print(_summary(report, drift.accept(profile, state), out), file=sys.stderr)
    return report


def read_placed(path: Path) -> Iterator[Placed]:
    """Records of the ingest stage with the file and line they came from.

    Raises:
        InputError: the ingest stage has not run.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; run the ingest stage first (dvc repro validate)")
    for row in read_jsonl(path):
        file, _, line = str(row.pop(ORIGIN, f"{path.name}:0")).rpartition(":")
        yield Placed(Record.from_dict(row), file, int(line))


def _passed(
    path: Path, refused: IO[str], params: Params, checks: Mapping[str, Check]
) -> tuple[list[Record], dict[str, Any]]:
    tally, rows = Tally(), 0
    records: list[Record] = []
    for item in judged(read_placed(path), params.validate, checks, str(path)):
        rows += 1
        tally.add(item)
        if isinstance(item, Quarantined):
            refused.write(json.dumps(item.to_dict(), ensure_ascii=True) + "\n")
        else:
            records.append(item.record)
    if rows:
        tally.refuse_if_bad(str(path), params.validate)
    if rows != tally.accepted + tally.refused or tally.accepted != len(records):
        raise SkillshotError(f"validate lost rows of {path}: {rows} in, {tally.accepted} + {tally.refused} out")
    counts = {
        "rows": rows,
        "accepted": tally.accepted,
        "quarantined": tally.refused,
        "reasons": dict(sorted(tally.reasons.items())),
        "marked_incorrect": sum(not record.correct for record in records),
    }
    if reordered := warn_of_reordered(records, str(path)):
        counts["bidirectional_controls"] = reordered
    if missing := sum(not record.rationale for record in records):
        counts["without_rationale"] = missing
    return records, counts


def _leaks(bank: list[Record], queries: list[Record]) -> dict[str, int]:
    """Number of queries whose normalised question is in the bank, and of those whose declared group is."""
    questions, groups = [normalise_question(query.question) for query in queries], [query.group for query in queries]
    # sets of the queries, which are fewer, not of the bank: memory stays bounded with a million rows
    known, named = set(questions), set(groups) - {""}
    identical = known & {text for record in bank if (text := normalise_question(record.question)) in known}
    related = {record.group for record in bank if record.group in named}
    return {
        "queries_identical_to_bank": sum(text in identical for text in questions),
        "queries_grouped_with_bank": sum(group in related for group in groups),
    }


def _judge(outcome: Outcome, path: str) -> None:
    """Refuse a bank with faults; log what is dull about it."""
    faults = [failure for failure in outcome.failures if not failure.warning]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InputError(f"{path}: the bank fails suite {outcome.family}: {_described(faults[0])}{more}")
    for failure in outcome.failures:
        logger.warning("%s: little variety, accepted: %s", path, _described(failure))


def _described(failure: Failure) -> str:
    rows = f"; rows {', '.join(failure.rows)}" if failure.rows else ""
    return f"{failure.expectation}, got {failure.observed}{rows}"


def _summary(report: dict[str, Any], shifts: dict[str, float] | None, out: Path) -> str:
    """The report as a few lines for the terminal."""
    lines = [f"{'':10}{'rows':>9}{'accepted':>10}{'quarantined':>13}"]
    for part in ("bank", "queries"):
        counts = report[part]
        lines.append(f"{part:10}{counts['rows']:>9}{counts['accepted']:>10}{counts['quarantined']:>13}")
        lines += [f"{'':12}{reason}: {count}" for reason, count in counts["reasons"].items()]
        if reordered := counts.get("bidirectional_controls"):
            lines.append(f"{'':12}accepted with bidirectional controls: {reordered}")
        if missing := counts.get("without_rationale"):
            lines.append(f"{'':12}accepted without a rationale: {missing}")
    suite = report["suite"]
    failed = f", {suite['failed']} not" if suite["failed"] else ""
    met = f"{suite['expectations'] - suite['failed']} expectations met{failed}"
    lines.append(f"suite {suite['family']}: {met}; {out / 'docs' / 'index.html'}")
    if shifts is None:
        lines.append("drift: no earlier bank to compare with")
    else:
        listed = ", ".join(f"{name} {shift:g} ({drift.reading(shift)})" for name, shift in shifts.items())
        lines.append(f"drift from the last accepted bank: {listed}")
    if any(count for name, count in report["corruption"].items() if name != "rows"):
        changes = ", ".join(f"{name} {count}" for name, count in report["corruption"].items())
        lines.append(f"corruption (params.yaml): {changes}")
    return "\n".join(lines)
