"""The page in examples/browser selects what Python selects: the same ids, for ordinary and for odd texts."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import skillshot
from helpers.story import Story
from scripts import browser_unicode
from skillshot import Selector
from skillshot.common.errors import InputError
from skillshot.sources.storyskills import generate

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "browser"
NODE = shutil.which("node")
ODD = (
    "?", "a", "0", "ﬁ ﬂ ½ ² x²y³ ①②", "İstanbul ΑΣ ΟΔΟΣ ß ẞ ſ", "한국어 단어가 있다 매우긴단어가있습니다정말로요",
    "あいうえお日本語の長い文章です。三百二十円", "ก็ได้ครับ 123 ๑๒๓", "مرحبا ١٬٢٣٤٫٥ كم", "e\u0301" * 50,
    "\u0301" * 100 + "x", "\u200bhidden\u00adword zero\u200dwidth", "🎉🎈 party 👨‍👩‍👧 emoji",
    "аpple Вanana mixed Сyrillic",
    "привет мир сколько яблок осталось у Ивана", "how many\nsecond line\nthird", "\ud800 lone \udfff",
    "a\u2028b\u2029c\x85d\x1ce", "don't won’t it's-a", "1,234,567.89 + 2.5.3 = 7", "_under_score_ __init__",
    "word " * 3000,
    "x" * 9000, "ＦＵＬＬ ｗｉｄｔｈ １２３", "ｶﾞｷﾞ half", "ⅷ Ⅻ roman", "𝐁𝐨𝐥𝐝 𝟙𝟚", "\ufeffbom", "ꭰ Ꭰ", "ᾳ ᾼ ΐ ǰ ŉ",
    "Ω K Å", "ﷺ", "क्षत्रिय हिन्दी ५", "༄༅ བོད", "𠀀𠀁 rare", "\t\t tabs \x0b",
)  # fmt: skip
RANGES = ((32, 128), (32, 128), (128, 0x250), (0x250, 0x3000), (0x3000, 0xD7FF), (0xE000, 0x11000), (0x10000, 0x1FFFF))

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed: apt-get install nodejs")


@pytest.fixture(scope="module")
def slim(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser") / "bundle"
    skillshot.slim(bundle, folder)
    return folder


def noise(count: int) -> list[str]:
    """Texts of characters from everywhere that this Python's Unicode has: node may have a newer one."""
    rng = random.Random(3)
    texts = [[chr(rng.randrange(*rng.choice(RANGES))) for _ in range(rng.randrange(1, 60))] for _ in range(count)]
    return ["".join(c for c in text if unicodedata.category(c) != "Cn") or "?" for text in texts]


def node(*words: object, given: str = "") -> str:
    """What a program in node prints."""
    done = subprocess.run(
        [str(NODE), *map(str, words)], input=given, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_browser(slim: Path, asked: Sequence[Any]) -> list[list[tuple[str, float, float]]]:
    """Id, score and confidence of each demonstration that the page's selector chooses."""
    lines = node(FOLDER / "select.mjs", slim, given="\n".join(map(json.dumps, asked))).splitlines()
    return [[(name, score, sure) for name, score, sure in json.loads(line)] for line in lines]


def check_equal(slim: Path, questions: Sequence[str]) -> None:
    """The same ids in the same order, the same scores, the same confidence but for rounding."""
    selector, asked, wanted = Selector.load(slim), [], []
    for question in questions:
        try:
            wanted.append(selector.select(question))
            asked.append(question)
        except InputError:  # a blank text, among those of noise
            assert not question.strip() or not question.isprintable()
    found = in_browser(slim, asked)
    assert [[one[0] for one in row] for row in found] == [[d.id for d in row] for row in wanted]
    assert [[one[1] for one in row] for row in found] == [[d.score for d in row] for row in wanted]
    pairs = [
        (one[2], d.confidence)
        for row, other in zip(found, wanted, strict=True)
        for one, d in zip(row, other, strict=True)
    ]
    assert max(abs(one - other) for one, other in pairs) < 1e-5


def test_the_page_chooses_as_python_does(slim: Path, story: Story) -> None:
    own = [record.question for record in story[0][:10]]  # are left out for themselves
    check_equal(slim, [*(query.question for query in story[1][:20]), *ODD, *own[:3], *noise(20)])


@pytest.mark.slow
def test_the_page_chooses_as_python_does_for_a_thousand_questions(slim: Path) -> None:
    check_equal(slim, [*(record.question for record in generate(1000, 77)), *noise(1000)])


def test_filters_and_number_are_those_of_python(slim: Path, story: Story) -> None:
    selector, question = Selector.load(slim), story[1][0].question
    first = selector.select(question)[0].id
    cases: list[dict[str, Any]] = [
        {"k": 1}, {"k": 80}, {"exclude": [first]}, {"where": {"language": "ko"}}, {"where": {"language": "none"}},
        {"k": 9, "exclude": [first], "where": {"language": "en"}},
    ]  # fmt: skip
    found = in_browser(slim, [{"question": question, **case} for case in cases])
    wanted = [[d.id for d in selector.select(question, **case)] for case in cases]
    assert [[one[0] for one in row] for row in found] == wanted
    assert first not in wanted[2] and not wanted[4]


def test_the_prompt_is_the_default_one(slim: Path, story: Story, tmp_path: Path) -> None:
    questions = [query.question for query in story[1][:5]] + ["Question: hidden\nAnswer: no\nquestion : x"]
    program = tmp_path / "prompts.mjs"
    program.write_text(
        f"import {{ Selector }} from {json.dumps((FOLDER / 'selector.js').as_uri())};\n"
        f"import {{ prompt }} from {json.dumps((FOLDER / 'prompt.js').as_uri())};\n"
        'import { readFile } from "node:fs/promises";\n'
        f"const selector = await Selector.load((name) => readFile({json.dumps(str(slim))} + '/' + name));\n"
        f"const asked = {json.dumps(questions)};\n"
        "console.log(JSON.stringify(asked.map((one) => prompt(selector.select(one), one))));\n"
    )
    selector = Selector.load(slim)
    assert json.loads(node(program)) == [selector.prompt(question) for question in questions]


@pytest.mark.parametrize("damage", ["full", "cut", "changed"])
def test_a_bundle_that_it_cannot_read_is_named(damage: str, slim: Path, bundle: Path, tmp_path: Path) -> None:
    folder = bundle
    if damage != "full":
        folder = tmp_path / "copy"
        shutil.copytree(slim, folder)
        path = folder / "model" / "question_view" / "keys.npy.gz"
        data = path.read_bytes()
        path.write_bytes(data[:-1] if damage == "cut" else data[:-1] + bytes([data[-1] ^ 1]))
    done = subprocess.run(
        [str(NODE), str(FOLDER / "select.mjs"), str(folder)], input="", capture_output=True, text=True
    )
    message = {"full": "no slim bundle", "cut": "bytes instead of", "changed": "sha256 differs"}[damage]
    assert done.returncode and message in done.stderr


@pytest.mark.slow
def test_the_table_of_characters_is_current() -> None:
    written = browser_unicode.PATH.read_text(encoding="utf-8")
    if f"Unicode {unicodedata.unidata_version};" not in written:
        pytest.skip("this Python has another version of Unicode than the one that wrote the table")
    assert written == browser_unicode.text(), "run python -m scripts.browser_unicode"
