"""Each ingredient removed in turn, and the published faults of `lars` put back one by one; minutes per 1,000 examples.

    python benchmarks/ablation.py BANK QUERIES --label FIELD [--k 4] [--seed 7] [--out reports/ablation.json]

The label only scores: share of the k chosen demonstrations with the query's label, or multiset Jaccard of lists.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from skillshot.environment import configure

configure()

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from skillshot.bank.record import Record, normalise_question  # noqa: E402

Floats = npt.NDArray[np.float32]


def alike(one: object, other: object) -> float:
    """1 for equal labels; for lists the Jaccard index of the multisets."""
    if not isinstance(one, list) or not isinstance(other, list):
        return float(one == other)
    a, b = Counter(one), Counter(other)
    return sum((a & b).values()) / max(1, sum((a | b).values()))


def alignment(query: Floats, bank: Floats, truth: Floats, allowed: npt.NDArray[np.bool_], k: int) -> float:
    """Mean truth (q, n) of the k best-scored allowed bank items."""
    best = np.argsort(-np.where(allowed, query @ bank.T, -np.inf), axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(truth, best, 1).mean())


def variants(
    bank: Sequence[Record], queries: Sequence[Record], embedded: dict[str, Floats], seed: int
) -> Iterator[tuple[str, Floats, Floats]]:
    """Name, query vectors and bank vectors of every variant."""
    from skillshot.features.channels import QUESTION, RATIONALE, Channel
    from skillshot.model.combined import LitePolicy, SkillPolicy, SkillPosterior
    from skillshot.model.cvae import fit_cvae
    from skillshot.model.fitted import run
    from skillshot.model.nets import PolicyHead, PosteriorHead
    from skillshot.model.skill import fit_skillshot
    from skillshot.params import Train

    settings = dataclasses.replace(Train(), min_gap=-1.0)  # an ablation may collapse: that is what it shows
    q, r, asked = embedded["question"], embedded["rationale"], embedded["asked"]
    texts = [record.text for record in bank], [record.rationale for record in bank]
    yield "question cosine", asked, q

    def ours(**changes: object) -> Iterator[tuple[str, Floats, Floats]]:
        parts = fit_skillshot(*texts, q, r, settings, seed, **changes)  # type: ignore[arg-type]
        lexical = parts.question_view.transform([record.text for record in queries])
        policy = run(SkillPolicy(parts.model).eval(), asked, lexical)
        vectors = run(SkillPosterior(parts.model).eval(), q, parts.question_lexical, r, parts.rationale_lexical)
        yield "", policy, vectors
        t = parts.model.target
        if not changes:
            yield "without the CVAE (structure head alone)", policy[:, :t], vectors[:, :t]
            if float(parts.model.share) < 1:
                yield "without the structure head (CVAE alone)", policy[:, t:], vectors[:, t:]
            yield "without the sentence embedding (lite)", run(LitePolicy(parts.model).eval(), lexical), vectors

    words = (Channel("words", 3),)
    cases: dict[str, dict[str, object]] = {
        "skillshot": {},
        "question: no skeletons, words alone": {"reads": QUESTION[:1] + QUESTION[-1:]},
        "question: no word order (single words)": {"reads": tuple(dataclasses.replace(c, longest=1) for c in QUESTION)},
        "rationale: words, not skeletons": {"explains": words},
        "rationale: no equations": {"explains": RATIONALE[:-1]},
        "decoder reads the question": {"conditional": True},
    }
    for name, changes in cases.items():
        for part, query, vectors in ours(**changes):
            yield part or name, query, vectors
    plain = dataclasses.replace(settings, dropout=0.0)
    faults: dict[str, tuple[Train, dict[str, bool]]] = {
        "lars": (plain, {}),
        "lars, published noise": (plain, {"published_noise": True}),
        "lars, not standardised": (plain, {"standardised": False}),
        "lars, beta 1": (dataclasses.replace(plain, beta=1.0), {}),
        "lars as published": (
            dataclasses.replace(plain, beta=1.0),
            {"published_noise": True, "standardised": False},
        ),
    }
    for name, (chosen, switches) in faults.items():
        model = fit_cvae([q], [r], chosen, seed, "lars", conditional=True, **switches).model
        posterior = PosteriorHead(model.question, model.rationale, model.posterior).eval()
        yield name, run(PolicyHead(model.question, model.policy).eval(), asked), run(posterior, q, r)


def main() -> None:
    """Print and write the table."""
    from skillshot.bank.read import load_bank, load_queries
    from skillshot.embed import embed_texts, load_encoder
    from skillshot.io import write_json

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bank")
    parser.add_argument("queries")
    parser.add_argument("--label", required=True)
    parser.add_argument("--k", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", default="reports/ablation.json")
    options = parser.parse_args()
    bank, queries = load_bank(options.bank).records, load_queries(options.queries).records
    encoder = load_encoder()
    embedded = {
        "question": embed_texts(encoder, [record.text for record in bank]).vectors,
        "rationale": embed_texts(encoder, [record.rationale for record in bank]).vectors,
        "asked": embed_texts(encoder, [record.text for record in queries]).vectors,
    }
    labels = [[record.metadata.get(options.label) for record in side] for side in (queries, bank)]
    truth = np.array([[alike(a, b) for b in labels[1]] for a in labels[0]], np.float32)
    keys = [np.array([normalise_question(record.question) for record in side]) for side in (queries, bank)]
    allowed = keys[0][:, None] != keys[1][None, :]
    table = {}
    for name, query, vectors in variants(bank, queries, embedded, options.seed):
        table[name] = round(alignment(query, vectors, truth, allowed, options.k), 4)
        print(f"{table[name]:.3f}  {name}", file=sys.stderr)
    write_json(options.out, {"k": options.k, "queries": len(queries), "bank": len(bank), "alignment": table})


if __name__ == "__main__":
    main()
