"""Federated fit in closed form: equal to the central one, what the sums reveal, and what privacy costs.

    python benchmarks/bench_federated.py --rows 2400 --out federated.json

Clients keep their texts. In each of three rounds a client sends sums over its rows, and the server adds them: word and
n-gram counts, which give the views; the products of the rationales' features, which give the principal directions; the
products of the ridge. All that is measured is a function of those sums. Clients are skewed: the rows of each skill are
divided by a Dirichlet distribution.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

from skillshot.bank.split import split
from skillshot.common.record import Record
from skillshot.features.channels import QUESTION, RATIONALE
from skillshot.features.grams import GramReader, code, salted
from skillshot.features.lexical import COMMON, RAREST, LexicalView, shared
from skillshot.features.tokens import OWN, _stem, tokenise
from skillshot.sources.storyskills import generate

Array = npt.NDArray[np.float64]
Lines = Iterator[dict[str, Any]]
BUCKETS, PARTS, PENALTY, SKEW = 1024, 64, 0.3, 0.3
EPOCHS, LOCAL = 60, 2  # of the CVAE: in all, and of a client between two averages
BITS = 32  # of the fraction in fixed point; a mask is a whole number modulo 2^64


@dataclass(frozen=True)
class Views:
    """What all clients share before the ridge: views, directions (b, t) and centre (t) of the rationales."""

    question: LexicalView
    rationale: LexicalView
    directions: Array
    centre: Array

    def rows(self, records: Sequence[Record]) -> tuple[Array, Array]:
        """Features x (n, b), of length 1, and unit targets y (n, t)."""
        x = self.question.transform([r.text for r in records]).astype(np.float64)
        y = self.rationale.transform([r.rationale for r in records]).astype(np.float64) @ self.directions - self.centre
        return x, y / np.maximum(np.linalg.norm(y, axis=1, keepdims=True), 1e-9)


def view_of(clients: Sequence[Sequence[Record]], side: str) -> LexicalView:
    """A lexical view from the sums of word counts and n-gram counts of all clients."""
    words: Counter[str] = Counter()
    own: Counter[str] = Counter()
    copied: Counter[str] = Counter()
    texts = [[r.text if side == "question" else r.rationale for r in client] for client in clients]
    for client, some in zip(clients, texts, strict=True):  # first round
        words.update(word for text in some for word in set(tokenise(text)))
        for record in client if side == "rationale" else ():
            stems = {_stem(word) for word in tokenise(record.text)}
            found = {word for word in tokenise(record.rationale) if word[0].isalpha()}
            own.update(found)
            copied.update(word for word in found if _stem(word) in stems)
    total = sum(map(len, texts))
    shares = {word: n / total for word, n in sorted(words.items()) if n > max(2, COMMON * total)}
    shares |= {word: 1.0 for word, n in own.items() if n >= max(3, 0.005 * total) and copied[word] < OWN * n}
    channels = QUESTION if side == "question" else RATIONALE
    vocabulary = tuple(sorted(word for word, n in words.items() if n >= RAREST))
    reader, rarest = GramReader(channels, shares, words), 3 if side == "question" else 2
    parts = [shared(reader, some, 1) for some in texts if some]  # second round
    keys, place = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    frequency, channel = np.zeros(len(keys), np.intp), np.zeros(len(keys), np.uint32)
    np.add.at(frequency, place, np.concatenate([part[1] for part in parts]))
    channel[place] = np.concatenate([part[2] for part in parts])
    kept = frequency >= rarest
    keys, frequency, channel = keys[kept], frequency[kept], channel[kept]
    slots = channel * np.uint32(BUCKETS) + (keys % np.uint64(BUCKETS)).astype(np.uint32)
    signs = np.where(keys >> np.uint64(63), 1.0, -1.0)
    weights = (signs * (np.log((1 + total) / (1 + frequency)) + 1)).astype(np.float32)
    return LexicalView(channels, BUCKETS, shares, vocabulary, keys, weights, slots)


def views_of(clients: Sequence[Sequence[Record]]) -> Views:
    """The views, and in a round of their own the rationales' principal directions from the sum of their products."""
    question, rationale = view_of(clients, "question"), view_of(clients, "rationale")
    total, square, count = np.zeros(BUCKETS), np.zeros((BUCKETS, BUCKETS)), 0
    for client in filter(len, clients):
        rows = rationale.transform([r.rationale for r in client]).astype(np.float64)
        total, square, count = total + rows.sum(0), square + rows.T @ rows, count + len(rows)
    mean = total / count
    _, axes = np.linalg.eigh(square / count - np.outer(mean, mean))
    directions = axes[:, ::-1][:, :PARTS]
    return Views(question, rationale, directions, mean @ directions)


