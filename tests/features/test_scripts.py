"""Words of any script: marks, scripts without blanks, numerals, full width; English tokens are as ever."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.growth import soon
from helpers.lexical_reference import Reference
from helpers.story_chinese import CHINESE
from helpers.story_japanese import JAPANESE
from helpers.story_wide import stories
from skillshot.features import scripts
from skillshot.features.bm25 import BM25
from skillshot.features.channels import LETTERS, QUESTION, RATIONALE, take
from skillshot.features.lexical import LexicalView
from skillshot.features.scripts import keywords
from skillshot.features.tokens import foreign, letters, operators, procedural, tokenise
from skillshot.sources.storyskills.languages import KOREAN, Language

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PLAIN = re.compile(r"\n|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]|_")  # tokens of English
KOREAN_TEXTS = [f"민수는 사과 {i}개를 샀다. 사과가 모두 {i}개이다" for i in range(4)] + ["배를 먹었다"] * 2


def plain(text: str) -> list[str]:
    found = ["<br>" if t == "\n" else "0" if t[0].isdigit() else t for t in PLAIN.findall(text.lower())]
    return ["<s>", *found, "</s>"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("राम के पास ३ सेब हैं", "राम के पास 0 सेब हैं"),  # marks stay with their letter
        ("اشترى ٣٫٥ كيلو من التفّاح", "اشترى 0 كيلو من التفّاح"),
        ("می\u200cخواهم", "میخواهم"),  # a joiner without width is no sign
        ("小明有3个苹果", "小 明 有 0 个 苹 果"),  # no blanks: each letter is a token
        ("りんごは５個", "り ん ご は 0 個"),
        ("ﾊﾞｽ ＡＢ", "バ ス ab"),  # half and full width
        ("三十五个和一起", "0 个 和 一 起"),  # numerals in a row are a number, one alone may be part of a word
        ("3万5千米", "0 米"),
        ("사과를 3개", "사과를 0 개"),
        ("ราคา 5 บาท", "ราคา 0 บาท"),
        ("ซื้อเพิ่มอีกทั้งหมด 3", "ซื้ อ เ พิ่ ม อี ก ทั้ ง ห ม ด 0"),  # a long run is many words
        ("e\u0301te\u0301", "été"),
        ("İSTANBUL'da", "istanbul'da"),
        ("30º", "0 º"),
        ("한글", "한글"),
    ],
)
def test_tokens_of_each_script(text: str, tokens: str) -> None:
    assert tokenise(text)[1:-1] == tokens.split()


@given(st.text(st.characters(codec="ascii") | st.sampled_from("éßñÅΩжœ½²€£“”’—…×÷−°½🍎"), max_size=60))
def test_tokens_of_cased_scripts_are_words_numbers_and_signs(text: str) -> None:
    assert tokenise(text) == plain(text)


@pytest.mark.skipif(not DATA.exists(), reason="the shared data sets are not here")
@pytest.mark.parametrize("name", ["gsm8k/train", "cogs/train", "spider/train", "svamp/all", "tabmwp/dev1k"])
def test_english_tokens_are_as_ever(name: str) -> None:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(400), strict=False)]
    texts = [value for row in rows for value in row.values() if isinstance(value, str)]
    assert all(tokenise(text) == plain(text) for text in texts)
    assert not foreign(dict.fromkeys({token for text in texts for token in tokenise(text)}, 1))


def test_ascii_is_read_without_a_look_at_its_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "_KINDS", None)
    assert tokenise("Tom has 3 apples.") == plain("Tom has 3 apples.")
    assert keywords("Tom has 3 apples.") == ["tom", "has", "3", "apples"]


@given(st.text(max_size=100))
def test_any_text_is_read(text: str) -> None:
    for tokens in (tokenise(text), letters(text)):
        assert tokens[0] == "<s>" and tokens[-1] == "</s>" and all(tokens)
        assert not any(character.isspace() for token in tokens for character in token), "a gram joins tokens by blanks"
    assert all(keywords(text))


@pytest.mark.parametrize(
    "unit", ["ก", "ก\u0e31", "\u0e31", "가", "中", "三", "3,", "三,", "a'", "ﬁ", "\u0301", "ا", "１"]
)
def test_time_is_linear_in_the_length(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    with soon():
        tokenise(text), letters(text), keywords(text), operators(text)


def test_kinds_of_few_characters_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "KEPT", 3)
    kinds = scripts._Kinds()
    assert "中文字很多好".translate(kinds) == "wwwwww" and len(kinds) == 3


def test_letters_spell_words() -> None:
    assert letters("사과를 3개")[1:-1] == ["사~", "과~", "를~", "~", "0", "개~"]
    assert letters("हैं?\n")[1:-1] == ["हैं~", "?", "<br>"]


def test_a_bank_of_another_writing_is_read_by_letters_too() -> None:
    english = LexicalView.learn(
        [f"Tom has {i} apples at the {'café' if i == 3 else 'shop'}" for i in range(20)], QUESTION
    )
    assert english.channels == QUESTION
    for channels, part in ((QUESTION, "head letters"), (RATIONALE, "letters")):
        korean = LexicalView.learn(KOREAN_TEXTS, channels)
        assert korean.channels[:-1] == channels and korean.channels[-1].part == part in LETTERS
        assert {"사~", "사과가"} <= set(korean.vocabulary)


def test_forms_of_a_word_are_similar() -> None:
    view = LexicalView.learn(KOREAN_TEXTS, QUESTION)
    one, other, none = view.transform(["사과를", "사과가", "배를"])
    assert one @ other > 0.5 > one @ none


def test_a_view_with_letters_is_saved(tmp_path: Path) -> None:
    view = LexicalView.learn(KOREAN_TEXTS, QUESTION)
    view = view.onto(np.random.default_rng(0).standard_normal((view.buckets, 3), np.float32))
    view.save(tmp_path)
    np.testing.assert_array_equal(LexicalView.load(tmp_path).transform(KOREAN_TEXTS), view.transform(KOREAN_TEXTS))


@pytest.mark.parametrize("channels", [QUESTION, RATIONALE])
def test_features_with_letters_equal_the_reference(channels: tuple[object, ...]) -> None:
    texts = [*KOREAN_TEXTS, "小明有3个苹果", "小明有3个苹果吗"]
    mine, reference = LexicalView.learn(texts, channels), Reference(texts, channels)
    new = [*texts, "사과 中 3", "", "ราคา"]
    np.testing.assert_allclose(mine.transform(new), reference.transform(new), atol=1e-6)


@pytest.mark.parametrize("language", [CHINESE, JAPANESE, KOREAN], ids=lambda language: language.code)
def test_words_find_the_skill_of_a_new_story(language: Language) -> None:
    records = stories(language, 260, 1)
    themes = {theme.name for theme in language.themes[:2]}
    bank = [record for record in records if record.metadata["theme"] not in themes]
    queries = [record for record in records if record.metadata["theme"] in themes][:40]
    scores = BM25([record.question for record in bank]).scores([record.question for record in queries])
    near = np.argsort(-scores, axis=1)[:, :4]
    hits = [
        bank[i].metadata["skill"] == q.metadata["skill"] for q, rows in zip(queries, near, strict=True) for i in rows
    ]
    assert np.mean(hits) > 0.85  # by runs of letters without blanks .7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("小明有3个", ["小", "明", "有", "小明", "明有", "3", "个"]),
        ("사과를 ３개", ["사과를", "사과", "과를", "3", "개"]),
        ("三十个", ["三", "十", "个", "三十", "十个"]),
        ("Café x1_b", ["café", "x1_b"]),
    ],
)
def test_keywords(text: str, expected: list[str]) -> None:
    assert keywords(text) == expected


def test_a_noun_with_another_particle_is_a_copy() -> None:
    questions = ["사과를 샀다", "사과를 팔았다", "사과를 먹었다", "사과를 땄다"]
    assert procedural(["사과가 남아서 더한다"] * 4, questions, 0.1) == ["남아서", "더한다"]


def test_a_line_without_blanks_is_a_question() -> None:
    assert take("小明有3个苹果，一共多少？\n表格", "rest") == "表格"
    assert take("提示：\n小明有3个苹果，一共多少？", "rest") == ""


def test_operators_of_full_width() -> None:
    assert operators("３＋４＝７") == ["+"] == operators("٣ + ٤ = ٧")
