"""The figures of README.md, README.ko.md and docs/results/storyskills.md: `python -m scripts.readme_table`."""

from __future__ import annotations

from typing import Any, NamedTuple

from scripts.pages import ROOT, interval, number, put, put_values, report, table

PAGES = ("README.md", "README.ko.md", "docs/results/storyskills.md")
ORDER = ("zero-shot", "random", "bm25", "question", "ridge", "lars", "lite", "skillshot", "oracle", "oracle_features")
SETS = {"tabmwp": "TabMWP", "cogs": "COGS", "spider": "Spider, jaccard@4", "gsm8k": "GSM8K, jaccard@4"}
SHOWN = ("question", "skillshot")
FEW = 30  # queries below which the number stands out, as in `skillshot.common.tables`


class Words(NamedTuple):
    """The words of the results table in one language. asked, few: LLM cell by number of queries."""

    header: tuple[str, ...]
    asked: str
    few: str


LANGUAGES = {
    "results": Words(
        ("data set", "queries", "nearest question", "skillshot", "difference", "LLM: NLL (queries)"),
        "{gain} ({queries})",
        "{gain} (**only {queries}**)",
    ),
    "results.ko": Words(
        ("데이터셋", "질문 수", "가장 가까운 질문", "skillshot", "차이", "LLM: NLL 차이 (질문 수)"),
        "{gain} ({queries}개)",
        "{gain} (**{queries}개뿐**)",
    ),
}


def read() -> dict[str, dict[str, Any]]:
    """The reports that the pages show."""
    return {name: report(name) for name in ("evaluate", "skills", "evaluate_sets", "tune_sets")}


def results(reports: dict[str, dict[str, Any]], words: Words) -> str:
    """One row a data set: skill alignment, and what an LLM makes of the choice."""
    skills, sets, pipeline = reports["skills"], reports["tune_sets"], reports["evaluate"]
    rows = []
    for name, title in SETS.items():
        part = skills[name]
        found = [number(part["selectors"][selector]) for selector in SHOWN]
        pair = interval(part["pairs"]["skillshot-question"])
        asked = sets[name]
        gain = _gain(asked["pairs"]["skillshot-question"], asked["queries"], words)
        rows.append([title, str(part["queries"]), *found, pair, gain])
    alignment = pipeline["alignment"]
    found = [number(alignment["selectors"][selector]["hit@k"]) for selector in SHOWN]
    pair = interval(alignment["pairs"]["skillshot-question"]["hit@k"])
    gain = _gain(pipeline["pairs"]["skillshot-question"]["nll"], pipeline["queries"], words)
    rows.append(["storyskills", str(alignment["queries"]), *found, pair, gain])
    return table(words.header, rows)


def _gain(pair: dict[str, float], queries: int, words: Words) -> str:
    """skillshot minus question on the LLM, with the number of queries that it was asked."""
    cell = words.few if queries < FEW else words.asked
    return cell.format(gain=interval(pair), queries=queries)


def selectors(evaluate: dict[str, Any]) -> str:
    """Every selector of the pipeline's evaluation."""
    alignment, llm, pairs = evaluate["alignment"]["selectors"], evaluate["selectors"], evaluate["pairs"]
    rows, again = [], any("recomputed" in row for row in llm.values())
    for name in (name for name in ORDER if name in alignment or name in llm):
        hit, row = alignment.get(name, {}).get("hit@k"), llm.get(name, {})
        pair = (pairs.get(f"{name}-question") or {}).get("nll")
        rows.append([f"`{name}`", number(hit), number(row.get("nll")), interval(pair), number(row.get("accuracy"))])
        rows[-1] += [number(row.get("recomputed"))] * again
    header = ["selector", f"right skill, hit@{evaluate['alignment']['k']}", "gold NLL per token", "against `question`"]
    made = table([*header, "accuracy", *["equations recomputed"] * again], rows)
    queries = f"{evaluate['alignment']['queries']} questions for the skill, {evaluate['queries']} of them for the LLM"
    return f"{made}\n\n{queries}; intervals are 95 % paired bootstrap."


def values(reports: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Figures inside sentences: `tabmwp.skillshot`, and exact match on COGS as `cogs.question.accuracy`."""
    made = {
        f"{name}.{selector}": f"{100 * part['selectors'][selector]:.0f} %"
        for name, part in reports["skills"].items()
        for selector in SHOWN
    }
    asked = reports["evaluate_sets"]["cogs, again"]["selectors"]
    made |= {f"cogs.{name}.accuracy": f"{100 * row['accuracy']:.0f} %" for name, row in asked.items()}
    made["aqua_rat.nll"] = interval(reports["evaluate_sets"]["aqua_rat"]["pairs"]["skillshot-question"]["nll"])
    made["strategyqa.nll"] = interval(reports["tune_sets"]["strategyqa"]["pairs"]["skillshot-question"])
    return made


def render(text: str, reports: dict[str, dict[str, Any]]) -> str:
    """A page with its tables and inline values made anew."""
    for mark, words in LANGUAGES.items():
        text = put(text, mark, results(reports, words))
    text = put(text, "table", selectors(reports["evaluate"]))
    return put_values(text, values(reports))


def main() -> None:
    """Rewrite the pages."""
    reports = read()
    for page in PAGES:
        path = ROOT / page
        path.write_text(render(path.read_text(encoding="utf-8"), reports), encoding="utf-8")


if __name__ == "__main__":
    main()
