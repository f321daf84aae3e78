"""Which words of a text its lexical features come from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Doubles, Floats, Rows
from skillshot.features.channels import owners
from skillshot.features.grams import Codes, ranked
from skillshot.features.lexical import LexicalView


def word_parts(view: LexicalView, text: str, pieces: Sequence[str], targets: Floats) -> Doubles:
    """What each piece of a text adds to `view.transform([text]) @ targets`, (pieces, k).

    The features of a text are a sum over its n-grams, so their product with anything is one too. An n-gram is there
    only while all its pieces are: its term is divided equally among them, which is the Shapley value of that game
    (Shapley, 1953). The terms of a repeated n-gram are divided equally among its occurrences. The lengths that
    `LexicalView.grams` divides by are those of the whole text. N-grams of nothing but the marks of begin and end belong
    to no piece and are left out, and so are channels that read a piece on its own otherwise than in the text.

    Args:
        pieces: texts that concatenate to `text`, cut between words.
        targets: (f, k).
    """
    out = np.zeros((len(pieces) + 1, targets.shape[1]))
    keys, buckets, values = view.grams(text)
    codes, first, last = _occurrences(view, text, pieces)
    if len(codes) and len(keys):
        rows = targets[buckets] if view.projection is None else view.rows(buckets) @ targets
        terms, by_key = np.asarray(rows * values[:, None], np.float64), np.argsort(keys)
        order = np.argsort(codes, kind="stable")
        wanted, times = ranked(codes[order])
        at = by_key[np.minimum(keys.searchsorted(wanted, sorter=by_key), len(keys) - 1)]
        found = np.where((keys[at] == wanted)[:, None], terms[at], 0.0)
        starts = np.flatnonzero(times == 0)
        counts = np.diff(np.append(starts, len(times)))
        shares = np.repeat(np.add.reduceat(found, starts) / counts[:, None], counts, 0)
        first, last = first[order], last[order]
        shares /= (last - first + 1)[:, None]
        np.add.at(out, first, shares)
        np.add.at(out, last + 1, -shares)
    return np.asarray(np.cumsum(out, 0)[:-1], np.float64)


def _occurrences(view: LexicalView, text: str, pieces: Sequence[str]) -> tuple[Codes, Rows, Rows]:
    """Code, first and last piece of each run of tokens that has a piece."""
    codes, firsts, lasts = [np.zeros(0, np.uint64)], [np.zeros(0, np.intp)], [np.zeros(0, np.intp)]
    known: dict[str, npt.NDArray[np.intp] | None] = {}
    for part, length, block in view.reader.placed(text):
        if part not in known:
            of = owners(text, pieces, part)
            known[part] = None if of is None else np.array(of, np.intp)
        of_token = known[part]
        if of_token is None:
            continue
        first = of_token[: block.shape[1]].copy()
        last = of_token[length - 1 :].copy()
        if length > 1:  # the marks belong to no piece
            first[0], last[-1] = of_token[1], of_token[-2]
        held = (first >= 0) & (last >= 0)
        codes.append(block[:, held].ravel())
        firsts.append(np.tile(first[held], len(block)))
        lasts.append(np.tile(last[held], len(block)))
    return np.concatenate(codes), np.concatenate(firsts), np.concatenate(lasts)
