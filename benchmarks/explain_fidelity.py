"""The words that an explanation names first are deleted: how much of the chosen set changes, next to SHAP and LIME.

All methods value the words by one number, the sum of the scores of the demonstrations chosen, and read a text without a
word as the words left. The libraries run as they are: KernelSHAP (Lundberg and Lee 2017) of `shap`, against a text
without words; LIME (Ribeiro et al. 2016) of `lime`, with words as tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from skillshot import Selector
from skillshot.common.arrays import Doubles, Floats
from skillshot.common.intervals import bootstrap
from skillshot.runtime.attribution import attribute, cut
from skillshot.runtime.policy import Policy

DELETED = 3  # words
DRAWS = 5  # random triples for each question
EVALUATIONS = 1000  # texts that a library may score for a question


class Counted:
    """A policy that counts the texts it reads."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.texts = policy, 0

    def __call__(self, texts: Sequence[str]) -> Floats:
        self.texts += len(texts)
        return self.policy(texts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.policy, name)


Method = Callable[[Any, str, Floats], Doubles]  # policy, text, rows (k, z) -> value of each word, (n,)


def named_first(policy: Any, text: str, rows: Floats) -> Doubles:
    """Our explanation."""
    return attribute(policy, text, policy([text])[0], rows)[1].sum(1)


def leave_one_out(policy: Any, text: str, rows: Floats) -> Doubles:
    """By how much the scores fall without the word alone."""
    words = cut(text)
    found = policy(["".join(words[:i] + words[i + 1 :]) for i in range(len(words))]) @ rows.sum(0)
    return -np.asarray(found, np.float64)


def kernel_shap(policy: Any, text: str, rows: Floats) -> Doubles:
    """KernelSHAP with its defaults, but for the number of evaluations."""
    import shap

    words, total = cut(text), rows.sum(0)

    def worth(masks: Doubles) -> Floats:
        return policy(["".join(word for word, kept in zip(words, mask, strict=True) if kept) for mask in masks]) @ total

    explainer = shap.KernelExplainer(worth, np.zeros((1, len(words))))
    return np.asarray(explainer.shap_values(np.ones(len(words)), nsamples=EVALUATIONS, silent=True), np.float64)


def lime(policy: Any, text: str, rows: Floats) -> Doubles:
    """LIME with its defaults, but for the number of samples; a word counts once for each place."""
    from lime.lime_text import LimeTextExplainer

    words, total = cut(text), rows.sum(0)
    explainer = LimeTextExplainer(split_expression=lambda _: words, bow=False, mask_string="", random_state=0)
    found = explainer.explain_instance(
        text, lambda texts: (policy(texts) @ total)[:, None], labels=(0,), num_samples=EVALUATIONS
    )
    values = np.zeros(len(words))
    for place, weight in found.local_exp[0]:
        values[place] = weight
    return values


METHODS: Mapping[str, Method] = {"named_first": named_first, "leave_one_out": leave_one_out}
RIVALS: Mapping[str, Method] = {"kernel_shap": kernel_shap, "lime": lime}


def fidelity(selector: Selector, questions: Sequence[str], methods: Mapping[str, Method]) -> dict[str, Any]:
    """How often, and how much, the chosen set changes without the `DELETED` words that each method names first.

    Returns:
        for each method, and for random words: `set_changes` and `share_replaced`; `ours_less`: that of `named_first`
        less this one, paired, with 95 % intervals; `texts` that the model read and `cpu_seconds` for a question. A
        method whose library is missing has `skipped` instead.
    """
    rng, policy = np.random.default_rng(0), Counted(selector._bundle.policy)
    places = {selector.record(row).id: row for row in range(len(selector))}
    methods, skipped = _importable(methods, policy, selector.vectors[:1].astype(np.float32))
    shares: dict[str, list[list[float]]] = {name: [] for name in (*methods, "random")}  # by question, by draw
    spent, texts = dict.fromkeys(methods, 0.0), dict.fromkeys(methods, 0)
    for question in questions:
        words = cut(question)
        if len(words) < 2 * DELETED:
            continue
        before = [one.id for one in selector.select(question)]
        rows = selector.vectors[[places[one] for one in before]].astype(np.float32)

        def replaced(deleted: Sequence[int], words: list[str] = words, before: list[str] = before) -> float:
            left = "".join(word for place, word in enumerate(words) if place not in set(deleted))
            return len({*before} - {one.id for one in selector.select(left)}) / max(1, len(before))

        for name, method in methods.items():
            policy.texts, start = 0, time.process_time()
            values = method(policy, question, rows)
            spent[name] += time.process_time() - start
            texts[name] += policy.texts
            shares[name].append([replaced(np.argsort(-values, kind="stable")[:DELETED].tolist())])
        shares["random"].append([replaced(rng.permutation(len(words))[:DELETED].tolist()) for _ in range(DRAWS)])
    kept = {name: np.array(values) for name, values in shares.items()}
    count = len(kept["random"])
    found: dict[str, Any] = {"questions": count, **skipped}
    for name, values in kept.items():
        found[name] = {"set_changes": float((values > 0).mean()), "share_replaced": float(values.mean())}
        found[name]["ours_less"] = {
            "set_changes": _interval((kept["named_first"] > 0).mean(1) - (values > 0).mean(1)),
            "share_replaced": _interval(kept["named_first"].mean(1) - values.mean(1)),
        }
        if name in methods:
            found[name] |= {"texts": texts[name] / count, "cpu_seconds": spent[name] / count}
    return found


def _importable(
    methods: Mapping[str, Method], policy: Counted, rows: Floats
) -> tuple[dict[str, Method], dict[str, dict[str, Any]]]:
    """The methods whose library is installed, after a first call that compiles and is not timed; why others are not."""
    kept, skipped = {}, {}
    for name, method in methods.items():
        try:
            method(policy, "How many are left?", rows)
            kept[name] = method
        except ModuleNotFoundError as error:
            skipped[name] = {"skipped": f"{error.name} is not installed: pip install {error.name}"}
    return kept, skipped


def _interval(differences: Doubles) -> dict[str, float]:
    found = bootstrap(differences, 0, 10_000, 0.95)
    return {"mean": found.mean, "low": found.low, "high": found.high}
