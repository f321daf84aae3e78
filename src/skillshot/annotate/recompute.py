"""Equations in a rationale whose stated result is wrong: "3 + 4 = 8"."""

from __future__ import annotations

from skillshot.common.recompute import recomputes


def wrong_equation(text: str) -> str:
    """The first equation of numbers that does not hold; "" where all hold."""
    found = recomputes(text)
    return found[0].equation if found else ""
