"""Ablation: each part of `skillshot` removed in turn, and the published faults of `lars` added: reports/ablation.json.

    python benchmarks/ablation.py tabmwp cogs gsm8k spider [--size 2000] [--seed 7]

It uses the final slices, one seed and banks of at most --size. The score is the mean label agreement of the k = 4
chosen, as in bench_skills.py; labels are used only for scoring. It takes about 6 CPU minutes per data set, without the
embedding.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402
from bench_skills import REPORTS, Floats, Texts, best  # noqa: E402
from skill_slices import DATA, FILES, PARTS, Slice, slices  # noqa: E402

from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.params import TrainParams  # noqa: E402
from skillshot.common.structure import learned  # noqa: E402
from skillshot.features.channels import QUESTION, RATIONALE, Channel  # noqa: E402
from skillshot.model.arrays import Widths  # noqa: E402
from skillshot.runtime.scoring import BLOCKS  # noqa: E402

WORDS = (Channel("words", 3),)
CASES: dict[str, dict[str, object]] = {
    "skillshot": {},
    "question: words alone, no skeletons": {"reads": QUESTION[:1] + QUESTION[-1:]},
    "question: single words, no order": {"reads": tuple(dataclasses.replace(c, longest=1) for c in QUESTION)},
    "rationale: words alone, no skeleton": {"explains": WORDS + RATIONALE[-1:]},
    "rationale: skeleton alone, no words": {"explains": RATIONALE[:1] + RATIONALE[-1:]},
    "rationale: no equations": {"explains": RATIONALE[:-1]},
    "words of the procedure masked like others": {"without": ("procedure",)},
    "components not weighted by predictability": {"without": ("weights",)},
    "structure without steps": {"without": ("steps",)},
    "decoder reads the question": {"conditional": True},
}
PLAIN = TrainParams().changed(min_gap=-1.0, dropout=0.0)  # an ablation may collapse: that is what it shows
FAULTS: dict[str, tuple[TrainParams, dict[str, bool]]] = {
    "lars": (PLAIN, {}),
    "lars, published noise": (PLAIN, {"published_noise": True}),
    "lars, not standardised": (PLAIN, {"standardised": False}),
    "lars, beta 1": (PLAIN.changed(beta=1.0), {}),
    "lars as published": (PLAIN.changed(beta=1.0), {"published_noise": True, "standardised": False}),
}


def variants(part: Slice, embed: Texts, seed: int) -> Iterator[tuple[str, Floats]]:
    """Variant name and score of each query, (q,), for every variant."""
    from skillshot.model.combined import LitePolicy, SkillPolicy, SkillPosterior
    from skillshot.model.fitted import run
    from skillshot.model.nets import PolicyHead, PosteriorHead
    from skillshot.training.cvae import fit_cvae
    from skillshot.training.skillshot import fit_skillshot

    q, r = embed([x.text for x in part.bank]), embed([learned(x) for x in part.bank])
    asked = embed([x.text for x in part.queries])
    texts = [x.text for x in part.bank], [learned(x) for x in part.bank]
    for name, changes in CASES.items():
        fitted = fit_skillshot(*texts, q, TrainParams().changed(min_gap=-1.0), seed, **changes)  # type: ignore[arg-type]
        words = fitted.question_view.transform([x.text for x in part.queries])
        rows = run(SkillPosterior(fitted.model).eval(), q, fitted.question_lexical, fitted.rationale_lexical)
        chosen = run(SkillPolicy(fitted.model).eval(), asked, words)
        yield name, best(chosen @ rows.T, part)
        if not changes:
            yield from _without_blocks(fitted.model.widths, chosen, rows, part)
            lite = run(LitePolicy(fitted.model).eval(), words)
            yield "no sentence embedding (lite)", best(lite @ rows.T, part)
    for name, (settings, switches) in FAULTS.items():
        model = fit_cvae([q], [r], settings, seed, "lars", conditional=True, **switches).model
        posterior = PosteriorHead(model.question, model.rationale, model.posterior).eval()
        policy = PolicyHead(model.question, model.policy).eval()
        yield name, best(run(policy, asked) @ run(posterior, q, r).T, part)


def _without_blocks(widths: Widths, chosen: Floats, rows: Floats, part: Slice) -> Iterator[tuple[str, Floats]]:
    """Each block of the score removed in turn; the shares of the others stay in proportion."""
    start = 0
    for block, width in zip(BLOCKS, dataclasses.astuple(widths), strict=False):
        place = slice(start, start := start + width)
        left = chosen.copy()
        left[:, place] = 0
        yield f"no {block} in the score", best(left @ rows.T, part)


def main() -> None:
    """Run the data sets one after the other; the report is written after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", choices=list(FILES))
    parser.add_argument("--part", choices=PARTS, default="final")
    parser.add_argument("--size", type=int, default=2000, help="of the bank at most")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=Path(".cache/skillshot/skills"))
    parser.add_argument("--report", type=Path, default=REPORTS / "ablation.json")
    args = parser.parse_args()
    for name in args.sets:
        embed, found = Texts(args.work / f"{name}.npz"), dict[str, list[Floats]]()
        for part in slices(name, args.part, args.size, args.data):
            for variant, values in variants(part, embed, args.seed):
                found.setdefault(variant, []).append(values)
                print(f"{name} {variant}: {values.mean():.3f}", file=sys.stderr)
        table = {variant: round(float(np.concatenate(lists).mean()), 4) for variant, lists in found.items()}
        whole = json.loads(args.report.read_text(encoding="utf-8")) if args.report.exists() else {}
        write_json(args.report, whole | {name: {"part": args.part, "seed": args.seed, "alignment": table}})


if __name__ == "__main__":
    main()
