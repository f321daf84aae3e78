"""Learn the packaged prior: `python -m scripts.learn_prior FOLDER`, with the files that scripts/prior.yaml names.

Takes about a minute. `--without NAME ...` leaves banks out and `--out` writes elsewhere: docs/results/prior.md measures
each data set with a prior that was learned without its domain.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import yaml

from skillshot.bank.load import load_bank
from skillshot.common.record import Record
from skillshot.common.structure import structure_of
from skillshot.features.prior import PACKAGED, Prior, PriorSource
from skillshot.runtime.store import bank_digest
from skillshot.sources.storyskills import generate
from skillshot.training.prior import learn_prior

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src/skillshot/features" / PACKAGED


def main() -> None:
    """Read the banks, learn, and write the view in half precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    settings = yaml.safe_load((ROOT / "scripts/prior.yaml").read_text())
    banks, sources = {}, []
    for name, about in settings["banks"].items():
        if name in args.without:
            continue
        records = read(about.get("file") and args.folder / about["file"], settings["rows"], settings["seed"])
        structure = structure_of(records)
        if structure.source not in ("rationale", "answer"):
            raise SystemExit(f"{name}: shows no reasoning ({structure.source}); leave it out of scripts/prior.yaml")
        banks[name] = [record.text for record in records], structure.texts
        sources.append(PriorSource(name, len(records), about["licence"], about["origin"], bank_digest(records)))
        print(f"{name}: {len(records):,} rows, structure of {structure.source}s", flush=True)
    view = learn_prior(banks, settings["seed"])
    assert view.projection is not None
    half = dataclasses.replace(view, projection=view.projection.astype(np.float16))
    args.out.mkdir(parents=True, exist_ok=True)
    Prior((half,), tuple(sources)).save(args.out)
    print(f"{args.out}: {len(view.keys):,} n-grams, {view.width} features")


def read(file: Path | None, rows: int, seed: int) -> list[Record]:
    """Rows of a file, drawn by the seed; without a file, storyskills."""
    if file is None:
        return generate(rows, seed)
    records = load_bank(file).records
    order = np.random.default_rng(seed).permutation(len(records))[:rows]
    return [records[i] for i in sorted(order)]


if __name__ == "__main__":
    main()
