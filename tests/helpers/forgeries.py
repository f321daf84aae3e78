"""Forgers: each makes a worse candidate look better, with every digest that a committer can write made to fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from helpers import evaluated_bed as evaluated
from helpers import track_bed as bed
from skillshot.common.params import load_params
from skillshot.track.location import local_path
from skillshot.track.promotion import RECOMPUTED_TAG, promote
from skillshot.track.publish import publish

HONEST, FORGED = 0.7, 0.99  # hit@4 of the candidate's bundle, and of its reports; the champion has 0.9
REPORT, ROWS = "reports/evaluate.json", "reports/evaluate_rows.csv"


class Forger:
    """A repository with a champion; each forger starts from its commit."""

    def __init__(self, folder: Path) -> None:
        from skillshot.track.mlflow_store import MlflowStore

        self.cache, self.root = folder / "answers", folder / "repository"
        evaluated.make(self.root, self.cache)
        tree = yaml.safe_load((self.root / "params.yaml").read_text())
        tree["register"] = {"experiment": f"experiment {folder.name}", "model_name": folder.name}
        bed.write(self.root, "params.yaml", yaml.safe_dump(tree))
        evaluated.run(self.root, self.cache)
        self.commit = bed.commit(self.root)
        self.kept = shutil.copytree(folder, folder.parent / f"{folder.name}-kept", symlinks=True)
        self.champion = self.publish()
        register = load_params(self.root / "params.yaml").register
        self.store = MlflowStore(self.root, register.experiment, register.model_name)
        assert promote(self.store, self.root).passed

    def publish(self) -> str:
        """Commit all and publish; the version."""
        bed.commit(self.root, "candidate")
        return publish(self.root, load_params(self.root / "params.yaml")).version

    def run(self, hit: float = HONEST, nll: float = 0.8, shots: int = 4) -> None:
        """The candidate's honest run, worse than the champion."""
        evaluated.run(self.root, self.cache, hit, nll, shots)

    def forge(self, hit: float = FORGED, nll: float = 0.1) -> None:
        """Better reports, with every digest of `dvc.lock` made to fit."""
        evaluated.report(self.root, hit, nll)
        evaluated.lock(self.root)

    def lock(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Edit `dvc.lock`."""
        tree = yaml.safe_load((self.root / "dvc.lock").read_text())
        change(tree["stages"])
        bed.write(self.root, "dvc.lock", yaml.safe_dump(tree))

    def run_of(self, version: str) -> str:
        return str(self.store.versions()[version].run_id)

    def rewrite(self, version: str, path: str, text: str) -> None:
        """Edit an artifact of a published run."""
        folder = local_path(self.store.client.get_run(self.run_of(version)).info.artifact_uri)
        assert folder is not None
        (folder / path).write_text(text)

    def restore(self) -> None:
        """Back to the champion's commit, its data and the honest answers."""
        bed.git(self.root, "reset", "-q", "--hard", self.commit)
        bed.git(self.root, "clean", "-fdq")
        for name in ("repository/data", "repository/models", "answers"):
            shutil.rmtree(self.root.parent / name)
            shutil.copytree(self.kept / name, self.root.parent / name)


def numbers(forger: Forger) -> str:
    forger.run()
    bed.write(forger.root, REPORT, (forger.root / REPORT).read_text().replace(str(HONEST), str(FORGED)))
    evaluated.lock(forger.root)
    return forger.publish()


def rows(forger: Forger) -> str:
    forger.run(hit=0.91)
    forger.forge(hit=0.91, nll=0.59)
    return forger.publish()


def lock_without_the_code(forger: Forger) -> str:
    forger.run()
    bed.write(forger.root, "evaluate.py", "raise SystemExit('never run')\n")
    forger.forge()
    forger.lock(lambda stages: stages["evaluate"]["deps"].pop(0))
    return forger.publish()


def lock_without_the_report(forger: Forger) -> str:
    forger.run()
    forger.forge()
    forger.lock(lambda stages: stages["evaluate"]["outs"].pop(0))
    return forger.publish()


def pipeline_without_the_report(forger: Forger) -> str:
    forger.run()
    tree = yaml.safe_load((forger.root / "dvc.yaml").read_text())
    tree["stages"]["evaluate"]["outs"] = tree["stages"]["evaluate"]["outs"][1:]
    bed.write(forger.root, "dvc.yaml", yaml.safe_dump(tree))
    forger.forge(nll=0.8)
    forger.lock(lambda stages: stages["evaluate"]["outs"].pop(0))
    return forger.publish()


def record(forger: Forger) -> str:
    forger.run()
    version = forger.publish()
    forger.forge()
    for path in (REPORT, ROWS):
        forger.rewrite(version, path, (forger.root / path).read_text())
    forger.rewrite(version, "pipeline/dvc.lock", (forger.root / "dvc.lock").read_text())
    return version


def record_of_reports_alone(forger: Forger) -> str:
    forger.run(hit=HONEST - 0.01)
    version = forger.publish()
    forger.forge()
    forger.rewrite(version, REPORT, (forger.root / REPORT).read_text())
    return version


def params(forger: Forger) -> str:
    forger.run(nll=0.1, hit=0.92, shots=8)  # more demonstrations than the champion had
    tree = yaml.safe_load((forger.root / "params.yaml").read_text())
    tree["evaluate"]["shots"] = 4
    bed.write(forger.root, "params.yaml", yaml.safe_dump(tree))
    forger.forge(hit=0.92)
    return forger.publish()


def params_in_the_record(forger: Forger) -> str:
    forger.run(nll=0.1, hit=0.92, shots=8)
    version = forger.publish()
    tree = yaml.safe_load((forger.root / "params.yaml").read_text())
    tree["evaluate"]["shots"] = 4
    forger.rewrite(version, "pipeline/params.yaml", yaml.safe_dump(tree))
    return version


def queries(forger: Forger) -> str:
    forger.run(hit=0.93)  # honest answers to the common queries exist
    hard = (forger.root / evaluated.QUERIES).read_text()
    bed.write(forger.root, evaluated.QUERIES, "easy1\neasy2\n")
    forger.run(hit=0.93, nll=0.1)
    report = (forger.root / REPORT).read_text()
    bed.write(forger.root, evaluated.QUERIES, hard)
    forger.forge(hit=0.93)
    bed.write(forger.root, REPORT, report)
    evaluated.lock(forger.root)
    return forger.publish()


def gates(forger: Forger) -> str:
    forger.run(hit=HONEST - 0.05)
    tree = yaml.safe_load((forger.root / "gates.yaml").read_text())
    tree["metrics"] = {name: {"direction": "higher", "absolute": 10.0} for name in tree["metrics"]}
    bed.write(forger.root, "gates.yaml", yaml.safe_dump(tree))
    return forger.publish()


def gates_in_the_record(forger: Forger) -> str:
    forger.run(hit=HONEST - 0.02)
    version = forger.publish()
    text = yaml.safe_dump(evaluated.GATES | {"verify": {"tolerance": {"evaluate": 1e9}}})
    forger.rewrite(version, "pipeline/gates.yaml", text)
    return version


def tolerance(forger: Forger) -> str:
    forger.run(hit=HONEST - 0.03)
    tree = yaml.safe_load((forger.root / "gates.yaml").read_text())
    bed.write(forger.root, "gates.yaml", yaml.safe_dump(tree | {"verify": {"tolerance": {"evaluate": 1e9}}}))
    forger.forge()
    return forger.publish()


def edited(change: Callable[[dict[str, Any]], Any]) -> Callable[[Forger], str]:
    def forge(forger: Forger) -> str:
        hit = 0.94
        forger.run(hit=hit)
        path = forger.cache / "llm.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines[-2:]:
            line["answer"]["nll"] = 0.1
            change(line)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines if line))
        forger.forge(hit=hit)
        bed.write(forger.root, "README.md", str(change))  # a commit of its own
        return forger.publish()

    return forge


