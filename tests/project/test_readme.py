"""The READMEs are true: their snippets run and print what is shown, figures are those of reports/, links lead to files.

The English and the Korean README show the same code, apart from comments.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skillshot
from scripts import readme_table
from skillshot.cli.main import COMMANDS
from skillshot.common.record import Record
from skillshot.runtime import prompt

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.ko.md")
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in READMES}
DOCS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
BANK = ROOT / "examples/bank.jsonl"
QUESTION = "A train covers 60 miles in 3 hours. How far does it get in 5 hours?"
OTHERS = ("backwards-train", "average-train")  # what the READMEs call nearest by sentence embedding


def blocks(name: str, language: str) -> list[str]:
    """Code blocks of a README."""
    return re.findall(rf"```{language}\n(.*?)```", TEXTS[name], flags=re.S)


def links(text: str) -> list[str]:
    """Targets of the links of a page."""
    return re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)


def run(snippet: str, name: str) -> dict[str, Any]:
    """Execute a snippet; returns its names."""
    names: dict[str, Any] = {}
    exec(compile(snippet, name, "exec"), names)
    return names


@pytest.mark.parametrize("page", readme_table.PAGES)
def test_the_figures_are_those_of_the_reports(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert readme_table.render(text, readme_table.read()) == text, "run: python -m scripts.readme_table"


@pytest.mark.parametrize("name", READMES)
def test_the_printed_prompt_is_made_of_the_example_bank(name: str) -> None:
    (printed,) = blocks(name, "text")
    ids, _, shown = printed.partition("\n\n")
    rows = {row["id"]: row for row in map(json.loads, BANK.read_text(encoding="utf-8").splitlines())}
    chosen = [Record(id, *(rows[id][field] for field in ("question", "rationale", "answer"))) for id in ids.split()]
    assert shown.rstrip("\n") == prompt.render(chosen, QUESTION)
    assert {rows[record.id]["skill"] for record in chosen} == {"rate"}


@pytest.mark.slow
def test_the_first_snippet_prints_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples/bank.jsonl").write_bytes(BANK.read_bytes())
    monkeypatch.chdir(tmp_path)
    fitted: dict[str, skillshot.Selector] = {}
    monkeypatch.setattr(skillshot, "fit", once(skillshot.fit, fitted))
    for name in READMES:
        capsys.readouterr()
        run(blocks(name, "python")[0], name)
        assert capsys.readouterr().out.rstrip() == blocks(name, "text")[0].rstrip(), name
    (selector,) = fitted.values()
    assert nearest_by_embedding(tmp_path / "selector", selector) == OTHERS
    assert all(other in TEXTS[name] for other in OTHERS for name in READMES)
    guide = (ROOT / "docs/guides/explain.md").read_text(encoding="utf-8")
    printed = str(selector.explain(QUESTION, k=2))
    assert without_words(printed) in without_words(guide)
    assert re.findall(r"by words: ('\S+')", printed) == re.findall(r"by words: ('\S+')", guide)


def without_scores(text: str) -> str:
    """Scores drift a little from one processor to another."""
    return re.sub(r"[-+]?\d\.\d+", "", text)


def without_words(text: str) -> str:
    """Nor the words, whose order follows from their values."""
    return re.sub(r"by words: .*", "", without_scores(text))


def once(fit: Callable[..., skillshot.Selector], made: dict[str, skillshot.Selector]) -> Callable[..., Any]:
    """`fit` that remembers: both READMEs fit the same bank."""

    def remembered(*args: Any, **settings: Any) -> skillshot.Selector:
        key = repr((args, settings))
        if key not in made:
            made[key] = fit(*args, **settings)
        return made[key]

    return remembered


def nearest_by_embedding(bundle: Path, selector: skillshot.Selector) -> tuple[str, ...]:
    """Ids of the two questions with the highest cosine of sentence embeddings."""
    from skillshot.encoder import embed_texts, load_encoder

    vector = embed_texts(load_encoder("minilm"), [QUESTION], 1, "questions").vectors[0]
    bank = json.loads((bundle / "manifest.json").read_text())["bank"]
    order = np.argsort(-(np.load(bundle / bank / "question.npy") @ vector))
    return tuple(selector.record(int(row)).id for row in order[:2])


@pytest.mark.parametrize("name", READMES)
def test_the_application_snippet_runs(name: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "selector").symlink_to(bundle)
    monkeypatch.chdir(tmp_path)
    answer = run(blocks(name, "python")[1], name)["answer"]
    asked: list[str] = []
    question = "The bakery packs 50 muffins into boxes of 8. How many are left over?"
    answer(question, asked.append)
    assert asked[0].count("Question:") == 5 and asked[0].endswith(f"Question: {question}\nAnswer:")


@pytest.mark.parametrize("page", readme_table.PAGES)
def test_no_line_begins_with_an_inline_value(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not re.search(r"^\s*<!--value", text, flags=re.M), "Markdown ends the paragraph there: move a word before it"


@pytest.mark.parametrize("name", READMES)
def test_the_table_of_integrations_names_what_can_be_imported(name: str) -> None:
    named = re.findall(r"`from ([\w.]+) import (\w+)`", TEXTS[name])
    assert len(named) == 3
    for module, item in named:
        spec = importlib.util.find_spec(module)
        assert spec is not None and spec.origin is not None, module
        assert re.search(rf"\b{item}\b", Path(spec.origin).read_text(encoding="utf-8")), f"{module}.{item}"


@pytest.mark.parametrize(("mark", "few"), [("results", "**only 15**"), ("results.ko", "**15개뿐**")])
def test_the_results_mark_an_llm_that_was_asked_little(mark: str, few: str) -> None:
    reports = readme_table.read()
    assert "**" not in readme_table.results(reports, readme_table.LANGUAGES[mark])
    reports["evaluate"]["queries"] = 15
    lines = readme_table.results(reports, readme_table.LANGUAGES[mark]).splitlines()
    assert [line.split()[1] for line in lines if few in line] == ["storyskills"]
    assert len({line.count("|") for line in lines}) == 1


def test_both_readmes_show_the_same_code() -> None:
    code = [[re.sub(r"\s*#.*|\"\"\".*\"\"\"", "", block) for block in blocks(name, "python")] for name in READMES]
    assert code[0] == code[1] and len(code[0]) == 2


@pytest.mark.parametrize("name", READMES)
def test_the_commands_exist(name: str) -> None:
    code = "".join(blocks(name, "bash"))
    commands, targets = (re.findall(rf"^{program} ([\w-]+)", code, flags=re.M) for program in ("skillshot", "make"))
    assert commands and targets
    assert set(commands) <= set(COMMANDS)
    for target in targets:
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.M)


@pytest.mark.parametrize("page", [*READMES, "CONTRIBUTING.md", "data/README.md", "models/README.md", *DOCS])
def test_the_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in links(path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target
