from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from skillshot.common.errors import BundleError, InputError
from skillshot.features.prior import ABOUT, Prior, prior_named
from skillshot.features.rationale import RationaleView


@pytest.fixture(scope="module")
def packaged() -> Prior:
    prior = prior_named("packaged")
    assert prior is not None
    return prior


def test_the_packaged_prior_is_small_and_names_its_sources(packaged: Prior) -> None:
    folder = Path(prior_named.__code__.co_filename).with_name("packaged")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_200_000
    assert {"storyskills", "gsm8k", "cogs"} <= {source.name for source in packaged.sources}
    assert all(source.rows > 100 and len(source.sha256) == 64 for source in packaged.sources)
    licences = {source.licence for source in packaged.sources}
    assert licences <= {"Apache-2.0", "MIT", "CC BY 4.0"}  # they allow derived weights


def test_it_sees_the_procedure_and_not_the_story(packaged: Prior) -> None:
    share, again, other = packaged.transform(
        [
            "Mia has 12 apples. She shares them equally among 4 friends. How many apples does each friend get?",
            "There are 30 books. The teacher divides them equally among 6 shelves. How many books are on each shelf?",
            "Mia has 12 apples. She buys 4 apples and eats 3. How many apples does she have left?",
        ]
    )
    mean = packaged.transform(["How many are there?"])[0]
    share, again, other = (row - mean for row in (share, again, other))
    assert _cosine(share, again) > _cosine(share, other)


def test_what_is_saved_is_loaded(packaged: Prior, tmp_path: Path) -> None:
    packaged.save(tmp_path)
    again = prior_named(str(tmp_path))
    assert again is not None and again.sources == packaged.sources
    text = ["How many are left?"]
    assert (again.transform(text) == packaged.transform(text)).all()


def test_a_rationale_view_keeps_the_prior_next_to_it(packaged: Prior, tmp_path: Path) -> None:
    skeleton = packaged.views[0].columns(slice(0, 3))
    view = RationaleView(skeleton, prior=packaged)
    view.save(tmp_path / "rationale_view")
    again = RationaleView.load(tmp_path / "rationale_view")
    assert (again.second, again.width) == (packaged.width, 3 + packaged.width)
    assert np.allclose(again.transform(["How many?"]), view.transform(["How many?"]))
    assert again.prior is not None and again.prior.sources == packaged.sources


def test_priors_stand_side_by_side(packaged: Prior, tmp_path: Path) -> None:
    both = packaged.joined(Prior((packaged.views[0].columns(slice(0, 5)),), packaged.sources[:1]))
    both.save(tmp_path / "prior_view")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prior_view", "prior_view_2"]
    again, text = Prior.load(tmp_path / "prior_view"), ["How many are left?"]
    assert again.width == packaged.width + 5 and len(again.sources) == len(packaged.sources) + 1
    assert np.allclose(again.transform(text)[:, packaged.width :], packaged.transform(text)[:, :5])


def test_none_is_none_and_errors_name_the_place(packaged: Prior, tmp_path: Path) -> None:
    assert prior_named("none") is None
    with pytest.raises(InputError, match=r"nowhere: no prior\.json there; give none, packaged, or a folder"):
        prior_named("nowhere")
    packaged.save(tmp_path)
    (tmp_path / ABOUT).write_text(json.dumps({"sources": [{"name": "x"}]}))
    with pytest.raises(BundleError, match=ABOUT):
        prior_named(str(tmp_path))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