def old_tag(forger: Forger) -> str:
    forger.run(hit=HONEST - 0.04)
    forger.forge()
    version = forger.publish()
    tags = forger.store.client.get_run(forger.run_of(forger.champion)).data.tags
    forged = {key: tags[key] for key in (RECOMPUTED_TAG, "skillshot.verified", "mlflow.source.git.commit")}
    forger.store.set_tags(forger.run_of(version), forged)
    forger.store.tag_version(version, {"skillshot.gate": "passed", "skillshot.gate.against": forger.champion})
    return version


def other_bundle_in_the_registry(forger: Forger) -> str:
    forger.run(hit=0.95)  # its evaluation is better; another bundle is shipped
    version = forger.publish()
    found = f"source_run_id = '{forger.run_of(version)}'"
    model = forger.store.client.search_logged_models([forger.store.experiment_id], found)[0]
    folder = local_path(model.artifact_location)
    assert folder is not None
    next(folder.rglob("manifest.json")).write_text('{"hit": 0.1}')
    return version


def other_bundle_evaluated(forger: Forger) -> str:
    forger.run(hit=0.96)
    evaluated.run(forger.root, forger.cache, hit=0.2)
    forger.forge(hit=0.96)
    return forger.publish()


FORGERIES: dict[str, tuple[Callable[[Forger], str], str]] = {
    "numbers": (numbers, "recomputed:reports/evaluate.json not reproduced"),
    "rows": (rows, "recomputed:reports/evaluate_rows.csv not reproduced"),
    "lock without the code": (lock_without_the_code, "stage:evaluate stale"),
    "lock without the report": (lock_without_the_report, "stage:evaluate stale"),
    "pipeline without the report": (pipeline_without_the_report, "recomputed:reports/evaluate.json not reproduced"),
    "record": (record, "not reproduced"),
    "record of reports alone": (record_of_reports_alone, "published:reports/evaluate.json not of its lock"),
    "params": (params, "no answer of stub to q1"),
    "params in the record": (params_in_the_record, "published:params.yaml not the commit's"),
    "queries": (queries, "not reproduced"),
    "gates": (gates, "rule changed"),
    "gates in the record": (gates_in_the_record, "published:gates.yaml not the commit's"),
    "tolerance": (tolerance, "rule:verify rule changed"),
    "cache, digest of the old answer": (edited(dict), "no answer of stub to q1"),
    "cache, without digest": (edited(lambda line: line.pop("digest")), "no answer of stub to q1"),
    "cache, digest null": (edited(lambda line: line.update(digest=None)), "no answer of stub to q1"),
    "cache, lines removed": (edited(lambda line: line.clear()), "no answer of stub to q1"),
    "an old tag": (old_tag, "recomputed:reports/evaluate.json not reproduced"),
    "other bundle in the registry": (other_bundle_in_the_registry, "published:models/selector not of its lock"),
    "other bundle evaluated": (other_bundle_evaluated, "no answer of stub to q1|not reproduced"),
}
