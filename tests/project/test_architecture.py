"""The shape of the source tree: layers, no import circle, small files, one class for one name, mirrored tests."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from scripts.closure import closure, find, named

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "skillshot"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 300  # lines

# Lowest first: a package imports only from those above its own line.
LAYERS = (
    "common",  # errors, params, records, files
    "features",  # lexical views, numpy only
    "runtime",  # what production imports
    "encoder",  # the frozen sentence encoder
    "bank",  # rows in, checked and split
    "sources",  # where rows come from
    "llm",  # engines and their cache
    "model",  # the networks
    "training",  # fits the model
    "export",  # the model as ONNX
    "selectors",  # every selector on one bundle
    "evaluation",  # figures with intervals
    "annotate",  # rationales written by an LLM
    "track",  # MLflow, the gate, promotion
    "bundle",  # built, edited, shared
    "tune",  # weights from an LLM's feedback
    "api",  # what `import skillshot` offers
    "integrations",  # LangChain, DSPy
    "stages",  # one file for each DVC stage
    "ui",  # the page to work with
    "cli",  # one file for each command
)
# Imports by name, which no walk sees: file -> reason.
BY_NAME = {
    "__init__.py": "what `import skillshot` offers is loaded at its first use",
    "cli/main.py": "a command is loaded when it is called",
    "runtime/options.py": "methods of a Selector that edit or share its bundle; no stage calls them",
    "selectors/adapters.py": "a rival's package, not one of ours",
}
TEST_FOLDERS_OF_THEIR_OWN = {"project", "acceptance"}  # about the repository; about the whole pipeline


def package_of(path: Path) -> str:
    """First name below `skillshot`: of a package, or of a module at the top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def arrows(*, late: bool) -> Iterator[tuple[str, str, str]]:
    """(package, package it imports from, where), between different packages."""
    for path in FILES:
        for name in named(path, late=late):
            target = name.split(".")[1] if "." in name else "__init__"
            if target not in (package_of(path), "__init__") and package_of(path) != "__init__":
                yield package_of(path), target, f"{path.relative_to(SOURCE)} imports {name}"


def test_every_package_has_its_layer() -> None:
    assert sorted({package_of(path) for path in FILES} - {"__init__"}) == sorted(LAYERS)


@pytest.mark.parametrize("late", [False, True], ids=["at import", "in functions"])
def test_a_package_imports_only_from_lower_layers(late: bool) -> None:
    wrong = {where for one, other, where in arrows(late=late) if LAYERS.index(other) > LAYERS.index(one)}
    assert sorted(wrong) == []


def test_imports_by_name_are_few_and_have_a_reason() -> None:
    found = {path.relative_to(PACKAGE).as_posix() for path in FILES if "import_module(" in path.read_text()}
    assert found == set(BY_NAME)


def test_no_module_imports_itself_through_others() -> None:
    graph: dict[Path, set[Path]] = {}
    for path in FILES:
        targets = {find(name, SOURCE) for name in named(path, late=False)}
        graph[path] = {target for target in targets if target is not None and target != path}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(str(path.relative_to(SOURCE)) for path in error.args[1]))


def test_the_walk_finds_a_circle_and_leaves_late_imports_out(tmp_path: Path) -> None:
    for name, text in {"a": "from skillshot.b import x", "b": "def f():\n    import skillshot.a"}.items():
        (tmp_path / "src/skillshot").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"src/skillshot/{name}.py").write_text(text)
    file = tmp_path / "src/skillshot/b.py"
    assert named(file, tmp_path / "src") == ("skillshot.a",)
    assert named(file, tmp_path / "src", late=False) == ()


def test_the_runtime_needs_nothing_of_fitting() -> None:
    own = {path.split("/")[2].removesuffix(".py") for path in closure("skillshot.runtime.index")}
    assert own <= {"__init__", "common", "features", "runtime"}


def test_no_file_is_long() -> None:
    lengths = {path.relative_to(SOURCE).as_posix(): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_class_name_is_defined_twice() -> None:
    names = Counter(
        node.name for path in FILES for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_every_package_explains_itself() -> None:
    inits = [path for path in FILES if path.name == "__init__.py"]
    assert {path.parent for path in FILES} == {path.parent for path in inits}
    assert [str(path) for path in inits if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_the_tests_mirror_the_packages() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    wrong = [
        folder.as_posix()
        for folder in folders
        if not (PACKAGE / folder).is_dir() and folder.as_posix() not in TEST_FOLDERS_OF_THEIR_OWN
    ]
    assert wrong == []
