"""Does a regression get through? Plants every one of `catalogue.py` in a copy of the pipeline, and runs it.

    export PYTHONPATH=tests
    python -m acceptance.sabotage                  # all of them: about 20 minutes of CPU; writes reports/benchmarks
    python -m acceptance.sabotage --only "NaN"     # those whose name holds a word
    python -m acceptance.sabotage --folder DIR     # keep copy and outcomes there; a killed run continues

The baseline is made first, by an unsabotaged run of the same small configuration, and committed there; bounds of
`gates.yaml` that so small a bank cannot hold are dropped in the copy and named. Each sabotage then starts from it:
`dvc repro evaluate`, and if that ends well `skillshot gate`, and if that passes `dvc repro`'s publisher.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from acceptance.sabotage.catalogue import SABOTAGES
from acceptance.sabotage.kinds import Sabotage
from skillshot.cli.markdown import markdown
from skillshot.common.io import read_json, write_json

ROOT = Path(__file__).resolve().parents[3]
REPORT = ROOT / "reports/benchmarks/sabotage.json"
SMALL: Mapping[str, Any] = {
    "ingest.size": 400, "train.epochs": 60, "export.parity_questions": 60,
    "evaluate.limit": 4, "evaluate.max_tokens": 8, "evaluate.selectors": ["zero-shot", "question", "skillshot"],
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What stopped a sabotage, and its message; `stopped_by` is "nobody" when all passed."""

    name: str
    expected: str
    stopped_by: str
    message: str
    passed: bool
    cpu_seconds: int


class Copy:
    """A copy of the repository with a small finished run, committed as the baseline."""

    def __init__(self, folder: Path) -> None:
        self.root, self.notes = folder, folder.parent / f"{folder.name}.outcomes.json"

    def make(self) -> list[str]:
        """Copy, shrink, run, commit; returns the bounds that were dropped."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, self.root / name)
        (self.root / "dvc.lock").unlink(missing_ok=True)
        with (self.root / ".gitignore").open("a") as ignored:
            ignored.write("/.record/\n/.encoder/\n")
        self.set(SMALL)
        self.git("init", "-q", "-b", "main")
        self.commit("before the baseline")
        code, output = self.run("dvc", "repro", "evaluate")
        if code:
            raise SystemExit(f"the unsabotaged run failed:\n{output[-3000:]}")
        self.commit("results")
        dropped = self.drop_bounds()
        self.commit("baseline")
        return dropped

    def drop_bounds(self) -> list[str]:
        """Take away the bounds that the unsabotaged baseline itself does not hold."""
        _, output = self.run("skillshot", "gate", "--json", stdout=True)
        rows = json.loads(output)["rows"]
        broken = [row["name"] for row in rows if row["status"] == "out of bounds"]
        path = self.root / "gates.yaml"
        tree = yaml.safe_load(path.read_text())
        for name in broken:
            tree["metrics"][name] = {
                key: value for key, value in tree["metrics"][name].items() if key not in ("minimum", "maximum")
            }
        path.write_text(yaml.safe_dump(tree, sort_keys=False))
        return broken

    def restore(self) -> None:
        """Back to the baseline, data and models too."""
        self.git("checkout", "-q", "--force", "main")
        self.git("reset", "-q", "--hard")
        self.git("clean", "-fdq")
        code, output = self.run("dvc", "checkout", "--force", "-q")
        if code:
            raise SystemExit(f"dvc checkout failed:\n{output[-2000:]}")

    def set(self, values: Mapping[str, Any]) -> None:
        """Change params.yaml."""
        path = self.root / "params.yaml"
        tree = yaml.safe_load(path.read_text())
        for name, value in values.items():
            section, _, key = name.partition(".")
            tree[section][key] = value
        path.write_text(yaml.safe_dump(tree, sort_keys=False))

    def commit(self, message: str) -> None:
        """Commit all."""
        self.git("add", "-A")
        self.git("-c", "user.name=t", "-c", "user.email=t@t.invalid", "commit", "-qm", message, "--allow-empty")

    def git(self, *arguments: str) -> None:
        """Run git."""
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def run(self, *command: str, stdout: bool = False) -> tuple[int, str]:
        """Exit code and output (stdout alone where asked for), with the copy's own code."""
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            "SKILLSHOT_CACHE": str(self.root / ".record"),
        }
        environment.pop("MLFLOW_TRACKING_URI", None)
        if command[0] == "skillshot":  # the copy's, not the installed one's
            command = (sys.executable, "-m", "skillshot.cli.main", *command[1:])
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout if stdout else done.stdout + done.stderr

    def plant(self, sabotage: Sabotage) -> Outcome:
        """Sabotage, run, look, restore."""
        started = resource.getrusage(resource.RUSAGE_CHILDREN)
        record, kept = self.root / ".record", self.root.parent / f"{self.root.name}.record"
        shutil.copytree(record, kept, dirs_exist_ok=True)
        try:
            sabotage.before(self.root)
            self.set(sabotage.params)
            for name, text in sabotage.code.items():
                path = self.root / "src/skillshot" / name
                path.write_text(path.read_text() + text)
            by, output = self.look(sabotage)
            output = output.replace(f"{self.root}/", "")  # the report is committed, and belongs to no machine
        finally:
            shutil.rmtree(record)
            shutil.copytree(kept, record)
            self.restore()
        wanted = "nobody" if sabotage.by == "healed" else sabotage.by
        passed = by in wanted.split("|") and bool(re.search(sabotage.message, output))
        return Outcome(sabotage.name, sabotage.by, by, short(output, sabotage.message), passed, cpu_since(started))

    def look(self, sabotage: Sabotage) -> tuple[str, str]:
        """Run the pipeline, the gate, the publisher: who says no, and how."""
        forced = ["--single-item", "--force", sabotage.force] if sabotage.force else ["evaluate"]
        code, output = self.run("dvc", "repro", *forced)
        if code:
            return "stage", output
        pipeline = output
        sabotage.after(self.root)
        code, output = self.run("skillshot", "gate")
        if code:
            return ("gate" if code == 1 else f"gate crashed ({code})"), output
        if sabotage.by == "register":
            code, output = self.run(sys.executable, "-m", "skillshot.stages.register")
            if code:
                return "register", output
        return "nobody", pipeline + output


