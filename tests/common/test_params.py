"""params.yaml: typed, complete, refusing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from skillshot.common.errors import ParamsError
from skillshot.common.params import Params, default_params, load_params
from skillshot.common.typed import as_tree

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_file_holds_the_defaults() -> None:
    assert load_params(ROOT / "params.yaml") == Params()


def test_every_setting_tells_its_unit_or_reason() -> None:
    for line in (ROOT / "params.yaml").read_text().splitlines():
        if line.startswith("  "):
            assert "  # " in line, line


def write(folder: Path, **changes: object) -> Path:
    tree = as_tree(Params())
    for key, value in changes.items():
        section, _, leaf = key.partition("__")
        if value is ...:
            del tree[section][leaf]
        else:
            tree[section][leaf] = value
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"train__betta": 1}, "unknown key betta; did you mean beta"),
        ({"train__beta": ...}, "missing key beta"),
        ({"train__beta": "much"}, "beta: expected float, got 'much'"),
        ({"train__epochs": True}, "epochs: expected int, got True"),
        ({"evaluate__selectors": [1]}, "selectors: expected tuple"),
        ({"train__precision": "fp16"}, "train.precision: 'fp16' is none of fp32, bf16"),
        ({"train__device": "gpu"}, "train.device: 'gpu' is none of auto, cpu, cuda"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, changes: dict[str, object], text: str) -> None:
    with pytest.raises(ParamsError, match=text):
        load_params(write(tmp_path, **changes))


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="no such file"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [")
    with pytest.raises(ParamsError, match="not YAML"):
        load_params(tmp_path / "params.yaml")


def test_overrides_replace_defaults_and_nothing_else() -> None:
    params = default_params(["train.beta=0.3", "ingest.path=null", "seed=3"])
    assert (params.train.beta, params.ingest.path, params.seed) == (0.3, None, 3)
    assert params.embed == Params().embed


@pytest.mark.parametrize("text", ["train.beta", "train.beta=[", "nothing.here=1", "train=1", "train.beta.x=1"])
def test_a_bad_override_is_refused(text: str) -> None:
    with pytest.raises(ParamsError):
        default_params([text])
