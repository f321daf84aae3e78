"""An evaluation by slice of the queries, and variants of the demonstrations in number and order."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from skillshot.common.record import Record
from skillshot.evaluation.results import QueryResult
from skillshot.evaluation.summary import METRICS, values

if TYPE_CHECKING:
    from skillshot.selectors.pool import Pool

CLUSTER = "skill_cluster"  # name of the slices by `skill_clusters`
Choices = Mapping[str, Sequence[Sequence[Record]]]


def slice_of(query: Record, field: str) -> str:
    """Value of a field; of a list its length ("steps": 3). "" where the query does not have it.

    "steps" of a query without that field: the lines of its rationale.
    """
    lines = [line for line in query.rationale.splitlines() if line.strip()] if field == "steps" else ""
    value = query.metadata.get(field, getattr(query, field, lines))
    return str(len(value)) if isinstance(value, list | tuple) else str(value)


def skill_clusters(pool: Pool, queries: Sequence[Record], seed: int, count: int = 8) -> dict[str, str]:
    """Query id -> its skill cluster: k-means of the bank's skill rows, named by the rationale nearest to the centre.

    A query belongs where its predicted skill row does.
    """
    import numpy as np
    from sklearn.cluster import KMeans

    bank = pool.vectors("skillshot")
    fitted = KMeans(min(count, len(bank)), random_state=seed, n_init=3).fit(bank)
    centres = fitted.cluster_centers_.astype(np.float32)
    central = [" ".join(pool.records[int(row)].rationale.split())[:40] for row in (bank @ centres.T).argmax(axis=0)]
    names = [f"{number}: {text}" for number, text in enumerate(central)]
    places = fitted.predict(pool.query_vectors(pool.ours, queries).astype(bank.dtype))
    return {query.id: names[int(place)] for query, place in zip(queries, places, strict=True)}


def by_slice(
    rows: Sequence[QueryResult], queries: Sequence[Record], field: str, of: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """{slice: {"queries": n, "selectors": {name: {"accuracy", "nll"}}}}, the largest slice first.

    Args:
        of: slice of each query by id, where no field gives it.
    """
    of = of or {query.id: slice_of(query, field) for query in queries}
    names = list(dict.fromkeys(row.selector for row in rows))
    groups: dict[str, list[QueryResult]] = {}
    for row in rows:
        groups.setdefault(of[row.query], []).append(row)
    return {
        name: {
            "queries": len({row.query for row in group}),
            "selectors": {
                selector: {
                    metric: _mean(values([r for r in group if r.selector == selector], metric)) for metric in METRICS
                }
                for selector in names
            },
        }
        for name, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def variants(choices: Choices, shots: Sequence[int] = (), orders: int = 0, seed: int = 0) -> dict[str, Any]:
    """Choices under changed demonstrations, as further selectors, ready for `evaluate`.

    "name@2": only the two best; "name:reversed": best first in the prompt; "name:order1": a random order.
    """
    out: dict[str, Any] = {}
    for name, chosen in choices.items():
        if not any(chosen):
            continue
        for k in shots:
            out[f"{name}@{k}"] = [demonstrations[:k] for demonstrations in chosen]
        if orders:
            out[f"{name}:reversed"] = [demonstrations[::-1] for demonstrations in chosen]
        for i in range(1, orders + 1):
            rng = random.Random(f"{seed}/{i}")
            out[f"{name}:order{i}"] = [rng.sample(list(d), len(d)) for d in chosen]
    return out


def _mean(known: Sequence[float | None]) -> float | None:
    numbers = [value for value in known if value is not None]
    return round(sum(numbers) / len(numbers), 5) if numbers else None
