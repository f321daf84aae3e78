"""The form of a text for comparison, and what else messages and checks need of texts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillshot.bank.dedup import Grouper, mask
from skillshot.common.record import normalise_question
from skillshot.common.text import bare, canonical, folded, normalised, reordered, shown, visible

ASKED = "Tom has 3 apples and buys 4 more. How many apples does Tom have now?"
HIDDEN = {
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "zero width non-joiner": "\u200c",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "left-to-right mark": "\u200e",
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "arabic letter mark": "\u061c",
    "variation selector": "\ufe0f",
    "variation selector 17": "\U000e0100",
    "tag": "\U000e0041",
    "hangul filler": "\u3164",
    "halfwidth hangul filler": "\uffa0",
    "mongolian vowel separator": "\u180e",
    "invisible times": "\u2062",
    "annotation anchor": "\ufff9",
    "control": "\x1b",
    "C1 control": "\x9b",
}
WRITTEN = {
    "cyrillic a": ASKED.replace("a", "а"),
    "cyrillic a, e, o": ASKED.translate(str.maketrans("aeo", "аео")),
    "cyrillic capitals": ASKED.translate(str.maketrans("TH", "ТН")),
    "greek o": ASKED.replace("o", "ο"),
    "greek capitals": ASKED.translate(str.maketrans("TH", "ΤΗ")),
    "full width": ASKED.translate({i: i + 0xFEE0 for i in range(0x21, 0x7F)}),
    "mathematical letters": ASKED.replace("a", "𝐚"),
    "no-break spaces": ASKED.replace(" ", "\u00a0"),
    "ideographic and empty braille spaces": ASKED.replace(" ", "\u3000", 3).replace(" ", "\u2800", 2),
    "capitals": ASKED.upper(),
    "blanks": f"  {ASKED.replace(' ', '  ')}\n",
    "line separators": ASKED.replace(" ", "\u2028"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_invisible_characters_do_not_make_a_question_another(name: str) -> None:
    for written in (HIDDEN[name].join(ASKED), HIDDEN[name] + ASKED, ASKED.replace(" ", f" {HIDDEN[name]}")):
        assert written != ASKED and normalise_question(written) == normalise_question(ASKED)
        assert mask(written) == mask(ASKED)
    assert not visible(HIDDEN[name] * 3) and not visible(f" {HIDDEN[name]}\n")


@pytest.mark.parametrize("name", WRITTEN)
def test_look_alikes_are_one_question(name: str) -> None:
    assert WRITTEN[name] != ASKED and normalise_question(WRITTEN[name]) == normalise_question(ASKED)


def test_near_duplicates_are_found_behind_look_alikes_and_invisible_characters() -> None:
    grouper = Grouper(0.9)
    grouper.add(ASKED)
    grouper.add(ASKED.replace("a", "а").replace("3", "5"))
    grouper.add("\u200b".join(ASKED.replace("Tom", "Ann")))
    grouper.add("Why is the sky blue?")
    assert grouper.labels().tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Вот кот", "Вот кит"),
        ("Αν α = 3, πόσο είναι β;", "Αν β = 3, πόσο είναι α;"),
        ("5 μm", "5 mm"),
        ("톰은 사과 3개", "톰은 배 3개"),
        ("שלום", "שלומ"),
        ("resume", "résumé"),
        ("l", "I"),
        ("0", "O"),
    ],
)
def test_different_questions_stay_different(first: str, second: str) -> None:
    assert canonical(first) != canonical(second)


@pytest.mark.parametrize(
    "text", ["Привет, мир: сколько яблок?", "Πόσα μήλα έχει ο Νίκος;", "톰은 몇 개?", "日本語", ASKED]
)
def test_texts_of_one_script_are_only_normalised(text: str) -> None:
    assert folded(text) == unicodedata.normalize("NFKC", text)
    assert canonical(text) == " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    assert canonical(text.upper()) == canonical(text) or "σ" in text.casefold() or "ή" in text


@settings(max_examples=300)
@given(st.text() | st.text(st.sampled_from("аеνΝsßſK\u0301\u0316\u0344\u200b\u034f\uffa0\u3164İAaΑα ﬁ\u0345ΰ\u2800")))
def test_the_forms_are_idempotent(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
    assert folded(folded(text)) == folded(text) and bare(bare(text)) == bare(text)
    assert visible(text) == bool(canonical(text))


@given(st.text(st.characters(max_codepoint=0x2FF) | st.sampled_from("\u0301\u0316\u0344각가한")))
def test_normalisation_is_unicodes_own_for_texts_that_people_write(text: str) -> None:
    if not any(unicodedata.combining(c) for c in text):
        assert normalised("NFC", text) == unicodedata.normalize("NFC", text)
    assert normalised("NFKC", normalised("NFKC", text)) == normalised("NFKC", text)


def test_bidirectional_controls_are_noticed() -> None:
    assert all(reordered(f"a{chr(code)}b") for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
    assert not any(map(reordered, (ASKED, "שלום \u200f", "\u200e1", "عربي")))


def test_any_value_can_be_shown() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    circular: dict[str, object] = {}
    circular["self"] = circular

    class Broken:
        def __repr__(self) -> str:
            raise ValueError("no")

    for value in (nested, circular, Broken(), "x" * 10**6, 10**5000, b"\xff", None, float("nan")):
        assert len(shown(value)) <= 90 and "\n" not in shown(value)
