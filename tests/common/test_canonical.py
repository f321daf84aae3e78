"""The closing phrase of a rationale is found where a search of its whole tail finds it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from skillshot.common import canonical
from skillshot.common.canonical import strip_letter

PIECES = (
    "(A)", "(b)", "( C )", "A", "z", "(", ")", " ", "\n", "\u3000", ".", "!", ",", ":", "-", "–", "=", "_", "7", "so ",
    "SO, ", "ſo ", "hence ", "the ", "is ", "İs ", "our ", "answer ", "Answer: ", "final answer", "right option is ",
    "choice will be ", "ans", "ANS D", "option", "(K)", "ı", "e\u0301", "x" * 60, " " * 100, "so " * 70, "dog",
)  # fmt: skip


def searched(rationale: str) -> str:
    """`strip_letter` without its shortcut."""
    end = len(rationale)
    while True:
        last = canonical._before(rationale, end, " \t\n\r\f\v.!")
        match = canonical._LETTER_TAIL.search(rationale, max(0, last - canonical._TAIL), last)
        if not match:
            return rationale[:end]
        end = canonical._before(rationale, match.start(), " \t\n,;:-(")


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=30).map("".join))
@example("(A)" * 99)
@example("It is A. So the answer is B")
@example("A so, so (B)")
@example("a" + " " * 199 + "answer is ( B )")
def test_other_letters_only_shorten_the_search(text: str) -> None:
    assert strip_letter(text) == searched(text)
