"""Ingested rows, checked one by one and then as a bank: what is refused is told with its file and line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from skillshot.bank import drift
from skillshot.bank.checks import CHECKS, QUERY_CHECKS, Check
from skillshot.bank.corruption import corrupt
from skillshot.bank.data_docs import write_docs
from skillshot.bank.expectations import Outcome, render_pages, run_suite
from skillshot.bank.intake import Placed, Quarantined, Tally, check_placed
from skillshot.common.errors import InputError, SkillshotError
from skillshot.common.io import read_jsonl, replaced_folder
from skillshot.common.params import Params
from skillshot.common.record import ORIGIN, Record, normalise_question, write_records


def validate(params: Params, source: Path, out: Path, state: Path = drift.STATE) -> dict[str, Any]:
    """Check `source`/{bank,queries}.jsonl (of the ingest stage) and replace the folder `out` by what passed.

    The damage that `params.corruption` asks for is done to the accepted bank last, so no check repairs it.

    Args:
        state: file that remembers the last accepted bank; drift from it is printed, never part of an output.

    Returns:
        the stage's report: rows in, accepted and quarantined by reason, the suite, lengths, answer types, damage.

    Raises:
        InputError: too many bad rows, or the bank as a whole fails its suite; names expectation and rows.
    """
    with replaced_folder(out) as work, open(work / "quarantine.jsonl", "w", encoding="utf-8", newline="\n") as refused:
        bank, bank_counts = _passed(source / "bank.jsonl", refused, params, CHECKS)
        # held-out queries come from the bank and are as complete; a query file of its own may lack rationales
        given = params.ingest.queries or params.ingest.queries_split
        queries, query_counts = _passed(source / "queries.jsonl", refused, params, QUERY_CHECKS if given else CHECKS)
        leaks = _leaks(bank, queries)
        if any(leaks.values()) and not given:
            raise InputError(
                f"{source}: {max(leaks.values())} of {len(queries)} held-out queries are in the bank too, or of a "
                "group of it; results would mean nothing\nrun the ingest stage again: it never splits like questions"
            )
        outcome = run_suite(bank, params.validate)
        _refuse(outcome, str(source / "bank.jsonl"))
        profile = drift.profile(bank)
        damaged, hits = corrupt(bank, params.corruption, params.seed)
        write_records(work / "bank.jsonl", damaged)
        write_records(work / "queries.jsonl", queries)
        report = {
            "bank": bank_counts,
            "queries": query_counts,
            "leaks": leaks,
            "suite": {"family": outcome.family, "expectations": outcome.expectations, "failed": len(outcome.failures)},
            "profile": drift.summary(profile),
            "corruption": hits,
        }
        write_docs(work / "docs", render_pages(outcome), report)
    print(_told(report, drift.accept(profile, state), out), file=sys.stderr)
    return report


def read_placed(path: Path) -> Iterator[Placed]:
    """Records of the ingest stage with their origin.

    Raises:
        InputError: the ingest stage has not run.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; run the ingest stage first (dvc repro validate)")
    for row in read_jsonl(path):
        file, _, line = str(row.pop(ORIGIN, f"{path.name}:0")).rpartition(":")
        yield Placed(Record.from_json(row), file, int(line))


def _passed(
    path: Path, refused: IO[str], params: Params, checks: Mapping[str, Check]
) -> tuple[list[Record], dict[str, Any]]:
    tally, rows = Tally(), 0
    records: list[Record] = []
    for placed in read_placed(path):
        rows += 1
        item = check_placed(placed, params.validate, checks)
        tally.add(item)
        if isinstance(item, Quarantined):
            refused.write(json.dumps(item.to_json(), ensure_ascii=True) + "\n")
        else:
            records.append(item.record)
    if rows:
        tally.refuse_if_bad(str(path), params.validate)
    if rows != tally.accepted + tally.refused or tally.accepted != len(records):
        raise SkillshotError(f"validate lost rows of {path}: {rows} in, {tally.accepted} + {tally.refused} out")
    return records, {
        "rows": rows,
        "accepted": tally.accepted,
        "quarantined": tally.refused,
        "reasons": dict(sorted(tally.reasons.items())),
        "marked_incorrect": sum(not record.correct for record in records),
    }


def _leaks(bank: list[Record], queries: list[Record]) -> dict[str, int]:
    """Queries that the bank holds, by normalised question, and those of whose declared group it holds another."""
    asked, groups = [normalise_question(query.question) for query in queries], [query.group for query in queries]
    # sets of the fewer queries, not of the bank: a million rows stay in bounded memory
    known, named = set(asked), set(groups) - {""}
    identical = known & {text for record in bank if (text := normalise_question(record.question)) in known}
    related = {record.group for record in bank if record.group in named}
    return {
        "queries_identical_to_bank": sum(text in identical for text in asked),
        "queries_grouped_with_bank": sum(group in related for group in groups),
    }


def _refuse(outcome: Outcome, path: str) -> None:
    if not outcome.failures:
        return
    first = outcome.failures[0]
    rows = f"; rows {', '.join(first.rows)}" if first.rows else ""
    more = f" (and {len(outcome.failures) - 1} more)" if len(outcome.failures) > 1 else ""
    raise InputError(
        f"{path}: the bank fails suite {outcome.family}: {first.expectation}, got {first.observed}{rows}{more}"
    )


def _told(report: dict[str, Any], shifts: dict[str, float] | None, out: Path) -> str:
    """The report on one screen."""
    lines = [f"{'':10}{'rows':>9}{'accepted':>10}{'quarantined':>13}"]
    for part in ("bank", "queries"):
        counts = report[part]
        lines.append(f"{part:10}{counts['rows']:>9}{counts['accepted']:>10}{counts['quarantined']:>13}")
        lines += [f"{'':12}{reason}: {count}" for reason, count in counts["reasons"].items()]
    suite = report["suite"]
    lines.append(f"suite {suite['family']}: {suite['expectations']} expectations met; {out / 'docs' / 'index.html'}")
    if shifts is None:
        lines.append("drift: no earlier bank to compare with")
    else:
        told = ", ".join(f"{name} {shift:g} ({drift.reading(shift)})" for name, shift in shifts.items())
        lines.append(f"drift from the bank accepted before: {told}")
    if any(count for name, count in report["corruption"].items() if name != "rows"):
        lines.append(f"damaged on purpose: {report['corruption']}")
    return "\n".join(lines)
