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
from skillshot.track.headline import OURS, headline
from skillshot.track.state import PUBLISHER, yaml_of
from skillshot.track.values import leaves

PIPELINE_FILES = ("dvc.lock", "dvc.yaml", "params.yaml", "gates.yaml")
STEP = "epoch"  # the column of a curve file that holds the step


@dataclass(frozen=True)
class StateReport:
    """All that is published of one state.

    metrics: the headline (`nll`, `nll_gain`, ...), then numeric leaves of the reports, `reports/stage/key.key`, of the
    other selectors none. curves: name, value, step. selectors: metrics per selector, under the same names. files:
    artifact folder and file. evaluation, tuning: `reports/evaluate.json` and `tune.json` as trees.
    """

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    curves: tuple[tuple[str, float, int], ...]
    selectors: Mapping[str, Mapping[str, float]]
    files: tuple[tuple[str, Path], ...]
    evaluation: Mapping[str, Any]
    tuning: Mapping[str, Any]


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
    rest: dict[str, float] = {}
    for stage, report in reports.items():
        rest |= numbers(_without_selectors(report), stage)
        for selector, prefix, values in _of_selectors(report, stage):
            selectors.setdefault(selector, {}).update(numbers(values, prefix))
    evaluation = reports.get("evaluate", {})
    first = {selector: headline(evaluation, selector) for selector in selectors}
    selectors = {
        selector: {**first[selector], **_others(found, first[selector])} for selector, found in selectors.items()
    }
    agreement = {"agreement": rest.pop("reports/train/agreement")} if "reports/train/agreement" in rest else {}
    return StateReport(
        params={name: str(value) for name, value in leaves(params)},
        metrics={**first.get(OURS, {}), **agreement, **selectors.get(OURS, {}), **rest},
        curves=tuple(_curves(root / "reports" / "train_curves.csv")),
        selectors=selectors,
        files=tuple(_files(root)),
        evaluation=evaluation,
        tuning=reports.get("tune", {}),
    )


def _others(found: Mapping[str, float], first: Mapping[str, float]) -> dict[str, float]:
    """What the headline has not: each figure has one name."""
    return {name: value for name, value in found.items() if name.rpartition("/")[2] not in first}


def numbers(tree: Any, prefix: str = "") -> dict[str, float]:
    """Numeric leaves of a report under names that MLflow accepts (`hit@4` becomes `hit_at_4`) and groups by prefix.

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
        name = _grouped(_name(name))
        if name in found:
            raise TrackError(f"{name}: two keys of the report give this metric name; rename one")
        found[name] = float(value)
    return found


def _of_selectors(tree: Any, prefix: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Selector, metric prefix and values of each `selectors` table of a report, and of the `pairs` next to it."""
    if not isinstance(tree, Mapping):
        return
    names = tree.get("selectors")
    if isinstance(names, Mapping):
        for selector, values in names.items():
            yield selector, prefix, values
        for pair, values in tree.get("pairs", {}).items():
            for one in names:
                if pair.removeprefix(f"{one}-") in names:  # names may hold a hyphen themselves
                    yield one, f"{prefix}.vs_{pair.removeprefix(f'{one}-')}", values
    for key, value in tree.items():
        if key != "selectors":
            yield from _of_selectors(value, f"{prefix}.{key}")


def _without_selectors(tree: Any) -> Any:
    """A report without what `_of_selectors` gives."""
    if not isinstance(tree, Mapping):
        return tree
    taken = ("selectors", "pairs") if isinstance(tree.get("selectors"), Mapping) else ()
    return {key: _without_selectors(value) for key, value in tree.items() if key not in taken}


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
                    yield _name("reports/curves/" + ".".join([*words, column])), value, step


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _grouped(name: str) -> str:
    """`train.kl` as `reports/train/kl`, which MLflow lists after the headline; the skill alignment is its own group."""
    return "reports/" + re.sub(r"^evaluate\.(?=alignment\.)", "", name).replace(".", "/", 1)


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
