"""The small language in which storyskills declares themes, skills and wordings.

A skill is a program of binary steps over drawn integers (`"cost = n * price"`). A wording phrases one skill in one
language. A theme gives the nouns and the story. No particular skill or theme is defined here.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

Numbers = Mapping[str, int]


@dataclass(frozen=True)
class Operator:
    """A primitive step: its name in the `steps` label, its value and how its equation is written."""

    name: str
    value: Callable[[Fraction, Fraction], Fraction]
    equation: str


def _round_up(a: Fraction, b: Fraction) -> Fraction:
    return Fraction(math.ceil(a / b))


OPERATORS = {
    "+": Operator("add", lambda a, b: a + b, "{a} + {b} = {c}"),
    "-": Operator("subtract", lambda a, b: a - b, "{a} - {b} = {c}"),
    "*": Operator("multiply", lambda a, b: a * b, "{a} * {b} = {c}"),
    "/": Operator("divide", lambda a, b: a / b, "{a} / {b} = {c}"),
    "mod": Operator("remainder", lambda a, b: a % b, "{a} mod {b} = {c}"),
    "ceil": Operator("round_up", _round_up, "ceil({a} / {b}) = {c}"),
    "%of": Operator("percent", lambda a, b: a * b / 100, "{a}% of {b} = {c}"),
}


@dataclass(frozen=True)
class Wording:
    """The phrasing of a skill in one language.

    ask: phrasings of the question. why: per step, the alternatives (`one | other`) of its rationale line.
    """

    ask: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True)
class Skill:
    """A solution program, the numbers it accepts and its English wording.

    draw: one range (or list) per given number. program: at most four steps `target = left operator right`; the last
    target is the answer. A draw is kept when every step gives a positive number with at most `decimals` decimals and
    `where` (if any) holds. Results are exact because inexact draws are rejected.
    """

    name: str
    draw: Mapping[str, Sequence[int]]
    program: tuple[str, ...]
    ask: tuple[str, ...]
    why: tuple[str, ...]
    unit: str = ""
    decimals: int = 0
    where: Callable[[Numbers], bool] | None = field(default=None, repr=False)

    @property
    def steps(self) -> list[str]:
        """Names of the primitive steps in program order."""
        return [OPERATORS[line.split()[3]].name for line in self.program]

    def run(self, numbers: Numbers) -> Iterator[tuple[Fraction, str]]:
        """Value and equation of each step, lazily: a draw is rejected before a later step divides by zero."""
        known = {name: Fraction(value) for name, value in numbers.items()}
        for line in self.program:
            target, _, left, symbol, right = line.split()
            a, b = (known[word] if word in known else Fraction(int(word)) for word in (left, right))
            operator = OPERATORS[symbol]
            known[target] = operator.value(a, b)
            equation = operator.equation.format(a=number(a), b=number(b), c=number(known[target]))
            yield known[target], equation

    def numbers(self, rng: random.Random) -> Numbers:
        """Draw numbers until all results of the program are positive and exact.

        Raises:
            AssertionError: none of 10,000 draws was valid.
        """
        if (drawn := self.found(rng, 10_000, {})) is None:
            raise AssertionError(f"storyskills: skill {self.name!r} has no valid numbers; widen its ranges")
        return drawn

    def found(self, rng: random.Random, draws: int, given: Numbers) -> Numbers | None:
        """Valid numbers among so many draws, some of them given; None where no draw was valid."""
        for _ in range(draws):
            drawn = {name: values[rng.randrange(len(values))] for name, values in self.draw.items()} | dict(given)
            if (self.where is None or self.where(drawn)) and self._valid(drawn):
                return drawn
        return None

    def _valid(self, drawn: Numbers) -> bool:
        scale = 10**self.decimals
        return all(value > 0 and (value * scale).denominator == 1 for value, _ in self.run(drawn))


@dataclass(frozen=True)
class Theme:
    """A story world. Nouns are `singular/plural`; `{k}` in an aside is a number that the solution does not use.

    opening: sentences that set the scene. aside: distractor sentences. patch: something rectangular. tank: something
    box-shaped. stuff: two mass nouns (or plurals) that can be mixed.
    """

    name: str
    people: tuple[str, ...]
    items: tuple[str, ...]
    box: str
    worker: str
    vehicle: str
    patch: str
    tank: str
    stuff: tuple[str, str]
    money: str
    opening: tuple[str, ...]
    aside: tuple[str, ...]


def number(value: Fraction | int) -> str:
    """Shortest exact form: 12, 2.5, 0.25, or 7/3 where the decimal expansion is not finite."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    places = next((n for n in range(1, 13) if (value * 10**n).denominator == 1), None)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def variants(text: str) -> tuple[str, ...]:
    """Split `one | other` into its alternatives."""
    return tuple(part.strip() for part in text.split("|"))
