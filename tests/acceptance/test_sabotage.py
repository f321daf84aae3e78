"""Regressions planted in the bundle and in the evaluation: the gate of this repository stops them.

The quick part. `python -m acceptance.sabotage` plants three dozen in the whole pipeline, source edits among them.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from acceptance.sabotage.catalogue import SABOTAGES
from helpers.story import Story
from skillshot import Selector
from skillshot.common.errors import BundleError
from skillshot.common.io import read_json, write_json
from skillshot.common.record import Record, read_records
from skillshot.evaluation.alignment import score
from skillshot.evaluation.shipped import shipped
from skillshot.runtime.manifest import describe
from skillshot.runtime.onnx import TextEncoder
from skillshot.runtime.store import write_store
from skillshot.selectors.pool import Pool
from skillshot.track.gate import compare
from skillshot.track.rules import Gates, parse_gates
from skillshot.track.snapshot import Snapshot

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("random", "question", "lars", "skillshot", "oracle_features")
QUERIES = 16
HIT, SHIPPED = "evaluate.alignment.selectors.{}.hit@k", "evaluate.shipped.same_choice"


def gates() -> Gates:
    """The repository's own rules on skill alignment, without bounds that so small a bank need not hold."""
    rules = parse_gates((ROOT / "gates.yaml").read_text()).metrics
    kept = {name: rule for name, rule in rules.items() if name.startswith(("evaluate.alignment.", "evaluate.shipped."))}
    return Gates({name: replace(rule, minimum=None, maximum=None) for name, rule in kept.items()})


def measured(bundle: Path, queries: Sequence[Record], proof: bool = True) -> Snapshot:
    """The part of reports/evaluate.json that needs no language model; without `proof` what is shipped is not asked."""
    report: dict[str, Any] = {"alignment": score(bundle, queries, "skill", names=NAMES, seed=7).to_dict()}
    report["shipped"] = shipped(bundle, queries, 4, 7) if proof else {"same_choice": 1.0}
    return Snapshot("measured", {"reports/evaluate.json": json.dumps(report), "gates.yaml": RULES}.get)


RULES = yaml.safe_dump({"metrics": {name: {"direction": rule.direction} for name, rule in gates().metrics.items()}})


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[None]:
    """No rule is about clusters, and no sabotage here touches the encoder: each text is embedded once."""
    assert not any("nmi" in name for name in gates().metrics)
    known: dict[tuple[str, str], Any] = {}
    sound = TextEncoder.encode

    def encode(self: TextEncoder, texts: Sequence[str]) -> Any:
        kind = self._session._path.name
        if new := [text for text in texts if (kind, text) not in known]:
            known.update(zip([(kind, text) for text in new], sound(self, new), strict=True))
        return np.stack([known[kind, text] for text in texts])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TextEncoder, "encode", encode)
        patch.setattr("skillshot.evaluation.alignment._nmi", lambda *_: 0.0)
        yield


@pytest.fixture(scope="module")
def queries(story: Story) -> list[Record]:
    return story[1][:QUERIES]


@pytest.fixture(scope="module")
def sound(bundle: Path, queries: list[Record]) -> Snapshot:
    return measured(bundle, queries)


def failing(sound: Snapshot, bundle: Path, queries: Sequence[Record], proof: bool = True) -> set[str]:
    rows = compare(gates(), sound, measured(bundle, queries, proof))
    return {row.name for row in rows if not row.passed and not row.name.startswith("rule:")}


