"""The federated study: sums give the central fit, masks cancel, the noise is that of the mechanism."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import bench_federated as study
from skillshot.features.channels import QUESTION, RATIONALE
from skillshot.features.lexical import LexicalView
from skillshot.sources.storyskills import generate

RECORDS = [record for record in generate(180, 3) if record.metadata["language"] == "en"][:90]


def test_views_of_counts_are_those_of_the_texts() -> None:
    clients = [RECORDS[:5], RECORDS[5:50], RECORDS[50:]]
    questions, rationales = [r.text for r in RECORDS], [r.rationale for r in RECORDS]
    known = {
        "question": LexicalView.learn(questions, QUESTION, buckets=study.BUCKETS, rarest=3),
        "rationale": LexicalView.learn(rationales, RATIONALE, questions, buckets=study.BUCKETS),
    }
    for side, view in known.items():
        found = study.view_of(clients, side)
        assert found.shares == view.shares and found.vocabulary == view.vocabulary
        for name in ("keys", "weights", "slots"):
            assert np.array_equal(getattr(found, name), getattr(view, name))


def test_the_ridge_of_masked_sums_is_that_of_all_rows() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 12)) / 4, rng.normal(size=(60, 5)) / 3
    parts = [study.sums(*part) for part in zip(np.split(x, [7, 30]), np.split(y, [7, 30]), strict=True)]
    sent = study.masked(parts, 1)
    (central, mean), (found, _) = study.ridge(study.sums(x, y), 12, 5), study.ridge(study.opened(sent), 12, 5)
    assert np.abs(central - found).max() < 1e-6 and np.allclose(mean, x.mean(0))
    centred = x - x.mean(0)
    penalty = study.PENALTY * (centred**2).sum() / 60
    assert np.allclose(central, np.linalg.solve(centred.T @ centred + penalty * np.eye(12), centred.T @ y))
    alone = sent[0].view(np.int64) / 2.0**63
    assert abs(np.corrcoef(alone, parts[0])[0, 1]) < 0.3, "one client's vector says nothing"


@pytest.mark.parametrize(("epsilon", "sigma"), [(1.0, 3.730632), (10.0, 0.499885)])
def test_the_noise_is_that_of_the_analytic_gaussian_mechanism(epsilon: float, sigma: float) -> None:
    found = study.noise_scale(epsilon, 1e-5)
    assert found == pytest.approx(sigma, rel=1e-3)
