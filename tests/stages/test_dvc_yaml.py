"""dvc.yaml is correct: a stage declares exactly what it can read, and an edit during a stage is detected."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import track_bed as bed
from scripts.closure import closure
from scripts.params_used import params_used
from skillshot.common.errors import InputError
from skillshot.common.params import Params
from skillshot.stages._runner import unchanged_inputs
from skillshot.track.values import leaves

ROOT = Path(__file__).resolve().parents[2]
STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
ORDER = ("source", "ingest", "validate", "encoder", "embed", "train", "export", "index", "tune", "evaluate", "register")
# read as files: the model wrapper that `register` gives to MLflow, the suites
SUITES = ROOT / "src/skillshot/bank/suites"
AS_FILES = {
    "register": {"src/skillshot/track/pyfunc.py"},
    "validate": {path.relative_to(ROOT).as_posix() for path in SUITES.glob("*.json")},
}
# read only by the command line: no stage depends on them
COMMAND_LINE_ONLY: frozenset[str] = frozenset()
NAMES_ONLY = "src/skillshot/__init__.py"
LEAVES = {name for name, _ in leaves(Params().to_dict())}


def names(entries: list[Any]) -> set[str]:
    """Paths or keys of a list in dvc.yaml, whose entries may have options."""
    return {name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)}


def outs(stage: str) -> set[str]:
    return {name for kind in ("outs", "metrics", "plots") for name in names(STAGES[stage].get(kind, []))}


def spread(keys: set[str]) -> set[str]:
    """The leaves of sections."""
    return {leaf for leaf in LEAVES for key in keys if leaf == key or leaf.startswith(key + ".")}


def test_stages_are_in_order() -> None:
    assert tuple(STAGES) == ORDER
    for name, stage in STAGES.items():
        assert stage["cmd"] == f"python -m skillshot.stages.{name}"
        assert f"reports/{name}.json" in outs(name)
        assert (ROOT / "src/skillshot/stages" / f"{name}.py").is_file()


def test_the_package_itself_holds_names_only() -> None:
    """So no stage depends on it: an export that is added re-runs nothing."""
    tree = ast.parse((ROOT / NAMES_ONLY).read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert functions == {"__getattr__", "__dir__"}
    others = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom)]
    for node in others:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        table = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "_HOMES")
        assert docstring or typing or table, ast.unparse(node)


@pytest.mark.parametrize("stage", ORDER)
def test_stage_declares_exactly_the_packages_that_it_can_run(stage: str) -> None:
    named = {path for path in names(STAGES[stage]["deps"]) if path.startswith("src/")}
    wanted = (closure(f"skillshot.stages.{stage}") | AS_FILES.get(stage, set())) - {NAMES_ONLY}
    missing = {path for path in wanted if not any(path == dep or path.startswith(dep + "/") for dep in named)}
    assert sorted(missing) == [], f"{stage}: dvc.yaml must name these (python -m scripts.closure)"
    unused = {dep for dep in named if not any(path == dep or path.startswith(dep + "/") for path in wanted)}
    assert sorted(unused) == [], f"{stage}: never read; an edit would re-run the stage for nothing"
    assert all((ROOT / dep).exists() for dep in named)


@pytest.mark.parametrize("stage", [name for name in ORDER if not STAGES[name].get("always_changed")])
def test_stage_declares_exactly_the_params_that_it_reads(stage: str) -> None:
    declared = names(STAGES[stage].get("params", []))
    unknown = {key for key in declared if not spread({key})}
    assert not unknown, "params.yaml has no such keys"
    used = params_used(f"skillshot.stages.{stage}")
    assert sorted(spread(used) - spread(declared)) == [], f"{stage}: read, not declared"
    assert sorted(spread(declared) - spread(used)) == [], f"{stage}: declared, never read"


def test_stage_that_reads_a_named_file_depends_on_its_digest() -> None:
    """By type: whoever adds a param that names files marks it, and its stages need `reports/source.json`."""
    marked = set(Params.file_keys())
    assert marked == {"ingest.path", "ingest.queries", "ingest.name", "embed.model", "train.prior"}
    textual = {key for key in LEAVES if key.rpartition(".")[2] in ("path", "folder", "file", "prior", "queries")}
    assert textual <= marked | {"ingest.queries"}, "a param that names files has the type PathText"
    named = {"index": {"embed.model"}, "validate": {"ingest.queries"}}  # in the report only
    for stage in ORDER[1:-1]:
        read = spread(params_used(f"skillshot.stages.{stage}")) & marked - named.get(stage, set())
        assert bool(read) == ("reports/source.json" in names(STAGES[stage]["deps"])), f"{stage}: {sorted(read)}"


def test_every_key_of_params_is_read_by_some_stage() -> None:
    read = {leaf for stage in ORDER for leaf in spread(params_used(f"skillshot.stages.{stage}"))}
    assert sorted(LEAVES - read - COMMAND_LINE_ONLY) == []


def test_data_of_a_stage_is_an_output_of_an_earlier_stage() -> None:
    made: set[str] = set()
    for name in ORDER:
        for path in names(STAGES[name]["deps"]):
            known = path.startswith("src/") or any(path == out or path.startswith(out + "/") for out in made)
            assert known, f"{name}: {path} is no source file and no stage before makes it"
        made |= outs(name)


def test_small_reports_are_in_git_and_register_always_runs() -> None:
    for name, stage in STAGES.items():
        for entry in stage.get("metrics", []):
            assert isinstance(entry, dict), f"{name}: metrics without `cache: false` are not in git"
            assert all(options.get("cache") is False for options in entry.values())
    assert [name for name in ORDER if STAGES[name].get("always_changed")] == ["source", "register"]
    # not a metric: it has no results, and would add a column per fact to `dvc exp show`
    assert STAGES["register"]["outs"] == [{"reports/register.json": {"cache": False, "persist": True}}]


def test_closure_finds_every_kind_of_import(tmp_path: Path) -> None:
    package = "src/skillshot"
    bed.write(
        tmp_path, f"{package}/__init__.py", "def __getattr__(name):\n    from skillshot.runtime import Selector\n"
    )
    for name in ("runtime", "typed", "late", "c"):
        bed.write(tmp_path, f"{package}/{name}.py", "import os\n")
    bed.write(tmp_path, f"{package}/a/__init__.py", "")
    bed.write(tmp_path, f"{package}/a/b.py", "import skillshot.c\n")
    bed.write(
        tmp_path,
        f"{package}/stage.py",
        "from typing import TYPE_CHECKING\nfrom skillshot.a import b\nif TYPE_CHECKING:\n    import skillshot.typed\n"
        "def main():\n    from skillshot.late import x\n",
    )
    found = closure("skillshot.stage", tmp_path / "src")
    assert {path.removeprefix(package + "/") for path in found} == {
        "__init__.py", "a/__init__.py", "a/b.py", "c.py", "late.py", "stage.py",
    }  # fmt: skip
    bed.write(tmp_path, f"{package}/other.py", "from skillshot import Selector\n")
    assert f"{package}/runtime.py" in closure("skillshot.other", tmp_path / "src")


def test_every_use_of_params_is_found(tmp_path: Path) -> None:
    bed.write(tmp_path, "src/skillshot/__init__.py", "")
    bed.write(
        tmp_path,
        "src/skillshot/lib.py",
        "class Reader:\n    def __init__(self, params: Params):\n        self.params = params\n"
        "    def read(self):\n        return self.params.ingest.limit\n"
        "def helper(p: Params):\n    return p.train.beta\n"
        "def never(params: Params):\n    return params.llm\n",
    )
    bed.write(
        tmp_path,
        "src/skillshot/stage.py",
        "from skillshot import lib\nfrom skillshot.lib import Reader as R\n"
        "def main():\n    params = load_params()\n    R(params).read()\n    lib.helper(p=params)\n"
        "    use(params.seed, params.embed)\n    settings = load_params().select\n",
    )
    used = params_used("skillshot.stage", tmp_path / "src")
    assert used == {"ingest.limit", "train.beta", "seed", "embed", "select"}


def test_edit_during_a_stage_is_detected(tmp_path: Path) -> None:
    stage = {"deps": ["src/a.py", "data"], "params": ["train", "embed.model"]}
    bed.write(tmp_path, "dvc.yaml", yaml.safe_dump({"stages": {"train": stage}}))
    for path in ("src/a.py", "src/b.py", "data/bank.jsonl"):
        bed.write(tmp_path, path, "1")
    bed.write(tmp_path, "params.yaml", {"train": {"beta": 0.1}, "embed": {"model": "a", "batch_size": 1}})
    with unchanged_inputs("train", tmp_path):
        bed.write(tmp_path, "src/b.py", "another stage's source")
        bed.write(tmp_path, "params.yaml", {"train": {"beta": 0.1}, "embed": {"model": "a", "batch_size": 2}})
    for path in ("src/a.py", "data/bank.jsonl", "data/new.jsonl"):
        with pytest.raises(InputError, match=f"{path} changed while stage train"), unchanged_inputs("train", tmp_path):
            bed.write(tmp_path, path, f"edited {path}")
    with pytest.raises(InputError, match=r"params\.yaml: train changed"), unchanged_inputs("train", tmp_path):
        bed.write(tmp_path, "params.yaml", {"train": {"beta": 0.2}, "embed": {"model": "a"}})