def vectors(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def action(bundle: Path) -> None:
        path = next(bundle.rglob("skillshot.npy"))
        rows = np.load(path, allow_pickle=False)
        np.save(path, np.ascontiguousarray(change(rows)), allow_pickle=False)

    return action


def labels(change: Callable[[list[Any]], list[Any]]) -> Callable[[Path], None]:
    def action(bundle: Path) -> None:
        folder = next(bundle.rglob("bank.jsonl")).parent
        bank = list(read_records(folder / "bank.jsonl"))
        new = change([record.metadata["skill"] for record in bank])
        write_store(folder, [replace(r, metadata={**r.metadata, "skill": s}) for r, s in zip(bank, new, strict=True)])

    return action


LOAD = "load"  # the bundle is refused before it is measured
TAMPERED: dict[str, tuple[Callable[[Path], None], str]] = {
    "vectors one row off": (vectors(lambda rows: np.roll(rows, 1, 0)), HIT.format("skillshot")),
    "vectors with the sign flipped": (vectors(lambda rows: -rows), HIT.format("skillshot")),
    "one vector for all": (vectors(lambda rows: np.repeat(rows[:1], len(rows), 0)), HIT.format("skillshot")),
    "half of the vectors zero": (
        vectors(lambda rows: rows * (np.arange(len(rows)) % 2)[:, None].astype(rows.dtype)), LOAD
    ),
    "labels one row off": (labels(lambda names: [*names[1:], names[0]]), HIT.format("skillshot")),
    "one label for all": (labels(lambda names: names[:1] * len(names)), HIT.format("random")),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_a_bundle_that_is_wrong_though_whole_is_stopped(
    name: str, sound: Snapshot, bundle: Path, queries: list[Record], tmp_path: Path
) -> None:
    change, rule = TAMPERED[name]
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    change(copy)
    manifest = read_json(copy / "manifest.json")
    write_json(copy / "manifest.json", manifest | {"files": describe(copy, [copy])})  # the digests fit
    asked = [replace(q, metadata={**q.metadata, "skill": manifest_label(copy)}) for q in queries]
    if rule == LOAD:
        with pytest.raises(BundleError, match="a row is not of length 1"):
            measured(copy, queries)
    else:
        assert rule in failing(sound, copy, asked if name == "one label for all" else queries, proof=False)


def manifest_label(bundle: Path) -> str:
    return str(next(read_records(next(bundle.rglob("bank.jsonl")))).metadata["skill"])


def worst_first(patch: pytest.MonkeyPatch) -> None:
    sound = Selector.select_batch
    patch.setattr(Selector, "select_batch", lambda self, asked, k=4: [f[-k:] for f in sound(self, asked, len(self))])


def peeking(patch: pytest.MonkeyPatch) -> None:
    sound = Pool.query_vectors
    patch.setattr(
        Pool, "query_vectors",
        lambda self, name, asked: sound(self, "oracle_features" if name == "skillshot" else name, asked),
    )  # fmt: skip


@pytest.mark.parametrize(("change", "rule"), [(worst_first, SHIPPED), (peeking, SHIPPED)])
def test_code_that_is_wrong_is_stopped(
    change: Callable[[pytest.MonkeyPatch], None],
    rule: str,
    sound: Snapshot,
    bundle: Path,
    queries: list[Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(monkeypatch)
    assert rule in failing(sound, bundle, queries)


def test_the_unsabotaged_passes(sound: Snapshot, bundle: Path, queries: list[Record]) -> None:
    assert failing(sound, bundle, queries) == set()


def test_every_sabotage_of_the_catalogue_still_finds_what_it_replaces() -> None:
    for sabotage in SABOTAGES:
        for file, text in sabotage.code.items():
            module = importlib.import_module("skillshot." + file.removesuffix(".py").replace("/", "."))
            tree = ast.parse(text)
            own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            # the statements of the module itself, not of the functions that it defines
            for statement in (node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.value)):
                wanted = ast.unparse(statement.value).partition(":")[0]
                if wanted.replace(".", "").replace("_", "").isalnum() and not hasattr(builtins, wanted):
                    found: Any = module
                    for part in wanted.split("."):
                        assert hasattr(found, part), (
                            f"{sabotage.name}: skillshot/{file} has no {wanted}; fix the sabotage"
                        )
                        found = getattr(found, part)
            assert own or text.strip().startswith("#") or "." in text


def test_every_message_that_a_sabotage_waits_for_is_written_somewhere() -> None:
    trees = [ast.parse(path.read_text()) for path in (ROOT / "src").rglob("*.py")]
    written = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    text = "\n".join(value for value in written if isinstance(value, str))
    for sabotage in SABOTAGES:
        for pattern in filter(lambda pattern: " " in pattern, sabotage.message.split("|")):
            words = [word for word in pattern.rpartition(": ")[2].split() if "\\" not in word]
            # the last word may be a value: the name of a stage
            found = " ".join(words) in text or (len(words) > 2 and " ".join(words[:-1]) in text)
            assert found, f"{sabotage.name}: nothing in src writes {' '.join(words)!r}; fix the sabotage"
