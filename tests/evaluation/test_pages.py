"""The page of an evaluation: it leads with the difference to `question`, and can be read without seeing it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from helpers.llm_fakes import FakeEngine, examples, some_choices
from skillshot.common.params import EvaluateParams
from skillshot.evaluation.files import shown
from skillshot.evaluation.pages import disagreements, page
from skillshot.evaluation.results import Evaluation
from skillshot.evaluation.run import evaluate
from skillshot.llm.cache import AnswerCache


def made(folder: Path, count: int, scores: bool = True) -> tuple[Evaluation, str]:
    queries = examples(count)
    choices = some_choices(queries)
    params = EvaluateParams(bootstrap=200)
    found = evaluate(FakeEngine(scores=scores), AnswerCache(folder / "r"), queries, choices, params, 1)
    return found, page(found, shown(queries, choices))


@pytest.fixture(scope="module")
def forty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, str]:
    return made(tmp_path_factory.mktemp("forty"), 40)


def test_it_leads_with_the_difference_to_question(forty: tuple[Evaluation, str]) -> None:
    found, html = forty
    lead = re.findall(r'<p class="lead"><strong>([^<]+)</strong> ([^<]+)</p>', html)
    assert len(lead) == 2 and html.index(lead[0][0]) < html.index("<h2>")
    for sentence, rest in lead:
        metric = "nll" if "NLL" in rest else "accuracy"
        pair = found.summary["pairs"]["skillshot-question"][metric]
        assert f"{pair['diff']:+.3f} [{pair['low']:+.3f}, {pair['high']:+.3f}]" in rest
        assert sentence.startswith("skillshot against question: ")
        assert ("not certain" not in sentence) == (pair["low"] > 0 or pair["high"] < 0)
    assert "95 % intervals" in html


def test_every_mark_has_a_text_and_is_on_the_axis(forty: tuple[Evaluation, str]) -> None:
    _, html = forty
    texts = re.findall(r'<svg role="img" aria-label="([^"]+)"', html)
    assert len(texts) == html.count("<svg") == 2 * 3
    assert all(
        re.search(r"minus question: [+-]\d\.\d{3} \[.*\], (better|worse|equal), (not )?certain", t) for t in texts
    )
    for low, high in re.findall(r'<line x1="([\d.]+)%" x2="([\d.]+)%"', html):
        assert 0 <= float(low) <= float(high) <= 100


def test_few_queries_give_a_line_in_place_of_a_panel(tmp_path: Path) -> None:
    _, html = made(tmp_path, 5, scores=False)
    assert "<strong>nll is not drawn</strong>: a fake without scores" in html and "5 queries are few" in html
    if "<svg" not in html:
        assert "accuracy is not drawn</strong>: 5 queries, fewer than 30, and no interval excludes 0" in html


def test_the_demonstrations_of_a_disagreement_are_marked_as_shared_or_not(forty: tuple[Evaluation, str]) -> None:
    found, html = forty
    cards = html.split('<div class="card">')[1:]
    for rows, card in zip(disagreements(found), cards, strict=True):
        mine, base = rows[:2]
        columns = re.split(r'<section aria-label="', card)[1:]
        assert [column.partition('"')[0] for column in columns] == [row.selector for row in rows]
        for row, other, column in ((mine, base, columns[0]), (base, mine, columns[1])):
            tags = re.findall(r'<span class="tag">\d: (also|not) chosen by ([^<]+)</span>', column)
            assert tags == [
                ("also" if name in other.demonstrations else "not", other.selector) for name in row.demonstrations
            ]
            assert unescape(column).count("The answer is") == len(row.demonstrations)


def test_the_page_loads_nothing_and_runs_nothing(forty: tuple[Evaluation, str]) -> None:
    _, html = forty
    assert "default-src 'none'" in html and "script-src" not in html and "<script" not in html
    assert not re.search(r"https?:|\ssrc=|url\(", html)
