"""What the equations, expressions and straight-line programs of a text evaluate to."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from fractions import Fraction

from skillshot.common.arithmetic import UnreadableError, evaluate, plain_arithmetic, power, solve
from skillshot.common.procedures import parsed

LINES, LINE = 400, 600  # lines of a text that are read, and characters of one
_EQUALS = re.compile(r"(?<![<>=!:])=(?!=)")
_NAME = re.compile(r"\s*([^\W\d]\w*)\s*")
_RUN = re.compile(r"[-(\d.$€£₩][-+*/^%()\d.,$€£₩\s=]*[\d)%]")
_OPERATED = re.compile(r"[\d)%]\s*[-+*/^%]")


def values(text: str) -> set[Fraction]:
    """Values of the expressions, equations and assignments of a text, a Python program too; a chain gives each side's.

    Names keep their value from line to line. Nothing is run.
    """
    tree = parsed(text)
    found, complete = program_values(tree) if tree is not None else (set(), False)
    if complete:
        return found
    known: dict[str, Fraction] = {}
    for line in text.split("\n", LINES)[:LINES]:
        found.update(_line(plain_arithmetic(line[:LINE]), known))
    return found


def _line(line: str, known: dict[str, Fraction]) -> Iterator[Fraction]:
    sides = _EQUALS.split(line)
    results = [evaluate(side, known) for side in sides]
    yield from (value for side, value in zip(sides, results, strict=True) if value is not None)
    if len(sides) > 1:
        last = next((value for value in reversed(results) if value is not None), None)
        for side in sides:
            if (name := _NAME.fullmatch(side)) and last is not None and name[1] not in known:
                known[name[1]] = last
        if len(sides) == 2 and (solved := solve(line, known)):
            known[solved[0]] = solved[1]
            yield solved[1]
    if any(result is None for result in results):  # prose around it
        for run in _RUN.findall(line):
            for side in run.split("="):
                if _OPERATED.search(side) and (value := evaluate(side)) is not None:
                    yield value


def program_values(tree: ast.AST) -> tuple[set[Fraction], bool]:
    """Values that a straight-line Python program assigns, returns or prints, and whether each statement was read."""
    known: dict[str, Fraction] = {}
    found: set[Fraction] = set()
    complete = True
    for node in ast.walk(tree):  # breadth first: statements of one block in their order
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                result = _value(value, known)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                result = _value(ast.BinOp(ast.Name(name), op, value), known)
            case ast.Return(value=ast.expr() as value):
                name, result = "", _value(value, known)
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[value])):
                name, result = "", _value(value, known)
            case ast.For() | ast.While() | ast.If() | ast.Assign() | ast.AugAssign() | ast.With() | ast.Try():
                complete = False
                continue
            case _:
                continue
        if result is None:
            complete = False
            known.pop(name, None)
            continue
        found.add(result)
        if name:
            known[name] = result
    return found, complete and bool(found)


def _value(node: ast.AST, known: dict[str, Fraction]) -> Fraction | None:
    try:
        return _computed(node, known)
    except (UnreadableError, ArithmeticError, ValueError, RecursionError):
        return None


def _computed(node: ast.AST, known: dict[str, Fraction]) -> Fraction:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return Fraction(str(node.value))
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
            inner = _computed(operand, known)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            return _operation(op, _computed(left, known), _computed(right, known))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
            return _FUNCTIONS[name]([_computed(arg, known) for arg in args])
        case ast.Call(func=ast.Attribute(attr="sqrt"), args=[operand]):
            return power(_computed(operand, known), Fraction(1, 2))
    raise UnreadableError(type(node).__name__)


def _operation(op: ast.operator, a: Fraction, b: Fraction) -> Fraction:
    match op:
        case ast.Add():
            result = a + b
        case ast.Sub():
            result = a - b
        case ast.Mult():
            result = a * b
        case ast.Div():
            result = a / b
        case ast.FloorDiv():
            result = Fraction(a // b)
        case ast.Mod():
            result = a % b
        case ast.Pow():
            result = power(a, b)
        case _:
            raise UnreadableError(type(op).__name__)
    if result.numerator.bit_length() + result.denominator.bit_length() > 4096:
        raise UnreadableError("a huge number")
    return result


_FUNCTIONS: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "int": lambda args: Fraction(int(args[0])),
    "float": lambda args: args[0],
    "abs": lambda args: abs(args[0]),
    "round": lambda args: Fraction(round(args[0], min(int(args[1]), 20)) if len(args) > 1 else round(args[0])),
    "min": min,
    "max": max,
    "sqrt": lambda args: power(args[0], Fraction(1, 2)),
    "pow": lambda args: power(args[0], args[1]),
}