def cpu_since(before: resource.struct_rusage) -> int:
    """CPU seconds of all finished children."""
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round(now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime)


def short(output: str, pattern: str) -> str:
    """The lines that name the reason, for the table."""
    lines = [re.sub(r"\s+", " ", line) for line in output.splitlines() if "\r" not in line]
    chosen = [line for line in lines if pattern and re.search(pattern, line) and re.match(r"gate: |\S+.*", line)]
    reasons = [line for line in chosen if line.startswith("gate: ")] or chosen[-1:] or lines[-2:-1]
    return "; ".join(line.removeprefix("gate: ") for line in reasons[:3])[:240] if pattern else ""


def main() -> int:
    """Make the baseline, plant all, write the table; 1 when one got through or a sound change was stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="sabotages whose name holds this")
    parser.add_argument("--folder", type=Path, help="where the copy is made and stays (default: temporary)")
    args = parser.parse_args()
    chosen = [sabotage for sabotage in SABOTAGES if args.only in sabotage.name]
    with tempfile.TemporaryDirectory(prefix="skillshot-sabotage-") as temporary:
        copy = Copy((args.folder or Path(temporary) / "copy").resolve())
        if not (copy.root / "dvc.lock").exists():
            dropped = copy.make()
            write_json(copy.notes, {"bounds_dropped": dropped, "sabotages": {}})
        notes = read_json(copy.notes)
        print(f"bounds that the small bank does not hold: {notes['bounds_dropped'] or 'none'}", file=sys.stderr)
        copy.restore()
        for sabotage in chosen:
            if sabotage.name not in notes["sabotages"]:
                notes["sabotages"][sabotage.name] = vars(copy.plant(sabotage))
                write_json(copy.notes, notes)
            row = notes["sabotages"][sabotage.name]
            mark = "ok " if row["passed"] else "BAD"
            line = f"{mark} {row['cpu_seconds']:5} CPU s  {row['name']}: {row['stopped_by']}: {row['message']}"
            print(line, file=sys.stderr, flush=True)
    rows = [notes["sabotages"][sabotage.name] for sabotage in chosen]
    print(markdown("Sabotages", rows, ("name", "expected", "stopped_by", "message")))
    if not args.only:
        write_json(REPORT, {"bounds_dropped": notes["bounds_dropped"], "sabotages": rows, "not_run": []})
    return 0 if all(row["passed"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
