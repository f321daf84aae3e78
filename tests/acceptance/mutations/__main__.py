"""Counts of a long run; exits with 1 where a mutation ends in anything but a BundleError or an answer."""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from acceptance.mutations.handmade import MADE
from acceptance.mutations.judge import ANSWERS, HANG, REFUSED, judged, outcome_kind
from helpers.tiny_bundle import make


def main() -> int:
    """Run all hand-made and some random mutations."""
    parser = argparse.ArgumentParser(prog="python -m acceptance.mutations", description=__doc__)
    parser.add_argument("--random", type=int, default=500, help="random mutations (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="first seed (default %(default)s)")
    parser.add_argument("--bundle", type=Path, help="a bundle in place of the tiny one, which has made-up networks")
    parser.add_argument("--verbose", action="store_true", help="print every outcome")
    args = parser.parse_args()
    counts: dict[str, Counter[str]] = {"hand-made": Counter(), "random": Counter()}
    wrong = 0
    with tempfile.TemporaryDirectory() as work:
        bundle = args.bundle or make(Path(work) / "tiny")
        mutations = [*MADE, *range(args.first, args.first + args.random)]
        for mutation, (what, outcomes) in zip(mutations, judged(bundle, mutations, Path(work) / "work"), strict=True):
            kind = "hand-made" if isinstance(mutation, str) else "random"
            bad = {outcome_kind(outcome) for outcome in outcomes.values()} - {ANSWERS, REFUSED}
            loads = {outcome_kind(outcomes.get(f"{mode}, check=True", HANG)) for mode in ("full", "lite")}
            both = "refused in one mode, answers in the other" if len(loads) > 1 else "".join(loads)
            counts[kind]["+".join(sorted(bad)) or both] += 1
            wrong += bool(bad)
            if bad or args.verbose:
                print(f"{mutation!r}: {what}")
                for way, outcome in outcomes.items():
                    print(f"    {way}: {outcome}")
    for kind, of_kind in counts.items():
        print(f"{sum(of_kind.values())} {kind}: " + ", ".join(f"{n} {what}" for what, n in sorted(of_kind.items())))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
