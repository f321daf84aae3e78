"""The pages, asked as a browser asks."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest

from conftest import Shared
from helpers import tiny_bundle
from helpers.ui_bed import HOSTILE, SCRIPT, Tab, make_hostile
from skillshot import Selector
from skillshot.bundle.edit import add, remove
from skillshot.common.record import Record
from skillshot.ui.app import PAGE, VIEWS, texts
from skillshot.ui.workspace import Workspace

ASKED = "Ann has 4 pens and buys 3 more. How many pens has Ann now?"


@pytest.fixture
def folder(shared: Shared, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared("tiny", tiny_bundle.make), tmp_path / "tiny"))


@pytest.fixture
def tab(folder: Path) -> Tab:
    return Tab.of(Workspace(folder))


def test_the_chosen_are_those_of_the_selector_and_stand_next_to_those_of_similarity(folder: Path, tab: Tab) -> None:
    page = tab.post("/", q=ASKED, k="3").text
    ours, theirs = (re.findall(r'<a class="id"[^>]*>([^<]+)', part) for part in page.split('id="theirs"'))
    selector = Selector.load(folder)
    assert ours == [d.id for d in selector.select(ASKED, k=3)] and len(theirs) == 3
    why = selector.explain(ASKED, k=3)
    taken = {r.instead.id for r in why.reasons if r.instead} | {
        r.demonstration.id for r in why.reasons if r.instead is None
    }
    assert set(theirs) == taken
    shown = re.search(r'<textarea id="prompt"[^>]*>([^<]*)', page)
    assert shown is not None and shown[1].replace("&#39;", "'") == selector.prompt(ASKED, k=3)


def test_the_reasons_sum_to_the_score(folder: Path, tab: Tab) -> None:
    page = tab.post("/why", q=ASKED, k="1").text
    values = [float(text) for text in re.findall(r'<td class="number">([+-][\d.]+)</td>', page)]
    (reason,) = Selector.load(folder).explain(ASKED, k=1).reasons
    assert sum(values) == pytest.approx(reason.demonstration.score, abs=1e-3) and len(values) > 5
    part = tab.client.post(
        "/why", base_url="http://127.0.0.1:8765", data={"token": tab.token, "q": ASKED},
        headers={"Origin": "http://127.0.0.1:8765", "X-Part": "1"},
    ).text  # fmt: skip
    assert "<html" not in part and "</section>" in part


def test_context_and_options_are_part_of_the_question(folder: Path, tab: Tab) -> None:
    page = tab.post("/", q="Which?", context="Ann has 4 pens.", options="three\nfour", k="2").text
    asked = {"question": "Which?", "context": "Ann has 4 pens.", "options": ["three", "four"]}
    ids = re.findall(r'<a class="id"[^>]*>([^<]+)', page.split('id="theirs"')[0])
    assert ids == [d.id for d in Selector.load(folder).select(asked, k=2)]


@pytest.mark.parametrize(
    ("field", "value"), [("k", "0"), ("k", "x"), ("k", "51"), ("q", " \u200b "), ("q", "x" * 100_001)]
)
def test_what_cannot_be_asked_is_refused_with_the_reason(tab: Tab, field: str, value: str) -> None:
    answer = tab.post("/", **{"q": ASKED, field: value})
    assert answer.status_code == 400 and ("expected" in answer.text or "at most" in answer.text)


def test_rows_are_paged_searched_and_filtered_by_the_server(folder: Path) -> None:
    add(folder, tiny_bundle.records(3 * PAGE, 100))
    tab, rows = Tab.of(Workspace(folder)), tiny_bundle.ROWS + 3 * PAGE
    seen = [key for page in range(1, 5) for key in tab.keys(f"/bank?page={page}")]
    assert len(seen) == len(set(seen)) == rows
    assert tab.keys("/bank?page=99999999999") == seen[3 * PAGE :] and tab.keys("/bank?page=x") == seen[:PAGE]
    (seven,) = tab.keys("/bank?search=CASE+7.+row-7")
    assert seven == seen[7] and tab.keys("/bank?search=row-7+zebras") == []
    skill = [r.id for r in (*tiny_bundle.records(), *tiny_bundle.records(3 * PAGE, 100)) if r.metadata["skill"] == 1]
    assert f"{len(skill)} found" in tab.get("/bank?label=skill%3D1").text
    assert tab.keys("/bank?label=skill%3D1&search=pens+case+1") != []
    assert tab.keys("/bank?label=skill%3D9") == tab.keys("/bank?label=nothing%3D1") == []


def test_a_row_has_its_neighbours_by_skill(tab: Tab) -> None:
    (key,) = tab.keys("/bank?search=row-11")
    page = tab.get(f"/row/{key}").text
    neighbours = re.findall(r'<a class="id"[^>]*>([^<]+)', page)
    assert "Case 11." in page and len(neighbours) == 8 and "row-11" not in neighbours
    assert tab.get(f"/row/{'0' * 24}").status_code == 404


def test_an_added_row_is_in_the_bundle_at_once_for_every_process(folder: Path, tab: Tab) -> None:
    answer = tab.post("/add", question="Dee has 2 kites. How many?", rationale="1 + 1 = 2", answer="2", id="new")
    assert answer.status_code == 303 and "Dee has 2 kites" in tab.get(answer.location).text
    assert "new" in {d.id for d in Selector.load(folder).select("Dee has kites", k=30)}


def test_a_row_that_the_checks_refuse_stays_in_the_form(folder: Path, tab: Tab) -> None:
    before = len(Selector.load(folder))
    answer = tab.post("/add", question="Kept text?", rationale="2 + 2 = 4", answer=" ")
    assert answer.status_code == 400 and "empty_answer" in answer.text and "Kept text?" in answer.text
    assert len(Selector.load(folder)) == before


def test_rows_are_removed_and_marked_in_one_step(folder: Path, tab: Tab) -> None:
    keys = tab.keys()
    answer = tab.post("/edit", edit="remove", row=keys[:2], back="/bank?search=case&done=add")
    assert answer.status_code == 303 and answer.location == "/bank?search=case&done=remove&count=2"
    assert "Removed: 2" in tab.get(answer.location).text
    tab.post("/edit", edit="wrong", row=keys[2:4], back="/quality")
    selector = Selector.load(folder)
    assert len(selector) == tiny_bundle.ROWS - 2
    assert [selector.record(row).correct for row in range(len(selector))].count(False) == 2
    marked = tab.keys("/quality")
    assert len(marked) == 2
    tab.post("/edit", edit="right", row=marked[:1], back="/quality")
    assert len(tab.keys("/quality")) == 1


@pytest.mark.parametrize(
    "back", ["//evil.example/bank", "http://evil.example/bank", "/\\evil.example", "javascript:1", ""]
)
def test_an_edit_leads_only_to_pages_of_this_server(tab: Tab, back: str) -> None:
    answer = tab.post("/edit", edit="remove", row=tab.keys()[0], back=back)
    assert answer.location.startswith("/bank?")


def test_two_tabs_lose_nothing_and_a_conflict_is_named(folder: Path) -> None:
    workspace = Workspace(folder)
    one, two = Tab.of(workspace), Tab.of(workspace)
    first, second, third, *_ = one.keys()
    assert one.post("/edit", edit="remove", row=first).status_code == 303
    assert two.post("/edit", edit="remove", row=second).status_code == 303  # its page is old, its row is not
    conflict = two.post("/edit", edit="remove", row=[first, third])
    assert conflict.status_code == 409 and "1 of 2 rows were changed or removed meanwhile" in conflict.text
    assert third in list(one.keys()), "a conflict changes nothing"
    assert one.post("/edit", edit="wrong", row=third).status_code == 303
    assert two.post("/edit", edit="remove", row=third).status_code == 409, "the tab has not seen that it was marked"
    row = {"question": "Fay has 2 pens. How many?", "rationale": "1 + 1 = 2", "answer": "2", "id": "same"}
    assert [tab.post("/add", **row).status_code for tab in (one, two)] == [303, 409]
    assert len(Selector.load(folder)) == tiny_bundle.ROWS - 1


def test_a_bundle_that_another_process_changes_is_noticed(folder: Path, tab: Tab) -> None:
    version, keys = tab.get("/state").json, tab.keys()
    remove(folder, ["row-0"])
    assert tab.get("/state").json != version and len(tab.keys()) == len(keys) - 1
    assert f"{tiny_bundle.ROWS - 1} demonstrations" in " ".join(re.sub("<[^>]+>", "", tab.get("/").text).split())


def test_a_bundle_that_is_gone_is_shown_as_it_was_and_the_page_says_so(folder: Path, tab: Tab) -> None:
    folder.rename(folder.with_name("moved"))
    page = tab.get(f"/?q={ASKED}").text
    assert "cannot be opened any more" in page and "no such folder" in page and 'id="prompt"' in page
    folder.with_name("moved").rename(folder)
    assert "cannot be opened any more" not in tab.get("/").text


def test_duplicates_are_grouped(folder: Path) -> None:
    copies = [r for r in tiny_bundle.records(1, 50) for _ in range(3)]
    add(folder, [replace(r, id=f"copy-{i}") for i, r in enumerate(copies)])
    page = Tab.of(Workspace(folder)).get("/duplicates").text
    assert re.search(r"Group: \d+", page) and all(f"copy-{i}" in page for i in range(3))


def test_two_bundles_are_compared(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    (best,) = Selector.load(folder).select(ASKED, k=1)
    remove(other, [best.id])
    tab = Tab.of(Workspace(folder), Workspace(other))
    page = tab.post("/compare", questions=f"{ASKED}\n\nHow many boxes?", k="2").text
    assert "1 / 2" in page and page.count("<h2") == 2 and page.count(best.id) == 1
    assert tab.post("/compare", questions="a?\n" * 21).status_code == 400
    assert "--compare" in Tab.of(Workspace(folder)).get("/compare").text


def test_both_languages_have_all_texts_and_all_are_used() -> None:
    english, korean = texts()["en"], texts()["ko"]
    assert english.keys() == korean.keys() and all(english.values()) and all(korean.values())
    package = Path(__file__).parents[2] / "src/skillshot/ui"
    source = "\n".join(path.read_text() for pattern in ("*.py", "templates/*") for path in package.glob(pattern))
    unused = [n for n in english if not n.startswith("done_") and not re.search(rf"\b{n}\b", source)]
    assert unused == []


def test_the_language_is_the_browsers_and_can_be_changed(tab: Tab) -> None:
    assert '<html lang="ko">' in tab.get("/", headers={"Accept-Language": "ko-KR,ko;q=0.9"}).text
    assert '<html lang="en">' in tab.get("/", headers={"Accept-Language": "fr"}).text
    assert "개 찾음" in tab.get("/bank?lang=ko").text and "기술 또는 라벨" in tab.get("/bank").text  # a cookie keeps it
    assert '<html lang="en">' in tab.get("/?lang=en").text and '<html lang="en">' in tab.get("/?lang=xx").text
    link = re.search(r'href="(/\?[^"]*lang=ko)"', tab.post("/", q="What & why?").text)
    assert link is not None and "q=What+%26+why%3F" in link[1] and "token" not in link[1]


class Elements(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_texts_of_a_bank_are_never_markup(folder: Path) -> None:
    make_hostile(folder)
    tab = Tab.of(Workspace(folder), Workspace(folder))
    pages = {path: tab.get(path).text for path in (*VIEWS.values(), "/bank?page=2", "/bank?search=evil", "/nothing")}
    pages |= {f"row {key}": tab.get(f"/row/{key}").text for key in tab.keys("/bank?search=evil")}
    for text in HOSTILE:
        asked = text.encode("utf-8", "replace").decode()
        pages |= {f"ask {asked!r}": tab.post("/", q=asked + " pens", k="20").text}
        pages |= {f"compare {asked!r}": tab.post("/compare", questions=asked + " pens", k="20").text}
        pages |= {f"search {asked!r}": tab.get("/bank", query_string={"search": asked, "label": asked}).text}
    pages["why"] = tab.post("/why", q=SCRIPT, k="20").text
    pages["add"] = tab.post("/add", question=SCRIPT, answer=" ", rationale=SCRIPT, id=SCRIPT).text
    assert SCRIPT.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;").replace("'", "&#39;") in pages["why"]
    for name, page in pages.items():
        for tag, attributes in Elements(page).found:
            assert tag not in ("img", "svg", "b", "iframe", "object", "style", "base"), name
            assert not [key for key in attributes if key.startswith("on") or key == "style"], name
            assert (attributes.get("href") or "/").startswith(("/", "#", "?")), (name, attributes)
            assert tag != "script" or attributes == {"src": "/static/ui.js", "defer": None}, name
        assert "49" not in page.split("{{")[0][-5:], name


def test_every_label_that_is_offered_finds_its_rows(folder: Path) -> None:
    add(folder, [Record(f"x{i}", f"Which {i}?", "", "1", metadata={"a=b": f"c={i % 2} & d"}) for i in range(6)])
    tab = Tab.of(Workspace(folder))
    offered = [dict(attributes) for tag, attributes in Elements(tab.get("/bank").text).found if tag == "option"]
    counts = {one["value"]: len(tab.keys("/bank?" + urlencode({"label": one["value"]}))) for one in offered}
    assert counts["a=b=c=0 & d"] == counts["a=b=c=1 & d"] == 3 and 0 not in counts.values()


def test_notes_next_to_the_bundle_are_shown_and_a_damaged_file_is_named(folder: Path) -> None:
    tab = Tab.of(Workspace(make_hostile(folder)))
    quality = tab.get("/quality").text
    assert "0.900" in quality and "gone: not in the bank" in quality and len(tab.keys("/quality")) == 1
    assert "1 found" in tab.get("/quarantine").text
    folder.with_name("tiny.quarantine.jsonl").write_text("{")
    answer = tab.get("/quarantine")
    assert answer.status_code == 400 and "tiny.quarantine.jsonl: cannot be read" in answer.text
