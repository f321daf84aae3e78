"""Import closure: the source files of this package that a module can run, including imports inside functions.

`python scripts/closure.py` prints the dependencies that each stage must name in dvc.yaml.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
PACKAGE = "skillshot"


def closure(module: str, source: Path = SOURCE) -> set[str]:
    """Paths (`src/...`) of `module` and of all that it can import; type-checking imports do not count."""
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
    """Dotted names of the package's modules that a file imports; importing a.b.c runs a and a.b first."""
    return tuple(dict.fromkeys(parent for name in named(path, source) for parent in _with_parents(name)))


@cache
def named(path: Path, source: Path = SOURCE, *, late: bool = True) -> tuple[str, ...]:
    """Dotted names of the package's modules that a file imports; `late=False` leaves out imports in functions."""
    found: list[str] = []
    for node in walk(ast.parse(path.read_text(encoding="utf-8")), late=late):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{path}: relative import; this walk reads absolute ones"
            modules = [name for alias in node.names if find(name := f"{node.module}.{alias.name}", source)]
            found += modules if len(modules) == len(node.names) else [node.module, *modules]
            if node.module == PACKAGE:
                found += lazy([alias.name for alias in node.names], source)
    return tuple(name for name in dict.fromkeys(found) if name == PACKAGE or name.startswith(PACKAGE + "."))


def walk(node: ast.AST, *, late: bool = True) -> list[ast.AST]:
    """All nodes except the bodies of `if TYPE_CHECKING`, a module's `__getattr__` and, unless `late`, functions."""
    found: list[ast.AST] = [node]
    for child in ast.iter_child_nodes(node):
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        skipped = isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"
        skipped |= function and (not late or (child.name == "__getattr__" and isinstance(node, ast.Module)))
        if skipped:
            found += [inner for part in getattr(child, "orelse", ()) for inner in walk(part, late=late)]
        else:
            found += walk(child, late=late)
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
    """File of a dotted name, or None where it is not a module of the package."""
    base = source.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


if __name__ == "__main__":
    for stage in sorted((SOURCE / PACKAGE / "stages").glob("[a-z]*.py")):
        print(f"{stage.stem}:")
        print("\n".join(f"    - {path}" for path in sorted(closure(f"{PACKAGE}.stages.{stage.stem}"))))
