"""Questions that need several skills, on a bank of single-skill stories: how many of the skills the chosen four show.

    python benchmarks/bench_composites.py models/selector --out composites.json

By the number of skills: the mean share of the needed skills that some demonstration has, and the share of the questions
with each of them, with paired bootstrap intervals of skillshot against the others. Choices are made with another
`--seed` than the default. It takes a CPU minute or two.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402

from skillshot.common.arrays import Doubles  # noqa: E402
from skillshot.common.io import dump_json, write_json  # noqa: E402
from skillshot.common.record import Record  # noqa: E402
from skillshot.common.tables import table  # noqa: E402
from skillshot.evaluation.alignment import paired_interval  # noqa: E402
from skillshot.selectors.choose import choose_rows  # noqa: E402
from skillshot.selectors.pool import Pool  # noqa: E402
from skillshot.sources.storyskills import composites  # noqa: E402

NAMES = ("random", "bm25", "question", "lite", "skillshot")


def covered(pool: Pool, queries: Sequence[Record], rows: Sequence[Any]) -> dict[str, Doubles]:
    """Of each question the share of its skills that the chosen rows have, and whether they have each."""
    have = [record.metadata["skill"] for record in pool.records]
    share = np.array(
        [
            len({have[row] for row in chosen} & set(query.metadata["skills"])) / len(query.metadata["skills"])
            for query, chosen in zip(queries, rows, strict=True)
        ]
    )
    return {"share": share, "all": (share == 1).astype(np.float64)}


def report(found: Mapping[str, Mapping[str, Doubles]], sizes: Sequence[int]) -> dict[str, Any]:
    """Means by the number of skills, and what skillshot has more than the others."""
    out: dict[str, Any] = {}
    for size in sorted(set(sizes)):
        part = np.array(sizes) == size
        out[str(size)] = {
            "queries": int(part.sum()),
            "selectors": {
                name: {metric: float(values[part].mean()) for metric, values in metrics.items()}
                for name, metrics in found.items()
            },
            "pairs": {
                f"skillshot-{name}": {
                    metric: paired_interval(found["skillshot"][metric][part] - values[part], 0)
                    for metric, values in metrics.items()
                }
                for name, metrics in found.items()
                if name != "skillshot"
            },
        }
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", help="of the embedded bank, as `make run` makes it")
    parser.add_argument("-k", type=int, default=4)
    parser.add_argument("--size", type=int, default=900, help="questions, a third each of two, three and four skills")
    parser.add_argument("--seed", type=int, default=1, help="of the questions")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    pool, queries = Pool(args.bundle), composites(args.size, args.seed)
    found = {name: covered(pool, queries, choose_rows(pool, queries, name, args.k)) for name in NAMES}
    result = {"k": args.k, "by_skills": report(found, [len(query.metadata["skills"]) for query in queries])}
    for size, part in result["by_skills"].items():
        print(f"{size} skills, {part['queries']} questions")
        print(
            table(
                [{"selector": name, **values} for name, values in part["selectors"].items()],
                ["selector", "share", "all"],
            )
        )
    if args.out:
        write_json(args.out, result)
    else:
        print(dump_json(result), end="")


if __name__ == "__main__":
    main()
