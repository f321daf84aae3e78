"""The page in a real browser: keys, colours, languages, two tabs, hostile banks, large banks."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from conftest import Shared
from helpers import tiny_bundle
from helpers.browser import Browser, Page, executable, wait_for
from helpers.ui_bed import SCRIPT, make_hostile
from skillshot import Selector
from skillshot.bundle.edit import add, remove
from skillshot.ui.app import PAGE, VIEWS
from skillshot.ui.server import make
from skillshot.ui.workspace import Workspace

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(executable() is None, reason="no Chromium is installed; these tests drive a real browser"),
]
ASKED = "Ann has 4 pens and buys 3 more. How many pens has Ann now?"
KOREAN = "사과가 4개 있고 3개를 더 샀습니다. 모두 몇 개입니까?"
LARGE = 10_000


# the lowest contrast of a text with what is behind it, as WCAG 2.2 defines it
CONTRAST = """(() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (text) => {
    const [r, g, b] = numbers(text).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    const colour = getComputedStyle(e).backgroundColor;
    return numbers(colour)[3] === 0 ? behind(e.parentElement) : colour;
  };
  const ratio = (e) => {
    const [high, low] = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const all = document.querySelectorAll("a:not(.skip), p, h2, button, label, textarea, summary, pre");
  return Math.min(...[...all].map(ratio));
})()"""


@dataclass
class Site:
    """A running server and the bundle it shows."""

    url: str
    folder: Path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    started = Browser(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture
def site(shared: Shared, tmp_path: Path) -> Iterator[Site]:
    folder = Path(shutil.copytree(shared("tiny", tiny_bundle.make), tmp_path / "tiny"))
    with serving(folder) as started:
        yield started


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Site]:
    other = Path(shutil.copytree(folder, folder.with_name("other")))
    server, url = make(Workspace(folder), "127.0.0.1", 0, Workspace(other))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Site(url.rstrip("/"), folder)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.page()


def ask(page: Page, site: Site, question: str = ASKED) -> None:
    page.open(f"{site.url}/")
    page.write(question)
    page.press("Enter", modifiers=2)


def texts(page: Page, selector: str) -> list[str]:
    return list(page.evaluate(f"[...document.querySelectorAll({selector!r})].map(e => e.textContent.trim())"))


def test_a_question_is_asked_with_the_keyboard_alone(page: Page, site: Site) -> None:
    ask(page, site)  # the field has the focus at once
    ours = texts(page, "section[aria-labelledby=ours] .id")
    assert ours == [d.id for d in Selector.load(site.folder).select(ASKED)]
    assert len(texts(page, "section[aria-labelledby=theirs] .id")) == 4 and page.errors == []


def test_the_reasons_appear_after_the_choice(page: Page, site: Site) -> None:
    ask(page, site)
    page.until("document.querySelector('#why').dataset.ready")
    scores = texts(page, "#why tr:last-child .number")
    expected = [d.score for d in Selector.load(site.folder).select(ASKED)]
    assert [float(text) for text in scores] == pytest.approx(expected, abs=1e-3)
    assert page.evaluate("document.querySelector('#why .marked').textContent").strip() == ASKED


def test_the_words_are_coloured_under_the_policy(page: Page, site: Site) -> None:
    ask(page, site)
    page.until("document.querySelector('#why').dataset.ready")
    colour = "getComputedStyle(document.querySelector('#why [class=plus6], #why [class=minus6]')).backgroundColor"
    assert "0.54" in page.evaluate(colour)


def test_the_prompt_is_copied(page: Page, site: Site, browser: Browser) -> None:
    browser.call(
        "Browser.grantPermissions", origin=site.url, browserContextId=page.context,
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
    )  # fmt: skip
    ask(page, site)
    page.key("Escape")
    page.evaluate("document.activeElement.blur()")
    page.key("c")
    assert page.until("document.querySelector('#copied').textContent") == "Copied"
    assert page.evaluate("navigator.clipboard.readText()") == Selector.load(site.folder).prompt(ASKED)


def test_keys_lead_to_every_view(page: Page, site: Site) -> None:
    page.open(f"{site.url}/bank")
    for place, path in enumerate(VIEWS.values(), 1):
        page.evaluate("document.activeElement.blur()")
        page.press(str(place))
        assert page.evaluate("location.pathname") == path


def test_keys_do_nothing_inside_a_field(page: Page, site: Site) -> None:
    page.open(f"{site.url}/bank")
    page.key("/")
    page.key("2")
    assert page.evaluate("document.activeElement.value + location.pathname") == "2/bank"


def test_tab_reaches_the_content_and_shows_the_focus(page: Page, site: Site) -> None:
    page.open(f"{site.url}/bank")
    page.key("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") > 0
    page.key("Enter")
    page.key("Tab")
    assert page.evaluate("document.activeElement.name") == "search"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_every_field_and_button_has_a_name(page: Page, site: Site) -> None:
    page.call("Accessibility.enable")
    for path in (*VIEWS.values(), f"/?q={ASKED}"):
        page.open(site.url + path)
        nodes = page.call("Accessibility.getFullAXTree")["nodes"]
        roles = {"textbox", "searchbox", "button", "link", "checkbox", "combobox", "spinbutton"}
        nameless = [n for n in nodes if n["role"]["value"] in roles and not n.get("name", {}).get("value")]
        assert nameless == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_are_legible_in_light_and_dark(browser: Browser, site: Site, scheme: str) -> None:
    page = browser.page(scheme=scheme)
    page.open(f"{site.url}/?q={ASKED}")
    lowest = page.evaluate(CONTRAST)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    assert lowest >= 4.5  # WCAG 2.2, 1.4.3


def test_korean_interface_and_question(browser: Browser, site: Site) -> None:
    page = browser.page(language="ko-KR")
    ask(page, site, KOREAN)
    assert page.evaluate("document.documentElement.lang") == "ko" and "풀이 기술로 고른 예제" in texts(page, "h2")
    assert page.evaluate("document.querySelector('#q').value") == KOREAN
    assert page.evaluate("document.querySelector('#prompt').value").count(KOREAN) == 1
    page.submit("document.querySelector('[hreflang=en]').click()")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("document.querySelector('#q').value") == KOREAN and page.errors == []


def test_a_korean_row_is_added_found_and_removed(browser: Browser, site: Site) -> None:
    page = browser.page(language="ko")
    page.open(f"{site.url}/add")
    fields = {"question": KOREAN, "rationale": "4 + 3 = 7", "answer": "7", "id": "사과-1"}
    for name, text in fields.items():
        page.evaluate(f"document.querySelector('#{name}').focus()")
        page.write(text)
    page.submit("document.querySelector('main form').requestSubmit()")
    assert "추가했습니다." in texts(page, "[role=status]") and texts(page, "h1") == ["사과-1"]
    page.open(f"{site.url}/bank?search=사과가 샀습니다")
    assert texts(page, ".row .id") == ["사과-1"]
    page.evaluate("document.querySelector('.row input').click()")
    page.submit("document.querySelector('button[value=remove]').click()")
    assert len(Selector.load(site.folder)) == tiny_bundle.ROWS


def test_a_removal_needs_two_steps(page: Page, site: Site) -> None:
    page.open(f"{site.url}/bank")
    hidden = "document.querySelector('button[value=remove]').checkVisibility()"
    assert page.evaluate(hidden) is False
    page.evaluate("document.querySelector('.edit summary').focus()")
    page.key("Enter")
    assert page.until(hidden)


def test_a_row_is_marked_as_wrong_and_right_again(page: Page, site: Site) -> None:
    page.open(f"{site.url}/bank?search=row-5")
    page.evaluate("document.querySelector('.row input').click()")
    page.submit("document.querySelector('button[value=wrong]').click()")
    page.open(f"{site.url}/quality")
    assert texts(page, ".row .id") == ["row-5"]
    page.evaluate("document.querySelector('.row input').click()")
    page.submit("document.querySelector('button[value=right]').click()")
    assert texts(page, ".row .id") == [] and page.errors == []


def test_two_tabs_edit_at_once(browser: Browser, page: Page, site: Site) -> None:
    other = browser.tab(page.context)
    for tab in (page, other):
        tab.open(f"{site.url}/bank")
    page.evaluate("document.querySelectorAll('.row input')[0].click()")
    for place in (0, 1):
        other.evaluate(f"document.querySelectorAll('.row input')[{place}].click()")
    page.submit("document.querySelector('button[value=remove]').click()")
    other.submit("document.querySelector('button[value=remove]').click()")
    assert "Another tab or process was faster" in texts(other, "h1")
    assert len(Selector.load(site.folder)) == tiny_bundle.ROWS - 1


def test_a_text_that_was_refused_stays_in_the_form(page: Page, site: Site) -> None:
    page.open(f"{site.url}/add")
    for name, text in {"question": "Kept?", "answer": "2", "id": "row-1"}.items():
        page.evaluate(f"document.querySelector('#{name}').focus()")
        page.write(text)
    page.submit("document.querySelector('main form').requestSubmit()")
    assert "already in the bank" in texts(page, "[role=alert]")[0]
    assert page.evaluate("document.querySelector('#question').value") == "Kept?"


def test_a_bundle_replaced_on_disk_is_announced_in_an_open_page(page: Page, site: Site) -> None:
    page.open(f"{site.url}/bank")
    new = site.folder.with_name("new")
    shutil.copytree(site.folder, new)
    add(new, tiny_bundle.records(2, 100))
    site.folder.rename(site.folder.with_name("old"))
    new.rename(site.folder)
    page.until("!document.querySelector('#changed').hidden")
    page.submit("document.querySelector('#changed a').click()")
    assert f"{tiny_bundle.ROWS + 2} demonstrations" in texts(page, ".about")[0].replace("\n", " ")


def test_a_bundle_that_is_gone_is_named_and_the_last_state_still_answers(page: Page, site: Site) -> None:
    site.folder.rename(site.folder.with_name("gone"))
    ask(page, site)
    assert "cannot be opened any more" in texts(page, "[role=alert]")[0]
    assert len(texts(page, "section[aria-labelledby=ours] .id")) == 4


def test_html_and_script_of_a_bank_are_texts(page: Page, site: Site) -> None:
    make_hostile(site.folder)
    paths = [*VIEWS.values(), "/bank?search=evil", f"/bank?search={SCRIPT}", f"/?q={SCRIPT} pens&k=50"]
    for path in paths:
        page.open(site.url + path.replace("#", "%23").replace(" ", "%20").replace("<", "%3C").replace('"', "%22"))
        assert page.evaluate("document.title").endswith("skillshot"), path
        assert page.evaluate("document.querySelectorAll('main img, main script, main svg, main b').length") == 0, path
    page.until("document.querySelector('#why').dataset.ready")
    assert SCRIPT in page.evaluate("document.querySelector('#why').textContent")
    assert page.evaluate("document.querySelectorAll('main img, main script, main svg, main b').length") == 0
    assert page.errors == [] and page.events("Page.javascriptDialogOpening") == []


def test_the_policy_stops_a_script_that_got_into_a_page(page: Page, site: Site) -> None:
    page.open(site.url)
    page.evaluate(f"document.querySelector('main').innerHTML = {SCRIPT!r}")
    page.evaluate("fetch('http://localhost:9/').catch(() => 0)")
    page.evaluate("new Promise(done => setTimeout(done, 200))")
    assert page.evaluate("document.title").endswith("skillshot")
    assert len([error for error in page.errors if "Content Security Policy" in error]) >= 2


def test_nothing_is_requested_elsewhere_and_the_console_is_silent(page: Page, site: Site) -> None:
    for path in (*VIEWS.values(), f"/?q={ASKED}"):
        page.open(site.url + path)
    page.until("document.querySelector('#why').dataset.ready")
    page.submit("document.querySelector('.id').click()")
    asked = [url for url in page.requests if not url.startswith(site.url)]
    assert asked == [] and page.errors == []


@contextlib.contextmanager
def another_site(html: str) -> Iterator[str]:
    """Address of a server with one page: another port is another origin."""

    def app(_: object, start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/html")])
        return [html.encode()]

    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_another_site_cannot_send_a_form(page: Page, site: Site) -> None:
    form = f"<form method=post action={site.url}/edit><input name=edit value=remove></form>"
    with another_site(form) as url:
        page.open(url)
        page.submit("document.forms[0].submit()")
    assert "another site" in page.evaluate("document.body.textContent")
    assert len(Selector.load(site.folder)) == tiny_bundle.ROWS


def test_another_site_cannot_read_or_frame_the_page(page: Page, site: Site) -> None:
    with another_site(f"<iframe src={site.url}/bank></iframe>") as url:
        page.open(url)
        read = page.evaluate(f"fetch('{site.url}/bank').then(a => a.text()).catch(e => 'refused: ' + e.name)")
        frame = page.evaluate(f"fetch('{site.url}/bank', {{mode: 'no-cors'}}).then(() => 'read').catch(e => e.name)")
    assert read == "refused: TypeError" and frame == "TypeError"
    assert wait_for(
        lambda: [e for e in page.errors if "frame-ancestors" in e or "X-Frame-Options" in e], "it is framed"
    )


def test_a_name_that_another_site_pointed_here_shows_nothing(page: Page, site: Site) -> None:
    page.open(site.url.replace("127.0.0.1", "127.0.0.1.nip.localhost"))  # browsers resolve *.localhost to this machine
    assert "another site or by another name" in page.evaluate("document.body.textContent")


def test_two_bundles_are_compared(page: Page, site: Site) -> None:
    (best,) = Selector.load(site.folder).select(ASKED, k=1)
    remove(site.folder.with_name("other"), [best.id])
    page.open(f"{site.url}/compare")
    page.evaluate("document.querySelector('#questions').focus()")
    page.write(f"{ASKED}\nHow many boxes?")
    page.press("Enter", modifiers=2)
    assert texts(page, "tbody tr:first-child .number")[0] == "3 / 4"
    one, two = (texts(page, f".two > section:nth-child({side}) .id") for side in (1, 2))
    assert best.id in one and best.id not in two and page.errors == []


def test_ten_thousand_rows_are_paged(browser: Browser, shared: Shared, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shared("tiny", tiny_bundle.make), tmp_path / "tiny"))
    add(folder, tiny_bundle.records(LARGE - tiny_bundle.ROWS, 100))
    page = browser.page()
    with serving(folder) as site:
        page.open(f"{site.url}/bank?page=400")
        assert len(texts(page, "main > ul > .row")) == PAGE and "10,000 found" in texts(page, ".pager")[0]
        page.evaluate("document.activeElement.blur()")
        page.press("p")
        assert page.evaluate("location.search") == "?page=399"
        page.press("n")
        page.open(f"{site.url}/bank?search=case+9999.")
        assert texts(page, ".row .id") == ["row-9999"]
        ask(page, site)
        assert len(texts(page, "section[aria-labelledby=ours] .id")) == 4 and page.errors == []


def test_a_narrow_screen_needs_no_scrolling_sideways(page: Page, site: Site) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)
    make_hostile(site.folder)
    for path in (*VIEWS.values(), f"/?q={ASKED}"):
        page.open(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
