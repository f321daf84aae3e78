"""The keys of params.yaml that each stage reads: attributes of `Params`, followed through the calls that receive it.

`python -m scripts.params_used` prints them per stage. A section that is passed on as a whole counts as a whole.
"""

from __future__ import annotations

import ast
from pathlib import Path

from scripts.closure import PACKAGE, SOURCE, find
from skillshot.common.params import Params

Definition = ast.FunctionDef | ast.ClassDef
METHODS = ("to_dict", "changed")  # of all params: no key


def params_used(module: str, source: Path = SOURCE) -> set[str]:
    """Keys (`train.beta`), or sections (`train`) where one is used as a whole, that `main` of a module reads."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(module, "main")]
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        tree = _parse(place[0], source)
        body = _definition(tree, place[1])
        if body is None:
            continue
        names = _bound(body)
        parents = {child: node for node in ast.walk(body) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(body):
            if not isinstance(node, ast.expr) or not _is_params(node, names):
                continue
            above = parents[node]
            if isinstance(above, ast.Attribute) and above.attr == "file_keys":
                found |= set(Params.file_keys())
            elif isinstance(above, ast.Attribute) and above.attr not in METHODS:
                found.add(_chain(above, parents))
            elif isinstance(above, ast.Call) and node is not above.func:
                waiting.append(_resolve(above.func, place[0], tree))
            elif isinstance(above, ast.keyword):
                call = parents[above]
                assert isinstance(call, ast.Call)
                waiting.append(_resolve(call.func, place[0], tree))
    return {key for key in found if key.rpartition(".")[0] not in found}


def _is_params(node: ast.expr, names: set[str]) -> bool:
    """A variable that holds all params, `self.params`, or the call that loads them."""
    if isinstance(node, ast.Name):
        return node.id in names and isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Attribute):
        return node.attr == "params" and isinstance(node.value, ast.Name) and node.value.id == "self"
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load_params"


def _bound(body: Definition) -> set[str]:
    """Names of parameters of type `Params`, and of variables assigned from `load_params()` itself."""
    arguments = [a for node in ast.walk(body) if isinstance(node, ast.arguments) for a in node.args + node.kwonlyargs]
    names = {a.arg for a in arguments if getattr(a.annotation, "id", "") == "Params"}
    for node in ast.walk(body):
        if isinstance(node, ast.Assign) and getattr(getattr(node.value, "func", None), "id", "") == "load_params":
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _chain(node: ast.Attribute, parents: dict[ast.AST, ast.AST]) -> str:
    above = parents.get(node)
    return f"{node.attr}.{above.attr}" if isinstance(above, ast.Attribute) else node.attr


def _resolve(function: ast.expr, module: str, tree: ast.Module) -> tuple[str, str]:
    """Module and name of what is called."""
    if isinstance(function, ast.Attribute):  # module.function
        name, attribute = getattr(function.value, "id", ""), function.attr
    else:
        name, attribute = getattr(function, "id", ""), ""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE):
            for alias in node.names:
                if name == (alias.asname or alias.name):
                    return (f"{node.module}.{alias.name}", attribute) if attribute else (node.module, alias.name)
    return module, attribute or name


def _parse(module: str, source: Path) -> ast.Module:
    path = find(module, source)
    return ast.parse(path.read_text(encoding="utf-8")) if path else ast.Module([], [])


def _definition(tree: ast.Module, name: str) -> Definition | None:
    return next((n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == name), None)


if __name__ == "__main__":
    for stage in sorted((SOURCE / PACKAGE / "stages").glob("[a-z]*.py")):
        print(f"{stage.stem}: {', '.join(sorted(params_used(f'{PACKAGE}.stages.{stage.stem}')))}")
