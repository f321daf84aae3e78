"""Collect what is published of a pipeline state: parameters, metrics, curves, selectors, files. No tracker is used."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.common.errors import TrackError
from skillshot.common.io import read_json
from skillshot.track.state import PUBLISHER, yaml_of
from skillshot.track.values import leaves

PIPELINE_FILES = ("dvc.lock", "dvc.yaml", "params.yaml", "gates.yaml")
STEP = "epoch"  # the column of a curve file that holds the step


@dataclass(frozen=True)
class StateReport:
    """All that is published of one state.

    metrics: numeric leaves of the reports, `stage.key.key`. curves: name, value, step. selectors: metrics per
    selector, `stage.key`. files: artifact folder and file.
    """

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    curves: tuple[tuple[str, float, int], ...]
    selectors: Mapping[str, Mapping[str, float]]
    files: tuple[tuple[str, Path], ...]


def collect(root: Path, params: Mapping[str, Any]) -> StateReport:
    """Read the reports of the repository in `root`; `params` is the tree of `params.yaml`.

    Raises:
        TrackError: no report exists, or two keys give the same metric name.
    """
    # only reports of stages: the files of benchmarks in reports/ are not metrics of this state
    declared = yaml_of(root / "dvc.yaml")["stages"]
    paths = {name: root / "reports" / f"{name}.json" for name in sorted(declared) if name != PUBLISHER}
    reports = {name: read_json(path) for name, path in paths.items() if path.is_file()}
    if not reports:
        raise TrackError(f"no reports in {root / 'reports'}\nrun `make run` first")
    selectors: dict[str, dict[str, float]] = {}
    for stage, report in reports.items():
        for prefix, table in _tables(report, stage):
            for selector, values in table.items():
                selectors.setdefault(selector, {}).update(numbers(values, prefix))
    return StateReport(
        params={name: str(value) for name, value in leaves(params)},
        metrics={name: value for stage, report in reports.items() for name, value in numbers(report, stage).items()},
        curves=tuple(_curves(root / "reports" / "train_curves.csv")),
        selectors=selectors,
        files=tuple(_files(root)),
    )


def numbers(tree: Any, prefix: str = "") -> dict[str, float]:
    """Numeric leaves of a report under names that MLflow accepts (`hit@4` becomes `hit_at_4`).

    Raises:
        TrackError: a number is not finite, or two keys give the same name.
    """
    found: dict[str, float] = {}
    for name, value in leaves(tree, prefix):
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if not math.isfinite(value):
            raise TrackError(
                f"{name}: {value} is not a finite number\nrun the stage again; reports hold finite numbers"
            )
        name = _name(name)
        if name in found:
            raise TrackError(f"{name}: two keys of the report give this metric name; rename one")
        found[name] = float(value)
    return found


def _tables(tree: Any, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every `selectors` table of a report, with the dotted name of its parent."""
    for key, value in tree.items() if isinstance(tree, Mapping) else ():
        if key == "selectors" and isinstance(value, Mapping):
            yield prefix, value
        else:
            yield from _tables(value, f"{prefix}.{key}")


def _curves(path: Path) -> Iterator[tuple[str, float, int]]:
    """Points of every numeric column; a text column (`model`) distinguishes several curves."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as handle:
        for number, row in enumerate(csv.DictReader(handle)):
            step = int(float(row.get(STEP) or number))
            values = {column: _float(text) for column, text in row.items() if column != STEP}
            words = [row[column] for column, value in values.items() if value is None and row[column]]
            for column, value in values.items():
                if value is not None and math.isfinite(value):
                    yield _name(".".join(["train.curve", *words, column])), value, step


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _name(name: str) -> str:
    return re.sub(r"[^\w\-. /:]", "_", name.replace("@", "_at_"), flags=re.ASCII)


def pipeline_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Artifact folder and path of the files that define the pipeline."""
    for name in PIPELINE_FILES:
        if (root / name).exists():
            yield "pipeline", root / name


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    yield from pipeline_files(root)
    folder = root / "reports"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.name != f"{PUBLISHER}.json":
            yield (Path("reports") / path.parent.relative_to(folder)).as_posix(), path