def sums(x: Array, y: Array) -> Array:
    """What a client sends for the ridge, as one vector: n, sums of x and y, x'x, x'y."""
    return np.concatenate([[len(x)], x.sum(0), y.sum(0), (x.T @ x).ravel(), (x.T @ y).ravel()])


def ridge(sent: Array, width: int, parts: int = PARTS) -> tuple[Array, Array]:
    """Weights (b, t) and mean (b) of x, from the sum of what clients sent."""
    n, ends = max(sent[0], 1.0), np.cumsum([1, width, parts, width * width])
    _, a, b, square, across = np.split(sent, ends)
    mean = a / n
    gram = square.reshape(width, width) - n * np.outer(mean, mean)
    right = across.reshape(width, parts) - np.outer(mean, b)
    penalty = max(PENALTY * np.trace(gram) / n, 1e-9)
    return np.linalg.solve(gram + penalty * np.eye(width), right), mean


def masked(parts: Sequence[Array], seed: int) -> list[npt.NDArray[np.uint64]]:
    """Fixed point plus masks that cancel: of each pair of clients, one adds a mask and the other subtracts it."""
    sent = [np.round(part * 2.0**BITS).astype(np.int64).view(np.uint64) for part in parts]
    for i in range(len(sent)):
        for j in range(i):
            mask = np.random.default_rng([seed, i, j]).integers(0, 2**64, len(sent[i]), np.uint64, endpoint=False)
            sent[i], sent[j] = sent[i] + mask, sent[j] - mask
    return sent


def opened(sent: Sequence[npt.NDArray[np.uint64]]) -> Array:
    """The sum of all clients' vectors, whose masks are gone."""
    return np.sum(sent, 0, dtype=np.uint64).view(np.int64).astype(np.float64) / 2.0**BITS


def skewed(records: Sequence[Record], count: int, rng: np.random.Generator) -> list[list[Record]]:
    """Rows for clients, each skill divided by a Dirichlet distribution."""
    clients: list[list[Record]] = [[] for _ in range(count)]
    by_skill: dict[str, list[Record]] = {}
    for record in records:
        by_skill.setdefault(record.metadata["skill"], []).append(record)
    for rows in by_skill.values():
        ends = (np.cumsum(rng.dirichlet([SKEW] * count)) * len(rows)).round().astype(int)
        for client, part in zip(clients, np.split(np.array(rows, object), ends[:-1]), strict=True):
            client += part.tolist()
    return clients


class Judge:
    """Quality of ridge weights on queries: cosine of the predicted structure and the true one, and skill hit@1."""

    def __init__(self, bank: Sequence[Record], queries: Sequence[Record], views: Views) -> None:
        (_, self.bank), (self.x, self.y) = views.rows(bank), views.rows(queries)
        self.labels = np.array([r.metadata["skill"] for r in bank])
        self.wanted = np.array([r.metadata["skill"] for r in queries])

    def __call__(self, weights: Array, mean: Array) -> dict[str, Array]:
        """Per query."""
        out = (self.x - mean) @ weights
        lengths = np.maximum(np.linalg.norm(out, axis=1), 1e-12)
        return {
            "cosine": np.einsum("ij,ij->i", out, self.y) / lengths,
            "hit@1": (self.labels[(out @ self.bank.T).argmax(1)] == self.wanted).astype(float),
        }


