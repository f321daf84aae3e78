"""Requests of other sites are refused, and browsers are forbidden to run or load what is not ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conftest import Shared
from helpers import tiny_bundle
from helpers.ui_bed import SITE, Tab
from skillshot import Selector
from skillshot.common.errors import InputError
from skillshot.ui.app import VIEWS
from skillshot.ui.guard import HEADERS, hosts_of
from skillshot.ui.workspace import Workspace


@pytest.fixture
def folder(shared: Shared, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared("tiny", tiny_bundle.make), tmp_path / "tiny"))


@pytest.fixture
def tab(folder: Path) -> Tab:
    return Tab.of(Workspace(folder))


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil:8765", ""]
)
def test_a_name_that_another_site_pointed_here_gets_nothing(tab: Tab, host: str) -> None:
    answer = tab.client.get("/bank", base_url=SITE, headers={"Host": host})
    assert answer.status_code == 403 and "row-" not in answer.text and tab.token not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST:8765"])
def test_the_names_of_this_machine_are_answered(tab: Tab, host: str) -> None:
    assert tab.client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "https://127.0.0.1:8765", "http://127.0.0.1:1", "http://localhost:8765"],
)
@pytest.mark.parametrize("path", ["/edit", "/add", "/", "/why"])
def test_a_form_of_another_site_is_refused(tab: Tab, origin: str, path: str) -> None:
    assert tab.post(path, origin, q="x", edit="remove", row=tab.keys()).status_code == 403


def test_no_origin_and_a_wrong_token_are_refused_and_nothing_changes(tab: Tab, folder: Path) -> None:
    data = {"edit": "remove", "row": tab.keys()[0], "token": tab.token}
    assert tab.client.post("/edit", base_url=SITE, data=data).status_code == 403
    for token in ("", tab.token[:-1], "한" * 32):
        answer = tab.post("/edit", edit="remove", row=tab.keys()[0], token=token)
        assert answer.status_code == 403 and "earlier start" in answer.text
    assert len(Selector.load(folder)) == tiny_bundle.ROWS


def test_a_change_is_no_get(tab: Tab) -> None:
    for path in ("/edit", "/why"):
        assert tab.get(path).status_code == 405
    for method in ("PUT", "DELETE", "PATCH"):
        assert tab.client.open("/bank", base_url=SITE, method=method, headers={"Origin": SITE}).status_code in (
            403,
            405,
        )


def test_a_form_that_is_too_large_is_refused(tab: Tab) -> None:
    assert tab.post("/", q="x" * 2_000_000).status_code == 413


@pytest.mark.parametrize(
    "path", [*VIEWS.values(), "/nothing", "/static/ui.js", "/static/ui.css", "/state", "/static/../app.py"]
)
def test_every_answer_has_the_headers(tab: Tab, path: str) -> None:
    answer = tab.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert len(answer.headers.getlist("Cache-Control")) == 1


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy


def test_an_address_that_stands_for_all_is_refused() -> None:
    for host in ("0.0.0.0", "::", "0000::0"):
        with pytest.raises(InputError, match="stands for every address"):
            hosts_of(host, 8765)
    assert hosts_of("192.0.2.7", 80) == {"192.0.2.7:80", "192.0.2.7"}
    assert hosts_of("2001:DB8::1", 8765) == {"[2001:db8::1]:8765"}
    assert "localhost:8765" in hosts_of("127.0.0.1", 8765) and hosts_of("My.Host", 1) == {"my.host:1"}
