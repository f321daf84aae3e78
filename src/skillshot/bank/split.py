"""Split one data set into bank and queries so that no near-duplicate group has members in both."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from skillshot.bank.dedup import Grouper
from skillshot.common.errors import InputError
from skillshot.common.record import Record

Stats = dict[str, int]


def split(
    records: Sequence[Record], holdout: float, seed: int, near_duplicates: float
) -> tuple[list[Record], list[Record], Stats]:
    """Hold out about the share `holdout` of the records as queries, whole groups at a time.

    Returns:
        bank and queries, each in the given order, and counts of rows and groups.

    Raises:
        InputError: the smallest group is larger than the share, so that nothing can be held out.
    """
    grouper = Grouper(near_duplicates)
    for record in records:
        grouper.add(record.question, record.group)
    held, stats = hold_out(grouper, holdout, seed)
    bank = [record for record, query in zip(records, held, strict=True) if not query]
    queries = [record for record, query in zip(records, held, strict=True) if query]
    return bank, queries, stats


def hold_out(grouper: Grouper, holdout: float, seed: int) -> tuple[npt.NDArray[np.bool_], Stats]:
    """Which rows become queries, bool (n,): groups in seeded random order, as long as they fit into the share.

    The order depends only on the seed and each group's first question, so that a few new rows move few old ones.
    """
    labels = grouper.labels()
    sizes = np.bincount(labels) if len(labels) else np.zeros(0, np.int64)
    target = round(holdout * len(labels))
    _, first = np.unique(labels, return_index=True)
    keys = [_key(seed, int(digest)) for digest in grouper.digests()[first]]
    chosen = np.zeros(len(sizes), bool)
    room = target
    for group in sorted(range(len(sizes)), key=keys.__getitem__):
        if sizes[group] <= room:
            chosen[group] = True
            room -= int(sizes[group])
        if not room:
            break
    if target and not chosen.any():
        raise InputError(
            f"cannot hold out {target} of {len(labels)} records: the smallest group has {sizes.min()}\n"
            "lower ingest.near_duplicates, raise ingest.holdout, or give a query file"
        )
    held = chosen[labels] if len(labels) else np.zeros(0, bool)
    stats = {**group_stats(grouper, labels), "bank": int((~held).sum()), "queries": int(held.sum())}
    return held, stats


def group_stats(grouper: Grouper, labels: npt.NDArray[np.int64]) -> Stats:
    """Number and sizes of the groups, for the report of a split."""
    sizes = np.bincount(labels) if len(labels) else np.zeros(1, np.int64)
    return {
        "rows": len(labels),
        "distinct_questions": len(np.unique(grouper.digests())),
        "groups": int((sizes > 0).sum()),
        "groups_of_several": int((sizes > 1).sum()),
        "rows_in_groups_of_several": int(sizes[sizes > 1].sum()),
        "largest_group": int(sizes.max()),
    }


def spanning(labels: npt.NDArray[np.int64], held: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Groups that have members on both sides: none after `hold_out`, perhaps some where both files were given."""
    return np.intersect1d(labels[held], labels[~held])


def _key(seed: int, digest: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{digest}".encode(), digest_size=8).digest()