def interval(values: Array, seed: int = 0) -> list[float]:
    """Mean and 95 % bootstrap interval over queries or clients."""
    values = np.asarray(values, float)
    draws = np.random.default_rng(seed).integers(0, len(values), (2000, len(values)))
    return [float(values.mean()), *map(float, np.percentile(values[draws].mean(1), [2.5, 97.5]))]


def exactness(bank: Sequence[Record], queries: Sequence[Record], rng: np.random.Generator) -> Lines:
    """Federated against central for 3, 10 and 50 clients; central is one client with all rows."""
    one = views_of([bank])
    known = LexicalView.learn([r.text for r in bank], QUESTION, buckets=BUCKETS, rarest=3)
    assert np.array_equal(known.keys, one.question.keys) and np.array_equal(known.weights, one.question.weights)
    judge = Judge(bank, queries, one)
    x, y = one.rows(bank)
    weights, mean = ridge(sums(x, y), BUCKETS)
    central = judge(weights, mean)
    yield {"central": {name: interval(values) for name, values in central.items()}}
    for count in (3, 10, 50):
        clients = skewed(bank, count, rng)
        views = views_of(clients)
        same = all(
            np.array_equal(getattr(getattr(one, side), name), getattr(getattr(views, side), name))
            for side in ("question", "rationale")
            for name in ("keys", "weights", "slots")
        )
        cosines = np.linalg.svd(one.directions.T @ views.directions, compute_uv=False)
        sent = [sums(*one.rows(client)) for client in clients if client]
        plain, _ = ridge(np.sum(sent, 0), BUCKETS)
        hidden, _ = ridge(opened(masked(sent, 1)), BUCKETS)
        alone = [judge(*ridge(part, BUCKETS)) for part in sent]
        yield {
            "clients": count,
            "rows": sorted(len(client) for client in clients),
            "views_equal": bool(same),
            "directions": float(1 - cosines.min()),
            "ridge_difference": float(np.abs(plain - weights).max()),
            "ridge_difference_masked": float(np.abs(hidden - weights).max()),
            "weights_largest": float(np.abs(weights).max()),
            "megabytes_sent": len(sent[0]) * 8 / 1e6,
            "alone_minus_central": {
                name: interval(np.mean([one[name] for one in alone], 0) - central[name]) for name in central
            },
        }


def attack(bank: Sequence[Record], rng: np.random.Generator) -> Lines:
    """Words of a client's questions guessed from its sum of x, with a public dictionary: the words of the whole bank.

    A word is guessed where the bucket of its own n-gram is not empty and has the n-gram's sign. Precision and recall
    over the words that the view knows one by one (three texts share them). `guess` draws as many words by chance.
    """
    for buckets in (1024, 16384):
        view = LexicalView.learn([r.text for r in bank], QUESTION, buckets=buckets, rarest=3)
        names = np.array(sorted(view.vocabulary))
        codes = salted(np.array([code(word) for word in names], np.uint64), 0)  # 0: the channel of plain words
        place = np.minimum(np.searchsorted(view.keys, codes), len(view.keys) - 1)
        known = view.keys[place] == codes
        names, place = names[known], place[known]
        bucket, sign = view.slots[place] % buckets, np.sign(view.weights[place])
        for size in (1, 10, 100):
            results: dict[str, list[tuple[float, float]]] = {"sum": [], "masked sum": [], "guess": []}
            for draw in range(30):
                chosen = [bank[i] for i in rng.choice(len(bank), size, replace=False)]
                total = view.transform([r.text for r in chosen]).astype(np.float64).sum(0)
                words = {word for r in chosen for word in tokenise(r.question)}
                truth = np.array([word in words for word in names])
                hidden = masked([total, np.zeros_like(total)], draw)[0].view(np.int64).astype(np.float64)
                results["sum"].append(scored(total[bucket] * sign > 1e-9, truth))
                results["masked sum"].append(scored(hidden[bucket] * sign > 1e-9, truth))
                results["guess"].append(scored(rng.permutation(truth), truth))
            for name, pairs in results.items():
                precision, recall = np.array(pairs).T
                yield {
                    "buckets": buckets, "rows": size, "words": len(names), "attack": name,
                    "precision": interval(precision), "recall": interval(recall),
                }  # fmt: skip


