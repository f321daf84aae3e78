"""Skill alignment without an LLM: how often the chosen demonstrations need the query's labelled skill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Doubles
from skillshot.common.errors import InputError
from skillshot.common.record import Record
from skillshot.evaluation.statistics import bootstrap
from skillshot.selectors.choose import choose_rows
from skillshot.selectors.pool import Pool
from skillshot.selectors.registry import DEFAULT, find

CLUSTERS = 64  # of k-means, at most
BLIND = "the queries have no rationale"
DRAWS = 5  # of the random selector: one draw is noise


@dataclass(frozen=True)
class Alignment:
    """Alignment per query: name of the selector -> metric -> (queries,) values; plus the NMI of clusters.

    left_out: selectors without figures, each with the reason.
    """

    k: int
    rows: Mapping[str, Mapping[str, Doubles]]
    nmi: Mapping[str, float]
    seed: int
    left_out: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The report: means, and paired bootstrap intervals of skillshot against the others.

        Without skillshot (a bundle of `fit --lite`), lite stands for it.
        """
        ours = "skillshot" if "skillshot" in self.rows else "lite"
        first = next(iter(self.rows.values()))
        metric = "jaccard@k" if "jaccard@k" in first else "hit@k"
        report: dict[str, Any] = {
            "k": self.k,
            "queries": len(next(iter(first.values()))),
            "selectors": {
                name: {metric: float(values.mean()) for metric, values in metrics.items()}
                for name, metrics in self.rows.items()
            },
            "nmi": dict(self.nmi),
            "pairs": {
                f"{ours}-{name}": {metric: paired_interval(self.rows[ours][metric] - metrics[metric], self.seed)}
                for name, metrics in self.rows.items()
                if name != ours and ours in self.rows
            },
        }
        if self.left_out:
            report["left_out"] = list(self.left_out)
        return report


def score(
    folder: str | PathLike[str],
    queries: Sequence[Record],
    label: str,
    k: int = 4,
    names: Sequence[str] = DEFAULT,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Alignment:
    """Score every selector of a bundle on labelled queries.

    hit@1, hit@k: share of the first / of the k demonstrations whose label equals the query's; any@k: share of
    queries with at least one such; jaccard@k (list labels): mean multiset Jaccard of the labels. A list is
    equal to another when all its items are, in order. Oracles are left out where queries have no rationale, baselines
    where they were not fitted, what reads sentence embeddings where the bundle has no encoder; the report names them.

    Raises:
        InputError: no query or no demonstration has the label.
    """
    pool = Pool(folder, seed)
    queries = list(queries)
    truth = [_label(query, label) for query in queries]
    have = [_label(record, label) for record in pool.records]
    for side, labels in (("queries", truth), ("bank", have)):
        if all(value is None for value in labels):
            records = queries if side == "queries" else pool.records
            raise InputError(f"--label {label}: no record of the {side} has it{_remedy(side, records)}")
    kept = [i for i, value in enumerate(truth) if value is not None]
    queries, truth = [queries[i] for i in kept], [truth[i] for i in kept]
    blind = not all(query.rationale for query in queries)
    left_out = {name: BLIND for name in names if blind and find(name).needs_rationale} | pool.without(names)
    listed = isinstance(truth[0], tuple)
    rows: dict[str, dict[str, Doubles]] = {}
    for name in names:
        if name in left_out:
            continue
        progress(name)
        if name == "random":
            draws = []
            for draw in range(DRAWS):
                pool.seed = seed + draw
                draws.append(_metrics(choose_rows(pool, queries, name, k), truth, have, k, listed))
            rows[name] = {metric: np.mean([d[metric] for d in draws], axis=0) for metric in draws[0]}
        else:
            rows[name] = _metrics(choose_rows(pool, queries, name, k), truth, have, k, listed)
    progress("clusters")
    nmi = {name: _nmi(pool.vectors(name), have, seed) for name in ("question", "lars", "skillshot") if pool.has(name)}
    return Alignment(k, rows, nmi, seed, left_out)


def multiset_jaccard(a: Sequence[Any], b: Sequence[Any]) -> float:
    """Size of the multiset intersection over that of the union; 1 for two empty lists."""
    one, two = Counter(a), Counter(b)
    union = (one | two).total()
    return (one & two).total() / union if union else 1.0


def paired_interval(difference: Doubles, seed: int) -> dict[str, float]:
    """Mean paired difference with its 95 % bootstrap interval over queries."""
    interval = bootstrap(difference, seed)
    return {"diff": interval.mean, "low": interval.low, "high": interval.high}


def _remedy(side: str, records: Sequence[Record]) -> str:
    """What the records have instead of the label, and how they get it."""
    known = sorted({key for record in records[:100] for key in record.metadata})
    has = f"; fields that they have: {', '.join(known)[:200]}" if known else ""
    fix = "give a file of queries with it" if side == "queries" else "fit again with a bank that has it"
    return f"{has}\nbank and queries both need the field: {fix}"


def _label(record: Record, name: str) -> Any:
    value = record.to_dict().get(name)
    return tuple(str(item) for item in value) if isinstance(value, list) else value


def _metrics(
    rows: Sequence[npt.NDArray[np.intp]], truth: Sequence[Any], have: Sequence[Any], k: int, listed: bool
) -> dict[str, Doubles]:
    hits = np.zeros((len(rows), k))
    jaccard = np.zeros((len(rows), k))
    for i, chosen in enumerate(rows):
        for place, row in enumerate(chosen):
            hits[i, place] = have[row] == truth[i]
            if listed:
                jaccard[i, place] = multiset_jaccard(have[row] or (), truth[i])
    # a pool smaller than k is divided by what it could give
    given = np.array([max(1, len(chosen)) for chosen in rows])
    metrics = {"hit@1": hits[:, 0], "hit@k": hits.sum(1) / given, "any@k": hits.max(axis=1)}
    return metrics | ({"jaccard@k": jaccard.sum(1) / given} if listed else {})


def _nmi(vectors: npt.NDArray[np.float32], labels: Sequence[Any], seed: int) -> float:
    """Normalised mutual information of k-means clusters with the bank's labels."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import normalized_mutual_info_score

    rows = [i for i, value in enumerate(labels) if value is not None]
    names = {value: number for number, value in enumerate(dict.fromkeys(labels[i] for i in rows))}
    clusters = min(CLUSTERS, len(names), len(rows))
    fitted = MiniBatchKMeans(clusters, random_state=seed, n_init=3, batch_size=2048).fit_predict(vectors[rows])
    return float(normalized_mutual_info_score([names[labels[i]] for i in rows], fitted))
