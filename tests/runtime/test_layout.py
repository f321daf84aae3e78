"""Names of a bundle's files that two packages hold."""

from __future__ import annotations

from skillshot.features import rationale
from skillshot.runtime import layout


def test_priors_are_among_the_files_that_make_a_row() -> None:
    assert layout.PRIOR_VIEW == rationale.PRIOR_VIEW
    files = dict.fromkeys(("model/prior_view/keys.npy", "model/prior_view_2/keys.npy", "model/lite.onnx"))
    found = layout.files_of_rows({"score": {}, "files": files})
    assert {"model/prior_view/keys.npy", "model/prior_view_2/keys.npy"} <= found and "model/lite.onnx" not in found