def scored(found: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Precision and recall."""
    right = int((found & truth).sum())
    return right / max(1, int(found.sum())), right / max(1, int(truth.sum()))


def noise_scale(epsilon: float, delta: float) -> float:
    """Standard deviation at sensitivity 1 of the analytic Gaussian mechanism (Balle & Wang, 2018), by bisection."""

    def normal(value: float) -> float:
        return math.erfc(-value / math.sqrt(2)) / 2

    low, high = 1e-3, 1e4
    for _ in range(200):
        sigma = math.sqrt(low * high)
        a, b = 1 / (2 * sigma), epsilon * sigma
        spent = normal(a - b) - math.exp(min(epsilon, 700)) * normal(-a - b)
        low, high = (sigma, high) if spent > delta else (low, sigma)
    return high


def private(bank: Sequence[Record], queries: Sequence[Record], views: Views) -> Lines:
    """Quality with Gaussian noise in the sums of the ridge, for x of all buckets and of fewer, at delta = 1/(10 n).

    Rows of x and y have length at most 1, so one row changes (x, y, x'x, x'y) by at most 2 in length, and n is public.
    The views stay as they are: their counts would need noise too.
    """
    for width in (BUCKETS, 64):
        turn = (
            np.eye(BUCKETS) if width == BUCKETS else np.random.default_rng(0).normal(0, width**-0.5, (BUCKETS, width))
        )
        judge = Judge(bank, queries, views)
        x, y = views.rows(bank)
        x, judge.x = x @ turn, judge.x @ turn
        longest = max(1.0, float(np.linalg.norm(x, axis=1).max())) if width == BUCKETS else 1.0
        x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), longest)
        judge.x = judge.x / np.maximum(np.linalg.norm(judge.x, axis=1, keepdims=True), longest)
        total = sums(x, y)
        plain = judge(*ridge(total, width))
        for epsilon in (math.inf, 1000.0, 100.0, 10.0, 1.0):
            results: dict[str, list[Array]] = {"cosine": [], "hit@1": []}
            for draw in range(1 if math.isinf(epsilon) else 3):
                sent = total.copy()
                if not math.isinf(epsilon):
                    sigma = 2 * noise_scale(epsilon, 1 / (10 * len(bank)))
                    sent[1:] += np.random.default_rng(draw).normal(0, sigma, len(total) - 1)
                for name, values in judge(*positive(sent, width)).items():
                    results[name].append(values)
            yield {
                "columns": width, "epsilon": epsilon,
                **{name: interval(np.mean(found, 0)) for name, found in results.items()},
                **{f"{name}_minus_exact": interval(np.mean(found, 0) - plain[name]) for name, found in results.items()},
            }  # fmt: skip


def positive(sent: Array, width: int) -> tuple[Array, Array]:
    """`ridge` of noisy sums: the products of x made symmetric, and their negative eigenvalues 0."""
    fixed = sent.copy()
    part = slice(1 + width + PARTS, 1 + width + PARTS + width * width)
    n, mean = sent[0], sent[1 : 1 + width] / sent[0]
    square = fixed[part].reshape(width, width)
    values, axes = np.linalg.eigh((square + square.T) / 2 - n * np.outer(mean, mean))
    fixed[part] = ((axes * np.maximum(values, 0)) @ axes.T + n * np.outer(mean, mean)).ravel()
    return ridge(fixed, width)


def averaged(bank: Sequence[Record], queries: Sequence[Record], views: Views, seeds: int = 3) -> Lines:
    """FedAvg (McMahan et al., 2017) of a small skill CVAE, against central training and each client alone: hit@1.

    The question's side is the 64 principal coordinates of x, which the sums give. Every training sees each row as
    often: `EPOCHS` times. A client's latent rows are its own to compute, so all choose from the whole bank.
    """
    import torch

    from skillshot.model.nets import SkillCVAE, Standardise

    torch.set_num_threads(1)
    (x, y), (asked, _) = views.rows(bank), views.rows(queries)
    _, axes = np.linalg.eigh(np.cov(x.T))
    turn = axes[:, ::-1][:, :PARTS]
    q, r, new = (torch.from_numpy(np.asarray(rows, np.float32)) for rows in (x @ turn, y, asked @ turn))
    labels = np.array([r.metadata["skill"] for r in bank])
    wanted = np.array([r.metadata["skill"] for r in queries])
    place = {record.id: i for i, record in enumerate(bank)}
    sides = [Standardise.of([side]) for side in (q, r)]
    q, new, r = sides[0](q), sides[0](new), sides[1](r)

    def trained(model: SkillCVAE, rows: torch.Tensor, epochs: int, seed: int) -> None:
        optimiser = torch.optim.AdamW(model.parameters(), 2e-3)
        torch.manual_seed(seed)
        model.train()
        for _ in range(epochs):
            for part in torch.split(rows[torch.randperm(len(rows))], 64):
                optimiser.zero_grad()
                model.loss(q[part], r[part], 1.0).total.backward()
                optimiser.step()
        model.eval()

    @torch.no_grad()
    def hits(model: SkillCVAE) -> Array:
        normal = torch.nn.functional.normalize
        rows = normal(model.posterior(torch.cat([q, r], 1))[0], dim=1)
        found = (normal(model.policy(new)[0], dim=1) @ rows.T).argmax(1).numpy()
        return (labels[found] == wanted).astype(float)

    def fresh(seed: int) -> SkillCVAE:
        torch.manual_seed(seed)
        return SkillCVAE(*sides, latent=32, hidden=128, layers=1, dropout=0.1, conditional=False)

    central = []
    for seed in range(seeds):
        model = fresh(seed)
        trained(model, torch.arange(len(bank)), EPOCHS, seed)
        central.append(hits(model))
    yield {"cvae": "central", "hit@1": interval(np.mean(central, 0))}
    for count in (3, 10):
        together, alone = [], []
        for seed in range(seeds):
            parts = skewed(bank, count, np.random.default_rng(seed))
            clients = [torch.tensor([place[record.id] for record in part]) for part in parts if part]
            share = torch.tensor([len(client) / len(bank) for client in clients])
            model = fresh(seed)
            for turn_number in range(EPOCHS // LOCAL):
                states = []
                for client in clients:
                    own = copy.deepcopy(model)
                    trained(own, client, LOCAL, 1000 * seed + turn_number)
                    states.append(own.state_dict())
                mean = {
                    name: sum(s * state[name] for s, state in zip(share, states, strict=True)) for name in states[0]
                }
                model.load_state_dict(mean)
            together.append(hits(model))
            for client in clients[:3]:  # three of them, to bound the time
                own = fresh(seed)
                trained(own, client, EPOCHS, seed)
                alone.append(hits(own))
        exact = np.mean(central, 0)
        yield {
            "cvae": "averaged", "clients": count, "hit@1": interval(np.mean(together, 0)),
            "minus_central": interval(np.mean(together, 0) - exact),
            "alone_minus_central": interval(np.mean(alone, 0) - exact),
        }  # fmt: skip


def main() -> None:
    """Print a line of JSON for each figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=("exact", "attack", "private", "averaged"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    english = [r for r in generate(3 * args.rows, args.seed) if r.metadata["language"] == "en"][: args.rows]
    bank, queries, _ = split(english, 0.2, args.seed, 0.9)
    found: list[dict[str, Any]] = [{"bank": len(bank), "queries": len(queries), "buckets": BUCKETS, "parts": PARTS}]
    views = views_of([bank])
    parts = {
        "exact": exactness(bank, queries, rng),
        "attack": attack(bank, rng),
        "private": private(bank, queries, views),
        "averaged": averaged(bank, queries, views),
    }
    for name, part in parts.items():
        if name not in (args.only or parts):
            continue
        for line in part:
            found.append(line)
            print(json.dumps(line), flush=True)
    if args.out:
        args.out.write_text("\n".join(json.dumps(line) for line in found) + "\n")


if __name__ == "__main__":
    main()
