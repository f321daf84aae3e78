"""Which of our own source files a module can run: its imports, and theirs, also those made inside functions.

`python scripts/closure.py` prints the dependencies that each stage must name in dvc.yaml.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
PACKAGE = "skillshot"


def closure(module: str, source: Path = SOURCE) -> set[str]:
    """Paths (`src/...`) of `module` and all that it can import; type-checking imports do not count."""
    found: set[str] = set()
    waiting = list(_with_parents(module))
    while waiting:
        path = find(waiting.pop(), source)
        name = "" if path is None else path.relative_to(source.parent).as_posix()
        if path is None or name in found:
            continue
        found.add(name)
        waiting += imports(path, source)
    return found


@cache
def imports(path: Path, source: Path = SOURCE) -> tuple[str, ...]:
    """Dotted names of our modules that a file imports."""
    found: list[str] = []
    for node in walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{path}: relative import; this walk reads absolute ones"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [node.module, *(name for name in names if find(name, source))]
            if node.module == PACKAGE:
                found += lazy([alias.name for alias in node.names], source)
    ours = [name for name in found if name == PACKAGE or name.startswith(PACKAGE + ".")]
    # importing a.b.c runs a and a.b first
    return tuple(dict.fromkeys(parent for name in ours for parent in _with_parents(name)))


def walk(node: ast.AST) -> list[ast.AST]:
    """Every node except the bodies of `if TYPE_CHECKING` and of a module's `__getattr__`."""
    found: list[ast.AST] = [node]
    for child in ast.iter_child_nodes(node):
        skipped = isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"
        skipped |= isinstance(child, ast.FunctionDef) and child.name == "__getattr__" and isinstance(node, ast.Module)
        if skipped:
            found += [inner for part in getattr(child, "orelse", ()) for inner in walk(part)]
        else:
            found += walk(child)
    return found


def lazy(names: list[str], source: Path) -> list[str]:
    """Modules from which the package's own `__getattr__` takes `names`."""
    tree = ast.parse((source / PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    return [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and any(alias.name in names for alias in node.names)
    ]


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts) + 1)]


def find(module: str, source: Path) -> Path | None:
    """File of a dotted name, None where it is no module of ours."""
    base = source.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


if __name__ == "__main__":
    for stage in sorted((SOURCE / PACKAGE / "stages").glob("[a-z]*.py")):
        print(f"{stage.stem}:")
        print("\n".join(f"    - {path}" for path in sorted(closure(f"{PACKAGE}.stages.{stage.stem}"))))
